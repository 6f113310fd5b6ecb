// Resize: the nearest element, or a sum of the elements around, weighted linearly or cubically.
//
// Each axis is resized by itself. What depends on its places only is computed first, in small tensors: which elements a
// place takes, and with which weights; coordinate modes, antialiasing and the treatment of the edges are all in there.
// Then one operation for each axis gathers them. Where the nearest element is repeated a whole number of times nothing
// is computed:
//
//   %y = onnx.Resize(%x, _, %scales)        2 x 2, nearest
//   =>
//   %r = linalg.generic: r[n, c, y, i, x, j] = x[n, c, y, x]
//   %y = tensor.collapse_shape %r
//
// Numbers are computed in f32, as runtimes do, so that the same elements are nearest.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/Constants.h"
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Shape ------------------------------------------------------------------===//

namespace {
/// An axis that is resized.
struct Axis {
  int64_t axis;
  Extent in, out;             ///< out is null where only the run tells
  std::optional<float> scale; ///< where it is fixed
};
} // namespace

static std::optional<SmallVector<float>> constantFloats(Value value) {
  std::optional<ElementsAttr> elements = constantValue(value);
  if (!elements || !elements->getElementType().isF32())
    return std::nullopt;
  std::vector<char> storage;
  ArrayRef<char> bytes = bytesOf(*elements, storage);
  SmallVector<float> result(elements->getNumElements());
  std::memcpy(result.data(), bytes.data(), result.size() * sizeof(float));
  return result;
}

/// A positive number without its fraction; fails, with an error, if 64 bits do not hold it.
static FailureOr<int64_t> asExtent(ResizeOp op, double number, double scale, int64_t in) {
  constexpr double beyond = 0x1p63;
  if (number < beyond)
    return (int64_t)std::floor(number);
  return op.emitOpError("expects scales whose results 64 bits can hold, got ") << scale << " for an extent of " << in;
}

/// floor(in * scale) as an expression; null if that is not exact for any extent.
static FailureOr<Extent> scaledExtent(ResizeOp op, ExtentMath &math, Extent in, float scale) {
  if (std::optional<int64_t> fixed = ExtentMath::asConstant(in)) {
    FailureOr<int64_t> out = asExtent(op, (float)*fixed * scale, scale, *fixed);
    return failed(out) ? FailureOr<Extent>() : math.constant(*out);
  }
  for (int64_t denominator = 1; denominator <= 256; denominator *= 2)
    if (float numerator = scale * denominator; numerator == std::floor(numerator) && numerator <= 4096)
      return math.floorDiv(math.mul(in, math.constant((int64_t)numerator)), math.constant(denominator));
  return Extent();
}

/// The number of elements in scales or sizes is that of the axes.
static LogicalResult checkCount(ResizeOp op, Known &known, Value list, StringRef name, size_t count) {
  if (known.rank(list) == 1 && known.math.mayBeEqual(known.extents(list)[0], known.math.constant(count)))
    return success();
  return op.emitOpError("expects ") << name << " of " << count << " elements, one for each axis, got "
                                    << list.getType();
}

/// The common scale of all axes that keeps the aspect ratio; none if it is not fixed.
static std::optional<double> commonScale(ArrayRef<Axis> axes, ArrayRef<Extent> sizes, bool largest) {
  std::optional<double> result;
  for (auto [axis, size] : llvm::zip_equal(axes, sizes)) {
    std::optional<int64_t> in = ExtentMath::asConstant(axis.in), wanted = ExtentMath::asConstant(size);
    if (!in || !wanted || *in == 0)
      return std::nullopt;
    double scale = (double)*wanted / *in;
    result = !result ? scale : largest ? std::max(*result, scale) : std::min(*result, scale);
  }
  return result;
}

