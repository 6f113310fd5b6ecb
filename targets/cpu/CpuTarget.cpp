#include "cpu/Cpu.h"

using namespace mlir;

namespace mlc::cpu {

TilingAttr CpuTarget::tile(TilingInterface root, TargetAttr attr) const {
  TileWork work;
  work.rowStep = registerTiles(attr).rowStep;
  return cpu::tile(root, work);
}

int64_t CpuTarget::panelWidth(Type element, int64_t columns, TargetAttr attr) const {
  return cpu::panelWidth(element, columns, attr, registerTiles(attr).panelVectors);
}

void CpuTarget::lower(OpPassManager &passes, TargetAttr attr) const { cpu::lower(passes, attr, registerTiles(attr)); }

FailureOr<Binary> CpuTarget::emit(ModuleOp module, TargetAttr attr) const {
  return cpu::emit(module, attr, machine(attr));
}

} // namespace mlc::cpu
