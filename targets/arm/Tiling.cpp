// How loops are cut for AArch64.
#include "arm/Arm.h"

using namespace mlir;

namespace mlc {

/// Of 32 registers, a tile of R rows and V vectors of columns takes R * V for its sums, V for a row of the panel, and
/// one for each row of the left-hand side.
static constexpr int64_t rowsWith32Registers[] = {12, 8, 6, 5};

void ArmTarget::lower(OpPassManager &passes, TargetAttr attr) const {
  cpu::RegisterTiles tiles;
  tiles.rows = rowsWith32Registers;
  cpu::lower(passes, attr, tiles);
}

TilingAttr ArmTarget::tile(TilingInterface root, TargetAttr) const { return cpu::tile(root, {}); }

int64_t ArmTarget::panelWidth(Type element, int64_t columns, TargetAttr attr) const {
  return cpu::panelWidth(element, columns, attr, std::size(rowsWith32Registers));
}

} // namespace mlc