static FailureOr<SmallVector<Axis>> resizedAxes(ResizeOp op, Known &known) {
  ArrayRef<Extent> extents = known.extents(op.getX());
  SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, extents.size()));
  if (op.getAxes()) {
    // The order of the axes is that of scales and sizes.
    if (failed(normalizedAxes(op, *op.getAxes(), extents.size())))
      return failure();
    numbers = llvm::map_to_vector(*op.getAxes(), [&](int64_t axis) { return *normalizedAxis(axis, extents.size()); });
  }
  auto axes = llvm::map_to_vector(numbers, [&](int64_t axis) { return Axis{axis, extents[axis], Extent(), {}}; });
  if (!op.getScales() == !op.getSizes())
    return op.emitOpError("expects either scales or sizes, got ") << (op.getScales() ? "both" : "none");
  ExtentMath &math = known.math;
  if (op.getScales()) {
    if (failed(checkCount(op, known, op.getScales(), "scales", axes.size())))
      return failure();
    std::optional<SmallVector<float>> scales = constantFloats(op.getScales());
    if (!scales || scales->size() != axes.size())
      return axes;
    for (auto [axis, scale] : llvm::zip_equal(axes, *scales)) {
      if (!(scale > 0) || std::isinf(scale))
        return op.emitOpError("expects positive scales, got ") << scale;
      FailureOr<Extent> out = scaledExtent(op, math, axis.in, scale);
      if (failed(out))
        return failure();
      axis.scale = scale;
      axis.out = *out;
    }
    return axes;
  }
  if (failed(checkCount(op, known, op.getSizes(), "sizes", axes.size())))
    return failure();
  std::optional<Extents> sizes = known.elementsOrSymbols(op.getSizes());
  if (!sizes || sizes->size() != axes.size())
    return axes;
  StringRef policy = op.getKeepAspectRatioPolicy();
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller")
    return op.emitOpError("expects keep_aspect_ratio_policy stretch, not_larger or not_smaller, got '")
           << policy << "'";
  std::optional<double> common =
      policy == "stretch" ? std::nullopt : commonScale(axes, *sizes, policy == "not_smaller");
  for (auto [axis, size] : llvm::zip_equal(axes, *sizes)) {
    std::optional<int64_t> in = ExtentMath::asConstant(axis.in);
    if (policy == "stretch")
      axis.out = size;
    else if (common) {
      FailureOr<int64_t> out = asExtent(op, *common * *in + 0.5, *common, *in);
      if (failed(out))
        return failure();
      axis.out = math.constant(*out);
    }
    std::optional<int64_t> out = axis.out ? ExtentMath::asConstant(axis.out) : std::nullopt;
    if (common)
      axis.scale = *common;
    else if (in && out && *in > 0)
      axis.scale = (float)*out / (float)*in;
  }
  return axes;
}

static FailureOr<Facts> shapeOfResize(ResizeOp op, Known &known) {
  FailureOr<SmallVector<Axis>> axes = resizedAxes(op, known);
  if (failed(axes))
    return failure();
  Extents result(known.extents(op.getX()));
  for (const Axis &axis : *axes) {
    bool isFilled = axis.out && ExtentMath::asConstant(axis.out).value_or(0) > 0;
    if (ExtentMath::isConstant(axis.in, 0) && isFilled)
      return op.emitOpError("expects elements along axis ") << axis.axis << ", got " << op.getX().getType();
    result[axis.axis] = axis.out;
  }
  return Facts(std::move(result));
}

//===-- Extents and scales at run time ---------------------------------------------===//

namespace {
/// An axis with its numbers in the lowered graph.
struct LoweredAxis {
  Axis known;
  OpFoldResult in, out;
  Value scale;      ///< f32
  Value start, end; ///< f32, of the region that is resized; null for the whole axis
};
} // namespace

static Value floatElement(Lowering &l, Value list, int64_t index) {
  Value element = tensor::ExtractOp::create(l.b, l.loc(), l(list), l.index(index));
  return l.known.of(list).extents && Lowering::element(list).isF32()
             ? element
             : castScalar({l.b, l.loc(), Lowering::element(list)},
                          loadScalar(l.b, l.loc(), element, Lowering::element(list)), Lowering::element(list),
                          l.b.getF32Type());
}

/// A non-negative float, rounded down, as an index; 0 for what is none.
static OpFoldResult asIndex(Lowering &l, Real real, const Scalars &s) {
  Value integer = castScalar(s, floor(real), l.b.getF32Type(), l.b.getI64Type());
  return Value(arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), integer));
}

