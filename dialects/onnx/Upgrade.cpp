// What upgrade rules are written with: the node under way, its attributes, and constants beside it.
#include "onnx/Rules.h"

using namespace mlir;

namespace mlc::onnx {

void Node::setOperand(unsigned index, Value value) {
  if (index >= operands.size())
    operands.resize(index + 1);
  operands[index] = value;
}

//===-- Attributes -------------------------------------------------------------===//

int64_t Node::integer(StringRef name, int64_t otherwise) const {
  auto value = dyn_cast_or_null<IntegerAttr>(attributes.get(name));
  return value ? value.getInt() : otherwise;
}

double Node::number(StringRef name, double otherwise) const {
  auto value = dyn_cast_or_null<FloatAttr>(attributes.get(name));
  return value ? value.getValueAsDouble() : otherwise;
}

StringRef Node::string(StringRef name, StringRef otherwise) const {
  auto value = dyn_cast_or_null<StringAttr>(attributes.get(name));
  return value ? value.getValue() : otherwise;
}

std::optional<SmallVector<int64_t>> Node::integers(StringRef name) const {
  Attribute value = attributes.get(name);
  if (auto list = dyn_cast_or_null<DenseI64ArrayAttr>(value))
    return SmallVector<int64_t>(list.asArrayRef());
  if (auto single = dyn_cast_or_null<IntegerAttr>(value))
    return SmallVector<int64_t>{single.getInt()};
  return std::nullopt;
}

std::optional<SmallVector<float>> Node::numbers(StringRef name) const {
  auto list = dyn_cast_or_null<DenseF32ArrayAttr>(attributes.get(name));
  return list ? std::optional(SmallVector<float>(list.asArrayRef())) : std::nullopt;
}

void Node::setInteger(StringRef name, int64_t value) { attributes.set(name, builder.getI64IntegerAttr(value)); }

//===-- Constants --------------------------------------------------------------===//

Value Node::constant(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({(int64_t)values.size()}, builder.getI64Type());
  return createConstant(builder, builder.getLoc(), DenseElementsAttr::get(type, values));
}

Value Node::scalar(Attribute value, Type element) {
  auto type = RankedTensorType::get({}, element);
  if (auto number = dyn_cast<FloatAttr>(value)) {
    double exact = number.getValueAsDouble();
    value =
        isa<FloatType>(element) ? Attribute(FloatAttr::get(element, exact)) : IntegerAttr::get(element, (int64_t)exact);
  } else {
    int64_t exact = cast<IntegerAttr>(value).getInt();
    value =
        isa<FloatType>(element) ? Attribute(FloatAttr::get(element, (double)exact)) : IntegerAttr::get(element, exact);
  }
  return createConstant(builder, builder.getLoc(), DenseElementsAttr::get(type, value));
}

void Node::attributeToOperand(StringRef name, unsigned index) {
  if (std::optional<SmallVector<int64_t>> values = integers(name))
    setOperand(index, constant(*values));
  attributes.erase(name);
}

//===-- Errors -----------------------------------------------------------------===//

InFlightDiagnostic Node::emitError() const {
  return mlir::emitError(builder.getLoc())
         << "operator '" << type << "' of " << (domain.empty() ? "ai.onnx" : domain) << ", opset " << opset << ", ";
}

} // namespace mlc::onnx
