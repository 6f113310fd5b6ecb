// How loops are cut for RISC-V.
#include "riscv/Riscv.h"

using namespace mlir;

namespace mlc {

/// A product with the left-hand side takes its factor from a scalar register, so that of 32 vector registers a tile of
/// R rows and V vectors of columns needs R * V for its sums and V for a row of the panel. LLVM loads up to four rows of
/// the panel ahead; taller tiles would spill.
static constexpr int64_t rowsWith32Registers[] = {12, 9, 6, 5};

cpu::RegisterTiles RiscvTarget::registerTiles(TargetAttr) const {
  cpu::RegisterTiles tiles = {rowsWith32Registers, std::size(rowsWith32Registers), /*rowStep=*/180};
  return tiles;
}

} // namespace mlc