static SmallVector<LoweredAxis> lowerAxes(ResizeOp op, Lowering &l, ArrayRef<Axis> axes) {
  Type f32 = l.b.getF32Type();
  Scalars s{l.b, l.loc(), f32};
  auto real = [&](OpFoldResult index) { return Real(s, l.number(index, f32)); };
  SmallVector<LoweredAxis> result;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    LoweredAxis lowered{
        axis, l.materialize(axis.in), axis.out ? l.materialize(axis.out) : OpFoldResult(), nullptr, nullptr, nullptr};
    if (axis.scale)
      lowered.scale = l.scalar(*axis.scale, f32);
    else if (op.getScales())
      lowered.scale = floatElement(l, op.getScales(), i);
    if (op.getScales() && !lowered.out)
      lowered.out = asIndex(l, real(lowered.in) * Real(s, lowered.scale), s);
    if (op.getCoordinateTransformationMode() == "tf_crop_and_resize" && op.getRoi()) {
      lowered.start = floatElement(l, op.getRoi(), i);
      lowered.end = floatElement(l, op.getRoi(), axes.size() + i);
    }
    result.push_back(lowered);
  }
  if (!op.getSizes())
    return result;

  bool keepsRatio = op.getKeepAspectRatioPolicy() != "stretch",
       largest = op.getKeepAspectRatioPolicy() == "not_smaller";
  Value common;
  for (auto [i, axis] : llvm::enumerate(result)) {
    if (axis.scale)
      continue;
    OpFoldResult size = l.elementAsIndex(op.getSizes(), i);
    Real scale = real(size) / real(axis.in);
    axis.scale = scale;
    if (keepsRatio)
      common = !common ? scale : largest ? max(Real(s, common), scale) : min(Real(s, common), scale);
    else if (!axis.out)
      axis.out = size;
  }
  for (LoweredAxis &axis : result) {
    if (!common)
      break;
    axis.scale = common;
    axis.out = asIndex(l, real(axis.in) * Real(s, common) + 0.5, s);
  }
  return result;
}

//===-- Coordinates ------------------------------------------------------------------===//

/// Where in the operand the middle of the result's element at `place` lies.
static Real coordinate(StringRef mode, Lowering &l, const LoweredAxis &axis, const Scalars &s, Value place) {
  Type f32 = s.b.getF32Type();
  Real x = Real::of(s, place, f32), scale(s, axis.scale), in(s, l.number(axis.in, f32)),
       out(s, l.number(axis.out, f32));
  // Of a real extent: where scales are given the result is rounded to whole elements.
  Real exact = in * scale;
  Real halfPixel = (x + 0.5) / scale - 0.5;
  if (mode == "asymmetric")
    return x / scale;
  if (mode == "align_corners")
    return select(exact == 1, x.same(0), x * (in - 1) / (exact - 1));
  if (mode == "pytorch_half_pixel")
    return select(out <= 1, x.same(0), halfPixel);
  if (mode == "half_pixel_symmetric")
    return in / 2 * (1 - out / exact) + halfPixel;
  if (mode == "tf_crop_and_resize") {
    Real start = axis.start ? Real(s, axis.start) : x.same(0), end = axis.end ? Real(s, axis.end) : x.same(1);
    Real within = start * (in - 1) + x * (end - start) * (in - 1) / (out - 1);
    return select(out <= 1, (start + end) * (in - 1) * 0.5, within);
  }
  return halfPixel;
}

static Value wholeNumber(const Scalars &s, Real value) {
  return castScalar(s, value, s.b.getF32Type(), s.b.getI64Type());
}

/// An index of an element of the axis, whatever `position` is.
static Value clamped(Lowering &l, const LoweredAxis &axis, const Scalars &s, Value position) {
  Value last = s.make<arith::SubIOp>(l.number(axis.in, s.b.getI64Type()), s.constant(1, s.b.getI64Type()));
  return s.make<arith::MaxSIOp>(s.make<arith::MinSIOp>(position, last), s.constant(0, s.b.getI64Type()));
}

/// A vector over the places of an axis.
static Value forPlaces(Lowering &l, const LoweredAxis &axis, Type type,
                       llvm::function_ref<Value(const Scalars &, Value)> body) {
  return l.generate(axis.out, type, [&](OpBuilder &b, Location loc, ValueRange indices) {
    return body(Scalars{b, loc, b.getF32Type()}, indices[0]);
  });
}

