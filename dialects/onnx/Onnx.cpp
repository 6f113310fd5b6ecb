#include "onnx/Onnx.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
using namespace mlir;
#include "onnx/OnnxDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "onnx/OnnxTypes.cpp.inc"
namespace mlc::onnx {
void OnnxDialect::initialize() {
  registerTypes();
  registerOnnxDialectOperations(this);
}
void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "onnx/OnnxTypes.cpp.inc"
      >();
}
static Type withoutShape(Type type) {
  if (auto tensor = dyn_cast<TensorType>(type))
    return UnrankedTensorType::get(tensor.getElementType());
  if (auto sequence = dyn_cast<SequenceType>(type))
    return SequenceType::get(type.getContext(), withoutShape(sequence.getElement()));
  if (auto optional = dyn_cast<OptionalType>(type))
    return OptionalType::get(type.getContext(), withoutShape(optional.getElement()));
  return type;
}
bool haveOneType(std::initializer_list<ValueRange> ports) {
  Type first;
  for (ValueRange values : ports)
    for (Type type : values.getTypes()) {
      type = withoutShape(type);
      if (!first)
        first = type;
      if (first != type)
        return false;
    }
  return true;
}
} // namespace mlc::onnx
