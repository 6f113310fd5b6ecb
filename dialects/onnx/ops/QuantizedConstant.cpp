#include "onnx/ops/QuantizedConstant.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "onnx/Constants.h"

using namespace mlir;

namespace mlc::onnx {

std::optional<QuantizedConstant> QuantizedConstant::of(Value w, Value zeroPoint, int64_t axis) {
  std::optional<ElementsAttr> elements = constantValue(w);
  auto type = elements ? dyn_cast<RankedTensorType>(elements->getType()) : RankedTensorType();
  if (!type || !type.getElementType().isInteger(8))
    return std::nullopt;
  QuantizedConstant constant;
  constant.w = w;
  constant.isUnsigned = onnx::isUnsigned(Lowering::element(w));
  constant.shape = cast<RankedTensorType>(w.getType()).getShape();
  constant.bytes = bytesOf(*elements, constant.storage);
  if (!zeroPoint)
    return constant;
  std::optional<ElementsAttr> zeros = constantValue(zeroPoint);
  if (!zeros || zeros->getElementType() != type.getElementType())
    return std::nullopt;
  int64_t count = zeros->getNumElements();
  if (count != 1 && (zeros->getShapedType().getRank() != 1 || axis >= type.getRank() || count != type.getDimSize(axis)))
    return std::nullopt;
  constant.zeroBytes = bytesOf(*zeros, constant.zeroStorage);
  if (llvm::all_of(constant.zeroBytes, [](char byte) { return byte == 0; }))
    constant.zeroBytes = {};
  if (count > 1)
    constant.inner = ShapedType::getNumElements(type.getShape().drop_front(axis + 1));
  return constant;
}

int64_t QuantizedConstant::at(int64_t index) const {
  auto number = [&](char byte) -> int64_t { return isUnsigned ? int64_t(uint8_t(byte)) : int64_t(int8_t(byte)); };
  if (zeroBytes.empty())
    return number(bytes[index]);
  return number(bytes[index]) - number(zeroBytes[index / inner % (int64_t)zeroBytes.size()]);
}

Value QuantizedConstant::centered(Lowering &l) const {
  if (zeroBytes.empty() && !isUnsigned)
    return l.broadcastable(w, l.known.extents(w));
  int64_t count = bytes.size();
  auto held = [&]<typename Element>(Element) -> Value {
    std::vector<Element> numbers(count);
    for (int64_t i = 0; i < count; ++i)
      numbers[i] = static_cast<Element>(at(i));
    auto type = RankedTensorType::get(shape, l.b.getIntegerType(8 * sizeof(Element)));
    ArrayRef<char> data(reinterpret_cast<const char *>(numbers.data()), count * sizeof(Element));
    return arith::ConstantOp::create(l.b, l.loc(), cast<TypedAttr>(constantOf(type, data)));
  };
  bool fitsByte = llvm::all_of(llvm::seq(count), [&](int64_t i) { return llvm::isInt<8>(at(i)); });
  return fitsByte ? held(int8_t()) : held(int16_t());
}

ElementsAttr QuantizedConstant::sums(int64_t outer, int64_t summed, int64_t inner, ArrayRef<int64_t> resultShape,
                                     int64_t factor) const {
  std::vector<int32_t> results(outer * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      int64_t sum = 0;
      for (int64_t s = 0; s < summed; ++s)
        sum += at((o * summed + s) * inner + i);
      results[o * inner + i] = static_cast<int32_t>(static_cast<uint32_t>(sum * factor));
    }
  auto type = RankedTensorType::get(resultShape, IntegerType::get(w.getContext(), 32));
  return constantOf(type, ArrayRef<char>(reinterpret_cast<const char *>(results.data()), results.size() * 4));
}

ElementsAttr QuantizedConstant::sumsFrom(int64_t axis, int64_t factor) const {
  ArrayRef<int64_t> kept = shape.take_front(axis);
  return sums(ShapedType::getNumElements(kept), ShapedType::getNumElements(shape.drop_front(axis)), 1, kept, factor);
}

ElementsAttr QuantizedConstant::sumsAlong(int64_t axis, int64_t factor) const {
  SmallVector<int64_t> kept(shape);
  kept.erase(kept.begin() + axis);
  return sums(ShapedType::getNumElements(shape.take_front(axis)), shape[axis],
              ShapedType::getNumElements(shape.drop_front(axis + 1)), kept, factor);
}

} // namespace mlc::onnx
