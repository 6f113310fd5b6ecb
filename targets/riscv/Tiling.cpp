// How loops are cut for RISC-V.
#include "riscv/Riscv.h"

using namespace mlir;

namespace mlc {

/// A product with the left-hand side takes its factor from a scalar register, so that of 32 vector registers a tile of
/// R rows and V vectors of columns needs R * V for its sums and V for a row of the panel. LLVM loads up to four rows of
/// the panel ahead; taller tiles would spill.
static constexpr int64_t rowsWith32Registers[] = {12, 9, 6, 5};

void RiscvTarget::lower(OpPassManager &passes, TargetAttr attr) const {
  cpu::RegisterTiles tiles;
  tiles.rows = rowsWith32Registers;
  cpu::lower(passes, attr, tiles);
}

TilingAttr RiscvTarget::tile(TilingInterface root, TargetAttr) const {
  cpu::TileWork work;
  work.rowStep = 180;
  return cpu::tile(root, work);
}

int64_t RiscvTarget::panelWidth(Type element, int64_t columns, TargetAttr attr) const {
  return cpu::panelWidth(element, columns, attr, std::size(rowsWith32Registers));
}

} // namespace mlc
