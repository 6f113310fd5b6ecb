// How loops are cut for x86.
#include "x86/X86.h"

using namespace mlir;

namespace mlc {

TilingAttr X86Target::tile(TilingInterface, TargetAttr) const { return nullptr; }

int64_t X86Target::panelWidth(Type element, int64_t columns, TargetAttr attr) const {
  int64_t lanes = attr.getVectorBytes() * 8 / element.getIntOrFloatBitWidth();
  return lanes * (attr.getVectorBytes() == 64 ? 4 : 2);
}

} // namespace mlc
