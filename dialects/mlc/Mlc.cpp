#include "mlc/Mlc.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "mlc/MlcDialect.cpp.inc"
#include "mlc/MlcEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mlc/MlcAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "mlc/MlcTypes.cpp.inc"

#define GET_OP_CLASSES
#include "mlc/MlcOps.cpp.inc"

namespace mlc {

void MlcDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "mlc/MlcTypes.cpp.inc"
      >();
}

void ServiceOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  if (!getResult())
    effects.emplace_back(MemoryEffects::Write::get());
}

void MlcDialect::initialize() {
  registerTypes();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mlc/MlcAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mlc/MlcOps.cpp.inc"
      >();
}

} // namespace mlc
