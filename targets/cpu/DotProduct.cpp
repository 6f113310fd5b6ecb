#include "cpu/DotProduct.h"
#include "llvm/ADT/STLExtras.h"

namespace mlc::cpu {

static constexpr DotProduct all[] = {
    // x86: AVX512-VNNI, AVX-VNNI; pmaddwd of AVX512BW, AVX2, SSE2
    {"llvm.x86.avx512.vpdpbusd.512", 4, 8, true, 16, true},
    {"llvm.x86.avx512.vpdpbusd.256", 4, 8, true, 8, true},
    {"llvm.x86.avx512.vpdpbusd.128", 4, 8, true, 4, true},
    {"llvm.x86.avx512.pmaddw.d.512", 2, 16, false, 16, false},
    {"llvm.x86.avx2.pmadd.wd", 2, 16, false, 8, false},
    {"llvm.x86.sse2.pmadd.wd", 2, 16, false, 4, false},
    // AArch64: dotprod, i8mm
    {"llvm.aarch64.neon.sdot.v4i32.v16i8", 4, 8, false, 4, true},
    {"llvm.aarch64.neon.usdot.v4i32.v16i8", 4, 8, true, 4, true},
};

const DotProduct *findDotProduct(llvm::StringRef intrinsic) {
  const auto *found = llvm::find_if(all, [&](const DotProduct &dot) { return dot.intrinsic == intrinsic; });
  return found == std::end(all) ? nullptr : found;
}

} // namespace mlc::cpu
