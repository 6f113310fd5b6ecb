// Operators of ai.onnx.ml that prepare features: Binarizer, FeatureVectorizer, Imputer, Normalizer, OneHotEncoder,
// Scaler.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Labels.h"
#include "onnx/ops/Lookup.h"
#include "onnx/ops/Reduce.h"
#include "onnx/ops/Scores.h"
#include <set>

using namespace mlir;

namespace mlc::onnx {

/// The axis along which numbers are given: the last one.
static SmallVector<int64_t> lastAxis(Lowering &l, Value x) { return {l.rank(x) - 1}; }

static SmallVector<int64_t> allAxes(Lowering &l, Value x) { return llvm::to_vector(llvm::seq<int64_t>(0, l.rank(x))); }

/// Numbers of an attribute, one for all features or one for each: to be read along the features.
static FailureOr<Along> alongFeatures(Lowering &l, Value x, StringRef name, ArrayRef<double> numbers, Type element) {
  if (l.rank(x) == 0)
    return l.op->emitOpError("expects X of rank 1 at least, got ") << x.getType();
  Extent features = l.known.extents(x).back();
  if (numbers.size() != 1) {
    if (!l.known.math.mayBeEqual(features, l.known.math.constant(numbers.size())))
      return l.op->emitOpError("expects ")
             << name << " of length 1 or " << l.known.math.print(features) << ", got " << numbers.size();
    l.expectExtent(features, l.known.math.constant(numbers.size()), "the features of X");
  }
  return Along{tableOf(l, (int64_t)numbers.size(), numbers, element), element, lastAxis(l, x)};
}

//===-- Scaler, Binarizer -------------------------------------------------------------------===//

template <typename Op> static FailureOr<Extents> shapeOfX(Op op, Known &known) {
  return Extents(known.extents(op.getX()));
}

static FailureOr<Value> lowerScaler(MlScalerOp op, Lowering &l) {
  Type f32 = l.b.getF32Type(), element = Lowering::element(op.getX());
  auto numbers = [](std::optional<ArrayRef<float>> list, double otherwise) {
    return list && !list->empty() ? SmallVector<double>(*list) : SmallVector<double>{otherwise};
  };
  FailureOr<Along> offset = alongFeatures(l, op.getX(), "offset", numbers(op.getOffset(), 0), f32);
  FailureOr<Along> scale =
      failed(offset) ? FailureOr<Along>() : alongFeatures(l, op.getX(), "scale", numbers(op.getScale(), 1), f32);
  if (failed(scale))
    return failure();
  Along x{l(op.getX()), element, allAxes(l, op.getX())};
  return l.elementwise(l.extents(op.getX()), f32, {x, *offset, *scale}, [&](Scalars &s, ValueRange args) -> Value {
    Value difference = s.make<arith::SubFOp>(castScalar(s, args[0], element, f32), args[1]);
    return s.make<arith::MulFOp>(difference, args[2]);
  });
}

static FailureOr<Value> lowerBinarizer(MlBinarizerOp op, Lowering &l) {
  double threshold = op.getThreshold().convertToDouble();
  Type element = Lowering::element(op.getX());
  return l.elementwise(op.getY(), op.getX(), [&](Scalars &s, ValueRange args) -> Value {
    Type f64 = s.b.getF64Type();
    // As doubles, in which every float and every threshold is exact.
    Value isGreater = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, castScalar(s, args[0], element, f64),
                                            s.constant(threshold, f64));
    return castScalar(s, isGreater, s.b.getI1Type(), element);
  });
}

//===-- Imputer -------------------------------------------------------------------------------===//

static FailureOr<Value> lowerImputer(MlImputerOp op, Lowering &l) {
  Type element = Lowering::element(op.getX());
  bool isReal = isFloat(element);
  SmallVector<double> values;
  if (isReal)
    values.assign(op.getImputedValueFloats().value_or(ArrayRef<float>()).begin(),
                  op.getImputedValueFloats().value_or(ArrayRef<float>()).end());
  else
    for (int64_t value : op.getImputedValueInt64s().value_or(ArrayRef<int64_t>()))
      values.push_back(value);
  if (values.empty())
    return op.emitOpError("expects ") << (isReal ? "imputed_value_floats" : "imputed_value_int64s");
  FailureOr<Along> imputed = alongFeatures(l, op.getX(), "imputed values", values, element);
  if (failed(imputed))
    return failure();
  double replaced = op.getReplacedValueFloat().convertToDouble();
  Along x{l(op.getX()), element, allAxes(l, op.getX())};
  return l.elementwise(l.extents(op.getX()), element, {x, *imputed}, [&](Scalars &s, ValueRange args) -> Value {
    Value isMissing;
    if (!isReal)
      isMissing = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, args[0],
                                        s.make<arith::ConstantIntOp>(args[0].getType(), op.getReplacedValueInt64()));
    else if (std::isnan(replaced))
      isMissing = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, args[0], args[0]);
    else
      isMissing = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, args[0], s.constant(replaced));
    return s.make<arith::SelectOp>(isMissing, args[1], args[0]);
  });
}

