// How loops are cut for x86.
#include "x86/X86.h"

using namespace mlir;

namespace mlc {

cpu::RegisterTiles X86Target::registerTiles(TargetAttr target) const {
  // Measured on AMD Zen 5 (AVX-512) and with AVX2: 95 to 99 % of the peak for 2 vectors and more; a single vector is
  // bound by its loads.
  static const int64_t rowsWith32Registers[] = {12, 9, 8, 6}, rowsWith16Registers[] = {8, 6, 4};
  cpu::RegisterTiles tiles = {rowsWith32Registers, /*panelVectors=*/4, /*rowStep=*/72};
  if (target.getVectorBytes() < 64)
    tiles = {rowsWith16Registers, /*panelVectors=*/2, /*rowStep=*/72};
  tiles.multiplication.fused = target.getFeatures().contains("+fma");
  int64_t bytes = target.getVectorBytes();
  tiles.multiplication.scales = bytes == 64; // vscalefps of AVX-512
  auto has = [&](StringRef feature) { return target.getFeatures().contains(feature); };
  if (has("+avx512vnni") || (bytes == 32 && has("+avxvnni")))
    tiles.multiplication.dots.push_back(bytes == 64   ? "llvm.x86.avx512.vpdpbusd.512"
                                        : bytes == 32 ? "llvm.x86.avx512.vpdpbusd.256"
                                                      : "llvm.x86.avx512.vpdpbusd.128");
  tiles.multiplication.dots.push_back(bytes == 64   ? "llvm.x86.avx512.pmaddw.d.512"
                                      : bytes == 32 ? "llvm.x86.avx2.pmadd.wd"
                                                    : "llvm.x86.sse2.pmadd.wd");
  return tiles;
}

} // namespace mlc
