#include "OnnxTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "onnx/Onnx.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace mlc {

/// As mlc_type_name() spells them.
static std::string formatElementType(Type type) {
  if (type.isInteger(1))
    return "bool";
  if (type.isBF16())
    return "bfloat16";
  if (isa<Float16Type, Float32Type, Float64Type>(type))
    return "float" + std::to_string(type.getIntOrFloatBitWidth());
  if (auto integer = dyn_cast<IntegerType>(type))
    return (integer.isUnsigned() ? "uint" : "int") + std::to_string(integer.getWidth());
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? "complex64" : "complex128";
  if (isa<onnx::StringType>(type))
    return "string";
  std::string text;
  llvm::raw_string_ostream(text) << type; // f8E4M3FN
  return "float" + StringRef(text).drop_front().lower();
}

std::string formatOnnxType(Type type, ArrayAttr dims) {
  if (auto sequence = dyn_cast<onnx::SequenceType>(type))
    return "sequence of " + formatOnnxType(sequence.getElement());
  if (auto optional = dyn_cast<onnx::OptionalType>(type))
    return "optional " + formatOnnxType(optional.getElement());
  if (auto map = dyn_cast<onnx::MapType>(type))
    return "map from " + formatElementType(map.getKey()) + " to " + formatOnnxType(map.getValue());
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor)
    return formatElementType(type);
  std::string element = formatElementType(tensor.getElementType());
  if (!tensor.hasRank())
    return element + " of unknown rank";
  if (tensor.getRank() == 0)
    return element + " scalar";
  SmallVector<std::string> extents;
  for (auto [axis, extent] : llvm::enumerate(tensor.getShape())) {
    StringRef name = dims && axis < dims.size() ? cast<StringAttr>(dims[axis]).getValue() : StringRef();
    bool isKnown = !ShapedType::isDynamic(extent);
    extents.push_back(isKnown ? std::to_string(extent) : name.empty() ? "?" : name.str());
  }
  return element + " " + llvm::join(extents, "x");
}

} // namespace mlc