/// Places whose coordinate lies outside of the operand: 1, others 0.
static Value outside(ResizeOp op, Lowering &l, const LoweredAxis &axis) {
  return forPlaces(l, axis, l.b.getI8Type(), [&](const Scalars &s, Value place) -> Value {
    Real x = coordinate(op.getCoordinateTransformationMode(), l, axis, s, place),
         in(s, l.number(axis.in, s.b.getF32Type()));
    return s.make<arith::ExtUIOp>(s.b.getI8Type(), s.make<arith::OrIOp>(x<0, x> in - 1));
  });
}

//===-- Nearest ----------------------------------------------------------------------===//

/// How often each element is repeated along each axis, if that is all there is to do.
static std::optional<SmallVector<int64_t>> wholeRepeats(ResizeOp op, int64_t rank, ArrayRef<Axis> axes) {
  StringRef coordinates = op.getCoordinateTransformationMode(), rounding = op.getNearestMode();
  bool isFloored = coordinates == "asymmetric" && rounding == "floor";
  bool isCentered = coordinates.contains("half_pixel") && rounding.starts_with("round_prefer");
  if (op.getMode() != "nearest" || (!isFloored && !isCentered))
    return std::nullopt;
  SmallVector<int64_t> repeats(rank, 1);
  for (const Axis &axis : axes) {
    if (!axis.scale || *axis.scale != std::floor(*axis.scale) || *axis.scale < 1 || !axis.out)
      return std::nullopt;
    repeats[axis.axis] = *axis.scale;
  }
  return repeats;
}

static Value repeated(ResizeOp op, Lowering &l, ArrayRef<int64_t> repeats) {
  SmallVector<OpFoldResult> in = l.extents(op.getX()), extents;
  SmallVector<ReassociationIndices> groups;
  SmallVector<AffineExpr> access;
  for (auto [extent, repeat] : llvm::zip_equal(in, repeats)) {
    access.push_back(l.b.getAffineDimExpr(extents.size()));
    groups.push_back({(int64_t)extents.size()});
    extents.push_back(extent);
    if (repeat == 1)
      continue;
    groups.back().push_back(extents.size());
    extents.push_back(l.b.getIndexAttr(repeat));
  }
  int64_t loops = extents.size();
  Value x = l.broadcastable(op.getX(), l.known.extents(op.getX()));
  SmallVector<utils::IteratorType> parallel(loops, utils::IteratorType::parallel);
  AffineMap source = AffineMap::get(loops, 0, access, l.b.getContext());
  Value copies = l.generic(l.empty(extents, storageType(Lowering::element(op.getX()))), x,
                           {source, l.b.getMultiDimIdentityMap(loops)}, parallel,
                           [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  return tensor::CollapseShapeOp::create(l.b, l.loc(), copies, groups);
}

static Value nearestPlaces(ResizeOp op, Lowering &l, const LoweredAxis &axis) {
  return forPlaces(l, axis, l.b.getI64Type(), [&](const Scalars &s, Value place) {
    Real x = coordinate(op.getCoordinateTransformationMode(), l, axis, s, place);
    StringRef rounding = op.getNearestMode();
    Real nearest = rounding == "floor"               ? floor(x)
                   : rounding == "ceil"              ? ceil(x)
                   : rounding == "round_prefer_ceil" ? floor(x + 0.5)
                                                     : ceil(x - 0.5);
    return clamped(l, axis, s, wholeNumber(s, nearest));
  });
}

/// One gather for all axes; `outsides` are null, or tell where the extrapolation value stands.
static Value gatherNearest(ResizeOp op, Lowering &l, ArrayRef<LoweredAxis> axes, ArrayRef<OpFoldResult> extents) {
  int64_t rank = extents.size();
  Type element = Lowering::element(op.getX());
  bool crops = op.getCoordinateTransformationMode() == "tf_crop_and_resize";
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  auto addInput = [&](Value value, int64_t axis) {
    inputs.push_back(value);
    maps.push_back(l.consecutive(rank, axis, 1));
  };
  for (const LoweredAxis &axis : axes)
    addInput(nearestPlaces(op, l, axis), axis.known.axis);
  if (crops)
    for (const LoweredAxis &axis : axes)
      addInput(outside(op, l, axis), axis.known.axis);
  maps.push_back(l.b.getMultiDimIdentityMap(rank));
  Value x = l(op.getX());
  double extrapolation = op.getExtrapolationValue().convertToFloat();
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(
      l.empty(extents, storageType(element)), inputs, maps, parallel,
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc, element};
        SmallVector<Value> source;
        for (int64_t axis = 0; axis < rank; ++axis)
          source.push_back(s.make<linalg::IndexOp>(axis));
        for (auto [i, axis] : llvm::enumerate(axes))
          source[axis.known.axis] = s.make<arith::IndexCastOp>(b.getIndexType(), args[i]);
        Value value = s.make<tensor::ExtractOp>(x, source);
        if (!crops)
          return value;
        Value constant = storeScalar(
            b, loc, castScalar(s, s.constant(extrapolation, b.getF32Type()), b.getF32Type(), element), element);
        for (size_t i = 0; i < axes.size(); ++i) {
          Value isOutside =
              s.make<arith::CmpIOp>(arith::CmpIPredicate::ne, args[axes.size() + i], s.constant(0, b.getI8Type()));
          value = s.make<arith::SelectOp>(isOutside, constant, value);
        }
        return value;
      });
}

