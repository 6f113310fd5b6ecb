#include "onnx/ops/Labels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mlc::onnx {

DenseElementsAttr labelsOf(MLIRContext *context, std::optional<ArrayAttr> strings,
                           std::optional<ArrayRef<int64_t>> integers) {
  auto typeOf = [](size_t count, Type element) { return RankedTensorType::get({(int64_t)count}, element); };
  if (strings && !strings->empty()) {
    auto texts =
        llvm::map_to_vector(strings->getAsRange<StringAttr>(), [](StringAttr text) { return text.getValue(); });
    return DenseElementsAttr::get(typeOf(texts.size(), StringType::get(context)), ArrayRef<StringRef>(texts));
  }
  ArrayRef<int64_t> numbers = integers.value_or(ArrayRef<int64_t>());
  return DenseElementsAttr::get(typeOf(numbers.size(), IntegerType::get(context, 64)), numbers);
}

DenseElementsAttr onlyLabel(MLIRContext *context, std::optional<ArrayAttr> strings, int64_t positive) {
  if (!strings || strings->empty())
    return labelsOf(context, std::nullopt, ArrayRef<int64_t>{0, positive});
  Builder b(context);
  return labelsOf(context, b.getArrayAttr({b.getStringAttr(""), (*strings)[0]}), std::nullopt);
}

Value labelsAt(Lowering &l, Value positions, DenseElementsAttr labels) {
  Value table = *l.constant(labels);
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), positions);
  return l.elementwise(extents, labels.getElementType(), {positions}, {l.b.getI64Type()},
                       [&](Scalars &s, ValueRange args) -> Value {
                         Value place = s.make<arith::IndexCastOp>(s.b.getIndexType(), args[0]);
                         return s.make<tensor::ExtractOp>(table, place);
                       });
}

} // namespace mlc::onnx
