// Operators that replace values by others: LabelEncoder, CategoryMapper.
//
//   %y = onnx.ml.LabelEncoder(%x)   =>   linalg.generic { %i = mlc.service "find_string"(%x, %table)
//                                                         select(%i < 0, default, %values[%i]) }
#include "onnx/ops/Lookup.h"
#include "mlc/Mlc.h"
#include "mlc/abi.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Labels.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Tables --------------------------------------------------------------------------===//

static void put(std::string &text, int64_t number) { text.append(reinterpret_cast<const char *>(&number), 8); }

std::string stringTable(ArrayRef<std::pair<StringRef, int64_t>> entries) {
  std::map<StringRef, int64_t> sorted;
  for (auto [key, value] : entries)
    sorted[key] = value;
  static_assert(sizeof(mlc_string_table) == 8);
  std::string text, keys;
  put(text, sorted.size());
  for (auto [key, value] : sorted) {
    put(text, 8 + sorted.size() * 24 + keys.size());
    put(text, key.size());
    put(text, value);
    keys += key;
  }
  return text + keys;
}

std::string numberTable(ArrayRef<std::pair<int64_t, int64_t>> entries) {
  std::map<int64_t, int64_t> sorted;
  for (auto [key, value] : entries)
    sorted[key] = value;
  static_assert(sizeof(mlc_number_table) == 8);
  std::string text;
  put(text, sorted.size());
  for (auto [key, value] : sorted) {
    put(text, key);
    put(text, value);
  }
  return text;
}

Value findIn(OpBuilder &b, Location loc, Value key, Value table) {
  StringRef name = isa<mlc::StringType>(key.getType()) ? "find_string" : "find_number";
  return ServiceOp::create(b, loc, TypeRange(b.getI64Type()), name, ValueRange{key, table}).getResult();
}

//===-- Keys of any type ----------------------------------------------------------------------===//

/// Floats are found by the bits of the f64 that they are; all NaNs are one, and so are the zeros.
static int64_t keyOf(const APFloat &number) {
  APFloat wide = number;
  bool losesInfo;
  wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  if (wide.isNaN())
    return INT64_MIN;
  return wide.isZero() ? 0 : wide.bitcastToAPInt().getSExtValue();
}

/// The same of a computed element.
static Value keyOf(OpBuilder &b, Location loc, Value element, Type type) {
  if (isa<StringType>(type))
    return element;
  Scalars s{b, loc, type};
  if (!isFloat(type))
    return castScalar(s, element, type, b.getI64Type());
  Type f64 = b.getF64Type(), i64 = b.getI64Type();
  Value wide = castScalar(s, element, type, f64), zero = s.constant(0, f64);
  Value bits = s.make<arith::BitcastOp>(i64, wide);
  Value isZero = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, wide, zero);
  Value isNaN = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, wide, wide);
  bits = s.make<arith::SelectOp>(isZero, arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0)), bits);
  return s.make<arith::SelectOp>(isNaN, arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(INT64_MIN)), bits);
}

std::optional<std::string> tableOfPlaces(ElementsAttr keys) {
  auto dense = dyn_cast<DenseElementsAttr>(keys);
  if (!dense)
    return std::nullopt;
  if (isa<StringType>(keys.getElementType())) {
    SmallVector<std::pair<StringRef, int64_t>> entries;
    for (StringRef key : dense.getValues<StringRef>())
      entries.emplace_back(key, entries.size());
    return stringTable(entries);
  }
  SmallVector<std::pair<int64_t, int64_t>> entries;
  if (isa<FloatType>(keys.getElementType()))
    for (const APFloat &key : dense.getValues<APFloat>())
      entries.emplace_back(keyOf(key), entries.size());
  else
    for (const APInt &key : dense.getValues<APInt>())
      entries.emplace_back(isUnsigned(keys.getElementType()) ? key.getZExtValue() : key.getSExtValue(), entries.size());
  return numberTable(entries);
}

Value placesIn(Lowering &l, Value elements, DenseElementsAttr keys) {
  Value table = TextOp::create(l.b, l.loc(), *tableOfPlaces(keys));
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), elements);
  Type element = keys.getElementType(), i64 = l.b.getI64Type();
  return l.elementwise(extents, i64, {elements}, {element}, [&](Scalars &s, ValueRange args) {
    return findIn(s.b, s.loc, keyOf(s.b, s.loc, args[0], element), table);
  });
}

//===-- LabelEncoder, CategoryMapper --------------------------------------------------===//

namespace {
/// What an operator replaces by what, in one form; null where it has no such list.
struct Labels {
  ElementsAttr keys, values, otherwise;
};
} // namespace