//===-- Linear, cubic ------------------------------------------------------------------===//

namespace {
/// The elements around a coordinate that have a weight: `count` of them, the first `first` before the one to its left.
struct Taps {
  OpFoldResult first, count;
  Value reach; ///< f32: how much narrower than the operand's the steps of the weights are, at most 1
};
} // namespace

/// With antialiasing the weights reach over as many elements as the result makes one of.
static Taps tapsOf(ResizeOp op, Lowering &l, const LoweredAxis &axis) {
  int64_t support = op.getMode() == "cubic" ? 2 : 1;
  Type f32 = l.b.getF32Type();
  if (!op.getAntialias())
    return {l.b.getIndexAttr(support - 1), l.b.getIndexAttr(2 * support), l.scalar(1, f32)};
  if (axis.known.scale) {
    float reach = std::min(*axis.known.scale, 1.0f);
    int64_t first = -(int64_t)(std::floor(-support / reach) + 1);
    return {l.b.getIndexAttr(first), l.b.getIndexAttr(2 + 2 * first), l.scalar(reach, f32)};
  }
  Scalars s{l.b, l.loc(), f32};
  Real reach = min(Real(s, axis.scale), Real(s, l.scalar(1, f32)));
  Value integer = castScalar(s, ceil(support / reach), f32, l.b.getI64Type());
  Index first = Index(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), integer).getResult()) - 1;
  return {first, first * 2 + 2, reach};
}

/// The weight of an element at `distance`, which is not negative.
static Real weight(ResizeOp op, const Scalars &s, Real distance) {
  if (op.getMode() == "linear")
    return max(1 - distance, distance.same(0));
  double a = op.getCubicCoeffA().convertToFloat();
  Real d = distance, near = ((a + 2) * d - (a + 3)) * d * d + 1, far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return select(d <= 1, near, select(d < 2, far, d.same(0)));
}

/// The element to the left of each coordinate, and how far behind it the coordinate lies.
static std::pair<Value, Value> leftNeighbours(ResizeOp op, Lowering &l, const LoweredAxis &axis) {
  auto x = [&](const Scalars &s, Value place) {
    return coordinate(op.getCoordinateTransformationMode(), l, axis, s, place);
  };
  Value left = forPlaces(l, axis, l.b.getI64Type(),
                         [&](const Scalars &s, Value place) { return wholeNumber(s, floor(x(s, place))); });
  Value behind = forPlaces(l, axis, l.b.getF32Type(), [&](const Scalars &s, Value place) -> Value {
    Real at = x(s, place);
    return at - floor(at);
  });
  return {left, behind};
}

