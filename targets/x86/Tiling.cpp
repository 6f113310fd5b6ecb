// How loops are cut for x86.
#include "x86/X86.h"

using namespace mlir;

namespace mlc {

cpu::RegisterTiles registerTiles(TargetAttr target) {
  // Measured on AMD Zen 5 (AVX-512) and with AVX2: 95 to 99 % of the peak for 2 vectors and more; a single vector is
  // bound by its loads.
  static const int64_t rowsWith32Registers[] = {12, 9, 8, 6}, rowsWith16Registers[] = {8, 6, 4};
  cpu::RegisterTiles tiles;
  tiles.rows = target.getVectorBytes() == 64 ? ArrayRef(rowsWith32Registers) : ArrayRef(rowsWith16Registers);
  tiles.multiplication.fused = target.getFeatures().contains("+fma");
  return tiles;
}

TilingAttr X86Target::tile(TilingInterface root, TargetAttr) const { return cpu::tile(root, {}); }

int64_t X86Target::panelWidth(Type element, int64_t columns, TargetAttr attr) const {
  return cpu::panelWidth(element, columns, attr, attr.getVectorBytes() == 64 ? 4 : 2);
}

} // namespace mlc