//===-- Normalizer ------------------------------------------------------------------------------===//

static FailureOr<Value> lowerNormalizer(MlNormalizerOp op, Lowering &l) {
  StringRef norm = op.getNorm();
  if (norm != "MAX" && norm != "L1" && norm != "L2")
    return op.emitOpError("expects norm MAX, L1 or L2, got '") << norm << "'";
  if (failed(rowsAndFeatures(op, op.getX(), l.known)))
    return failure();
  Type f32 = l.b.getF32Type();
  Value x = l(op.getX());
  Type element = Lowering::element(op.getX());
  if (element != f32)
    x = l.cast(x, element, f32);
  int64_t rank = l.rank(op.getX());
  SmallVector<int64_t> axis = lastAxis(l, op.getX());
  // Of MAX, the specification means the largest element, not the largest magnitude.
  auto load = [&](Scalars &s, ValueRange args) -> Value {
    return norm == "L2" ? s.make<arith::MulFOp>(args[0], args[0]) : s.make<math::AbsFOp>(args[0]);
  };
  auto sum = [](Scalars &s, ValueRange args) { return scalar<arith::AddFOp>(s, args); };
  Value size = norm == "MAX" ? maximumAlong(l, x, f32, axis) : l.fold(x, f32, axis, f32, l.scalar(0, f32), load, sum);
  Along each{x, f32, allAxes(l, op.getX())}, whole{size, f32, otherAxes(rank, axis)};
  return l.elementwise(l.extents(op.getX()), f32, {each, whole}, [&](Scalars &s, ValueRange args) -> Value {
    Value length = norm == "L2" ? s.make<math::SqrtOp>(args[1]) : args[1];
    Value isZero = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, length, s.constant(0));
    return s.make<arith::SelectOp>(isZero, args[0], s.make<arith::DivFOp>(args[0], length));
  });
}

//===-- OneHotEncoder ---------------------------------------------------------------------------===//

static DenseElementsAttr categoriesOf(MlOneHotEncoderOp op) {
  return labelsOf(op.getContext(), op.getCatsStrings(), op.getCatsInt64s());
}

static FailureOr<Extents> shapeOfOneHotEncoder(MlOneHotEncoderOp op, Known &known) {
  DenseElementsAttr categories = categoriesOf(op);
  bool isText = isa<StringType>(Lowering::element(op.getX()));
  if (categories.empty() || isText != isa<StringType>(categories.getElementType()))
    return op.emitOpError("expects ") << (isText ? "cats_strings for strings" : "cats_int64s for numbers");
  Extents extents(known.extents(op.getX()));
  extents.push_back(known.math.constant(categories.size()));
  return extents;
}