/// Tensors over the taps and the places of an axis: positions of elements, and their weights.
static std::pair<Value, Value> positionsAndWeights(ResizeOp op, Lowering &l, const LoweredAxis &axis,
                                                   const Taps &taps) {
  auto [left, behind] = leftNeighbours(op, l, axis);
  Type i64 = l.b.getI64Type(), f32 = l.b.getF32Type();
  Value first = l.number(taps.first, i64);
  SmallVector<OpFoldResult> extents = {taps.count, axis.out};
  Along leftOf{left, i64, {1}}, behindOf{behind, f32, {1}};
  // Of the element to the left: -first ... count - first - 1.
  auto offset = [&](Scalars &s) -> Value {
    return s.make<arith::SubIOp>(s.make<arith::IndexCastOp>(i64, s.make<linalg::IndexOp>(0)), first);
  };
  Value positions = l.elementwise(extents, i64, leftOf, [&](Scalars &s, ValueRange args) {
    return clamped(l, axis, s, s.make<arith::AddIOp>(args[0], offset(s)));
  });
  Value weights = l.elementwise(extents, f32, {behindOf, leftOf}, [&](Scalars &s, ValueRange args) -> Value {
    Value step = offset(s);
    Real result = weight(op, s, abs(Real::of(s, step, f32) - Real(s, args[0])) * Real(s, taps.reach));
    if (!op.getExcludeOutside())
      return result;
    Value position = s.make<arith::AddIOp>(args[1], step);
    Value isInside = s.make<arith::CmpIOp>(arith::CmpIPredicate::ult, position, l.number(axis.in, i64));
    return select(isInside, result, result.same(0));
  });
  if (!op.getExcludeOutside() && !op.getAntialias())
    return {positions, weights};
  Along sum{sumAlong(l, weights, f32, 0), f32, {1}};
  weights = l.elementwise(extents, f32, {Along{weights, f32, {0, 1}}, sum},
                          [](Scalars &s, ValueRange args) { return scalar<arith::DivFOp>(s, args); });
  return {positions, weights};
}

/// Replaces axis `axis` of `x`, in the type that is computed in, by the weighted sums over its taps.
static Value interpolated(ResizeOp op, Lowering &l, const LoweredAxis &axis, Value x) {
  Taps taps = tapsOf(op, l, axis);
  auto [positions, weights] = positionsAndWeights(op, l, axis, taps);
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), x);
  int64_t rank = extents.size(), at = axis.known.axis;
  extents[at] = axis.out;
  Type real = cast<RankedTensorType>(x.getType()).getElementType();
  auto term = [&](const Scalars &s, Value position, Value weight) -> Value {
    SmallVector<Value> source;
    for (int64_t i = 0; i < rank; ++i)
      source.push_back(s.make<linalg::IndexOp>(i));
    source[at] = s.make<arith::IndexCastOp>(s.b.getIndexType(), position);
    Value element = s.make<tensor::ExtractOp>(x, source);
    return s.make<arith::MulFOp>(castScalar(s, weight, s.b.getF32Type(), real), element);
  };

  // A few taps are written out, so that the loops are all parallel.
  static constexpr int64_t mostWrittenOut = 8;
  std::optional<int64_t> count = getConstantIntValue(taps.count);
  bool isWrittenOut = count && *count <= mostWrittenOut;
  int64_t loops = isWrittenOut ? rank : rank + 1;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (int64_t tap = 0; tap < (isWrittenOut ? *count : 1); ++tap) {
    AffineExpr inside = isWrittenOut ? l.b.getAffineConstantExpr(tap) : l.b.getAffineDimExpr(rank);
    maps.append(2, AffineMap::get(loops, 0, {inside, l.b.getAffineDimExpr(at)}, l.b.getContext()));
    inputs.append({positions, weights});
  }
  maps.push_back(l.consecutive(loops, 0, rank));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  if (!isWrittenOut)
    iterators.push_back(utils::IteratorType::reduction);
  Value init = isWrittenOut ? l.empty(extents, real) : l.filled(extents, l.scalar(0, real));
  return l.generic(init, inputs, maps, iterators, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Scalars s{b, loc, real};
    if (!isWrittenOut)
      return s.make<arith::AddFOp>(args[2], term(s, args[0], args[1]));
    Value sum = term(s, args[0], args[1]);
    for (int64_t tap = 1; tap < *count; ++tap)
      sum = s.make<arith::AddFOp>(sum, term(s, args[2 * tap], args[2 * tap + 1]));
    return sum;
  });
}

