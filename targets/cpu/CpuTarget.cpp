#include "cpu/Cpu.h"
#include "cpu/DotProduct.h"

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

IntegerProduct CpuTarget::integerProduct(IntegerProduct factors, bool canShift, TargetAttr attr) const {
  for (StringRef name : registerTiles(attr).multiplication.dots) {
    const DotProduct &dot = *findDotProduct(name);
    bool fits = dot.bits >= factors.lhsBits && dot.bits >= factors.rhsBits;
    bool isExtended = dot.bits > factors.lhsBits;
    bool hasSign = dot.lhsIsUnsigned == factors.lhsIsUnsigned || (isExtended ? !dot.lhsIsUnsigned : canShift);
    if (fits && hasSign)
      return {dot.group, dot.bits, factors.rhsBits, dot.lhsIsUnsigned};
  }
  return factors;
}

void CpuTarget::lower(OpPassManager &passes, TargetAttr attr) const { cpu::lower(passes, attr, registerTiles(attr)); }

FailureOr<Binary> CpuTarget::emit(ModuleOp module, TargetAttr attr) const {
  return cpu::emit(module, attr, machine(attr));
}

} // namespace mlc::cpu