static Labels labelsOf(MlLabelEncoderOp op) {
  Builder b(op.getContext());
  Type string = StringType::get(op.getContext());
  auto list = [](Type element, auto values) {
    return ElementsAttr(DenseElementsAttr::get(RankedTensorType::get({(int64_t)values.size()}, element), values));
  };
  auto strings = [&](ArrayAttr texts) {
    auto text = llvm::map_to_vector(texts.getAsRange<StringAttr>(), [](StringAttr t) { return t.getValue(); });
    return list(string, ArrayRef<StringRef>(text));
  };
  auto either = [&](std::optional<ElementsAttr> tensor, std::optional<ArrayAttr> texts,
                    std::optional<ArrayRef<int64_t>> integers, std::optional<ArrayRef<float>> floats) {
    if (tensor)
      return *tensor;
    if (texts)
      return strings(*texts);
    if (integers)
      return list(b.getI64Type(), *integers);
    return floats ? list(b.getF32Type(), *floats) : ElementsAttr();
  };
  Labels labels;
  labels.keys = either(op.getKeysTensor(), op.getKeysStrings(), op.getKeysInt64s(), op.getKeysFloats());
  labels.values = either(op.getValuesTensor(), op.getValuesStrings(), op.getValuesInt64s(), op.getValuesFloats());
  Type value = Lowering::element(op.getY());
  auto scalar = RankedTensorType::get({1}, value);
  if (op.getDefaultTensor())
    labels.otherwise = *op.getDefaultTensor();
  else if (isa<StringType>(value))
    labels.otherwise = list(string, ArrayRef<StringRef>{op.getDefaultString()});
  else if (isFloat(value))
    labels.otherwise = DenseElementsAttr::get(scalar, b.getFloatAttr(value, op.getDefaultFloat().convertToDouble()));
  else
    labels.otherwise = DenseElementsAttr::get(scalar, b.getIntegerAttr(value, op.getDefaultInt64()));
  return labels;
}

/// Each key replaced by its value, and anything else by `otherwise`.
static FailureOr<Value> lowerLabels(Lowering &l, Value x, Value y, const Labels &labels) {
  Type from = Lowering::element(x), to = Lowering::element(y);
  if (!labels.keys || !labels.values)
    return l.op->emitOpError("expects keys and values");
  if (labels.keys.getNumElements() != labels.values.getNumElements())
    return l.op->emitOpError("expects as many values as keys, got ")
           << labels.values.getNumElements() << " and " << labels.keys.getNumElements();
  if (labels.keys.getElementType() != from || labels.values.getElementType() != to ||
      labels.otherwise.getElementType() != to || labels.otherwise.getNumElements() != 1)
    return l.op->emitOpError("expects keys of type ")
           << from << ", values and one default of type " << to << ", got " << labels.keys.getElementType() << ", "
           << labels.values.getElementType() << " and " << labels.otherwise.getType();
  std::optional<std::string> table = tableOfPlaces(labels.keys);
  if (!table)
    return l.unsupported("keys of this kind of attribute");
  FailureOr<Value> values = l.constant(labels.values), otherwise = l.constant(labels.otherwise);
  if (failed(values) || failed(otherwise))
    return failure();
  OpBuilder &b = l.b;
  Value keys = TextOp::create(b, l.loc(), *table), zero = l.index(int64_t(0));
  SmallVector<Value> first(labels.otherwise.getShapedType().getRank(), zero);
  Value fallback = b.createOrFold<tensor::ExtractOp>(l.loc(), *otherwise, first);
  if (labels.values.getNumElements() == 0)
    return l.filled(l.extents(y), fallback);
  *values = l.reshape(*values, {b.getIndexAttr(labels.values.getNumElements())});
  return l.elementwise(y, x, [&](Scalars &s, ValueRange args) {
    Value place = findIn(s.b, s.loc, keyOf(s.b, s.loc, args[0], from), keys);
    Value none = s.constant(0, s.b.getI64Type());
    Value isThere = s.make<arith::CmpIOp>(arith::CmpIPredicate::sge, place, none);
    Value index = s.make<arith::IndexCastOp>(s.b.getIndexType(), s.make<arith::MaxSIOp>(place, none));
    Value stored = s.make<arith::SelectOp>(isThere, s.make<tensor::ExtractOp>(*values, ValueRange(index)), fallback);
    return loadScalar(s.b, s.loc, stored, to);
  });
}

static FailureOr<Value> lowerCategoryMapper(MlCategoryMapperOp op, Lowering &l) {
  MLIRContext *context = op.getContext();
  DenseElementsAttr strings = labelsOf(context, op.getCatsStrings(), std::nullopt),
                    integers = labelsOf(context, std::nullopt, op.getCatsInt64s());
  if (strings.empty() || integers.empty())
    return op.emitOpError("expects cats_strings and cats_int64s");
  if (isa<StringType>(Lowering::element(op.getX())))
    return lowerLabels(l, op.getX(), op.getY(),
                       {strings, integers, labelsOf(context, std::nullopt, ArrayRef<int64_t>{op.getDefaultInt64()})});
  Builder b(context);
  DenseElementsAttr otherwise = labelsOf(context, b.getStrArrayAttr({op.getDefaultString()}), std::nullopt);
  return lowerLabels(l, op.getX(), op.getY(), {integers, strings, otherwise});
}

void addLookupRules(Rules &rules) {
  rules.op<MlLabelEncoderOp>()
      .shape([](MlLabelEncoderOp op, Known &known) { return shapeOfFirst(op, known); })
      .lower([](MlLabelEncoderOp op, Lowering &l) { return lowerLabels(l, op.getX(), op.getY(), labelsOf(op)); });
  rules.op<MlCategoryMapperOp>()
      .shape([](MlCategoryMapperOp op, Known &known) { return shapeOfFirst(op, known); })
      .lower(lowerCategoryMapper);
}

} // namespace mlc::onnx