//===-- Lower --------------------------------------------------------------------------===//

/// Axes whose elements stay where they are: all coordinate modes but the one of regions leave an axis of the same
/// extent alone.
static bool isUnchanged(ResizeOp op, Known &known, const Axis &axis) {
  if (op.getCoordinateTransformationMode() == "tf_crop_and_resize")
    return false;
  return axis.out && known.math.isEqual(axis.in, axis.out) &&
         (axis.scale == 1.0f || (!axis.scale && op.getSizes() && op.getKeepAspectRatioPolicy() == "stretch"));
}

static FailureOr<Value> lowerResize(ResizeOp op, Lowering &l) {
  FailureOr<SmallVector<Axis>> known = resizedAxes(op, l.known);
  if (failed(known))
    return failure();
  StringRef mode = op.getMode();
  if (mode != "nearest" && mode != "linear" && mode != "cubic")
    return op.emitOpError("expects mode nearest, linear or cubic, got '") << mode << "'";
  Type element = Lowering::element(op.getX());
  if (isa<StringType>(element) && (mode != "nearest" || op.getCoordinateTransformationMode() == "tf_crop_and_resize"))
    return l.unsupported("computing with elements that are strings");
  Value list = op.getScales() ? op.getScales() : op.getSizes();
  l.expectExtent(l.known.extents(list)[0], l.known.math.constant(known->size()), op.getScales() ? "scales" : "sizes");

  SmallVector<OpFoldResult> extents = l.extents(op.getX());
  SmallVector<LoweredAxis> axes;
  for (const LoweredAxis &axis : lowerAxes(op, l, *known)) {
    if (isUnchanged(op, l.known, axis.known))
      continue;
    extents[axis.known.axis] = axis.out;
    axes.push_back(axis);
    bool isFilled = ExtentMath::asConstant(axis.known.in).value_or(0) > 0;
    if (!isFilled)
      l.check(Index(l, axis.in) > 0 || Index(l, axis.out) == 0, "expects elements along axis " + Twine(axis.known.axis),
              {});
  }
  if (axes.empty())
    return l(op.getX());
  l.checkExtents(extents);
  if (mode == "nearest") {
    if (std::optional<SmallVector<int64_t>> repeats = wholeRepeats(op, extents.size(), *known))
      return repeated(op, l, *repeats);
    return gatherNearest(op, l, axes, extents);
  }
  // Floats of 32 bits hold what integers of 16 do; what lies between integers is rounded towards zero.
  bool isWide = !isFloat(element) && element.getIntOrFloatBitWidth() > 16;
  Type real = isFloat(element) ? accumulatorElement(element) : isWide ? Type(l.b.getF64Type()) : l.b.getF32Type();
  Value result = l.cast(l(op.getX()), element, real);
  for (const LoweredAxis &axis : axes)
    result = interpolated(op, l, axis, result);
  if (op.getCoordinateTransformationMode() != "tf_crop_and_resize")
    return l.cast(result, real, element);
  SmallVector<Along> operands = {{result, real, otherAxes(extents.size(), {})}};
  for (const LoweredAxis &axis : axes)
    operands.push_back({outside(op, l, axis), l.b.getI1Type(), {axis.known.axis}});
  double extrapolation = op.getExtrapolationValue().convertToFloat();
  return l.elementwise(extents, element, operands, [&](Scalars &s, ValueRange args) {
    Value value = args[0];
    for (Value isOutside : args.drop_front())
      value = s.make<arith::SelectOp>(isOutside, s.constant(extrapolation, real), value);
    return castScalar(s, value, real, element);
  });
}

/// The nearest elements, where nothing is put outside of X.
static SmallVector<OpOperand *> movedByResize(ResizeOp op) {
  if (op.getMode() != "nearest" || op.getCoordinateTransformationMode() == "tf_crop_and_resize")
    return {};
  return {&op.getXMutable()};
}

void addResizeRules(Rules &rules) { rules.op<ResizeOp>().shape(shapeOfResize).moves(movedByResize).lower(lowerResize); }

} // namespace mlc::onnx
