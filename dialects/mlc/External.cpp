// mlc.external: what a call of a user's function must be like, and what it does to memory.
#include "mlc/Mlc.h"

using namespace mlir;

namespace mlc {

LogicalResult ExternalOp::verify() {
  ArrayRef<int32_t> types = getTypes();
  size_t present = llvm::count_if(types, [](int32_t type) { return type != 0; });
  if (present != getInputs().size() + getInits().size())
    return emitOpError("expects a type for each input and result, got ")
           << present << " for " << getInputs().size() << " inputs and " << getInits().size() << " results";
  if (llvm::is_contained(types.take_back(getInits().size()), 0))
    return emitOpError("expects all of its results to be there");
  for (NamedAttribute attribute : getAttributeValues())
    if (!isa<IntegerAttr, FloatAttr, StringAttr, DenseI64ArrayAttr, DenseF32ArrayAttr>(attribute.getValue()))
      return emitOpError("expects numbers, texts and lists of numbers as attributes, got ") << attribute.getValue();
  return success();
}

void ExternalOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  auto *resource = SideEffects::DefaultResource::get();
  for (OpOperand &input : getInputsMutable())
    if (isa<MemRefType>(input.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &input, resource);
  for (OpOperand &init : getInitsMutable())
    if (isa<MemRefType>(init.get().getType()))
      effects.emplace_back(MemoryEffects::Write::get(), &init, resource);
}

} // namespace mlc
