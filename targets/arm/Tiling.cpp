// How loops are cut for AArch64.
#include "arm/Arm.h"

using namespace mlir;

namespace mlc {

/// Of 32 registers, a tile of R rows and V vectors of columns takes R * V for its sums, R for the rows of the left-hand
/// side, four terms in each, and V for a row of the panel. By LLVM's models of the processors, tiles of 2 vectors and
/// more reach 92 % of the peak on Neoverse N1 and 99 % on Neoverse V2; one vector is bound by its loads.
static constexpr int64_t rowsWith32Registers[] = {10, 8, 6, 5};

cpu::RegisterTiles ArmTarget::registerTiles(TargetAttr target) const {
  cpu::RegisterTiles tiles = {rowsWith32Registers, std::size(rowsWith32Registers), /*rowStep=*/120};
  tiles.multiplication.byLane = true;
  if (target.getFeatures().contains("+i8mm"))
    tiles.multiplication.dots.push_back("llvm.aarch64.neon.usdot.v4i32.v16i8");
  if (target.getFeatures().contains("+dotprod"))
    tiles.multiplication.dots.push_back("llvm.aarch64.neon.sdot.v4i32.v16i8");
  return tiles;
}

} // namespace mlc