static FailureOr<Value> lowerOneHotEncoder(MlOneHotEncoderOp op, Lowering &l) {
  Type element = Lowering::element(op.getX()), i64 = l.b.getI64Type(), f32 = l.b.getF32Type();
  DenseElementsAttr categories = categoriesOf(op);
  int64_t rank = l.rank(op.getX());
  Value x = l(op.getX());
  bool isLookedUp = isa<StringType>(element); // once
  if (!isLookedUp) {
    auto numbers = categories.getValues<int64_t>();
    // Of a number that is there several times, the last place counts.
    isLookedUp = std::set<int64_t>(numbers.begin(), numbers.end()).size() < (size_t)categories.size();
    if (element != i64)
      x = l.cast(x, element, i64);
  }
  if (isLookedUp) {
    x = placesIn(l, x, categories);
    auto places = llvm::to_vector(llvm::seq<int64_t>(0, categories.size()));
    categories = DenseElementsAttr::get(categories.getType().clone(i64), ArrayRef<int64_t>(places));
  }
  Along each{x, i64, allAxes(l, op.getX())};
  Along category{*l.constant(categories), i64, {rank}};
  Value result = l.elementwise(l.extents(op.getY()), f32, {each, category}, [&](Scalars &s, ValueRange args) -> Value {
    Value isEqual = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, args[0], args[1]);
    return castScalar(s, isEqual, s.b.getI1Type(), f32);
  });
  if (op.getZeros())
    return result;
  // Each element must have a category.
  auto largest = [](Scalars &s, ValueRange args) { return scalar<arith::MaximumFOp>(s, args); };
  auto least = [](Scalars &s, ValueRange args) { return scalar<arith::MinimumFOp>(s, args); };
  Value found = l.fold(result, f32, rank, f32, l.scalar(0, f32), nullptr, largest);
  Value all = l.fold(found, f32, allAxes(l, op.getX()), f32, l.scalar(1, f32), nullptr, least);
  Value flag = tensor::ExtractOp::create(l.b, l.loc(), all, ValueRange{});
  Value isComplete = arith::CmpFOp::create(l.b, l.loc(), arith::CmpFPredicate::OEQ, flag, l.scalar(1, f32));
  l.check(isComplete, "expects elements that are among its categories, as zeros = 0 demands", {});
  return result;
}

//===-- FeatureVectorizer -----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfFeatureVectorizer(MlFeatureVectorizerOp op, Known &known) {
  ArrayRef<int64_t> widths = op.getInputdimensions().value_or(ArrayRef<int64_t>());
  if (widths.size() != op.getX().size())
    return op.emitOpError("expects inputdimensions for each of its ")
           << op.getX().size() << " operands, got " << widths.size();
  int64_t all = 0;
  for (auto [x, width] : llvm::zip_equal(op.getX(), widths)) {
    if (width < 0)
      return op.emitOpError("expects inputdimensions that are not negative, got ") << width;
    if (known.rank(x) == 0)
      return op.emitOpError("expects operands of rank 1 at least, got ") << x.getType();
    all += width;
  }
  // What is behind the first axis are columns, however many axes it has; an operand of rank 1 is a single one.
  return Extents{known.extents(op.getX().front())[0], known.math.constant(all)};
}

static FailureOr<Value> lowerFeatureVectorizer(MlFeatureVectorizerOp op, Lowering &l) {
  Type f32 = l.b.getF32Type();
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  Value result = l.filled(extents, l.scalar(0, f32));
  int64_t first = 0;
  for (auto [x, width] : llvm::zip_equal(op.getX(), *op.getInputdimensions())) {
    if (width == 0)
      continue;
    l.expectExtent(l.known.extents(x)[0], l.known.extents(op.getY())[0], "the rows of each operand");
    ArrayRef<Extent> shape = l.known.extents(x);
    Extents own = {shape[0], l.known.math.product(shape.drop_front())};
    Value columns = l.reshape(l(x), shape, own);
    if (Type element = Lowering::element(x); element != f32)
      columns = l.cast(columns, element, f32);
    // As many as are wanted, or fewer: the rest stays 0.
    OpFoldResult count = min(Index(l, own[1]), Index(l, width));
    SmallVector<OpFoldResult> sizes = {extents[0], count};
    Value part = l.slice(columns, {zero, zero}, sizes, {one, one});
    result = l.insert(part, result, {zero, l.b.getIndexAttr(first)}, sizes);
    first += width;
  }
  return result;
}

void addFeaturesRules(Rules &rules) {
  rules.op<MlBinarizerOp>().shape(shapeOfX<MlBinarizerOp>).lower(lowerBinarizer);
  rules.op<MlFeatureVectorizerOp>().shape(shapeOfFeatureVectorizer).lower(lowerFeatureVectorizer);
  rules.op<MlImputerOp>().shape(shapeOfX<MlImputerOp>).lower(lowerImputer);
  rules.op<MlNormalizerOp>().shape(shapeOfX<MlNormalizerOp>).lower(lowerNormalizer);
  rules.op<MlOneHotEncoderOp>().shape(shapeOfOneHotEncoder).lower(lowerOneHotEncoder);
  rules.op<MlScalerOp>().shape(shapeOfX<MlScalerOp>).lower(lowerScaler);
}

} // namespace mlc::onnx
