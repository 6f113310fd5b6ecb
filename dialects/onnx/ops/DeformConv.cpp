// DeformConv: a convolution whose windows take each of their elements from a place of its own.
//
//   %y = onnx.DeformConv(%x, %w, %offset, %b, %mask)
//   =>
//   %s = linalg.generic: s[n, c, k, o] = mask[n, k, o] * (%x[n, c] at o * stride + k * dilation - pad + offset[n, k, o])
//   %p = linalg.generic: p[n, f, o] += w[f, (c, k)] * s[n, (c, k), o]
//   %y = linalg.generic: p + b
//
// Between elements %x is interpolated linearly along each axis; beyond its edges it is zero.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Conv.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

static FailureOr<Windows> windowsOf(DeformConvOp op, Known &known) {
  return checkedConvolution(op, known, op.getX(), op.getW(), op.getGroup(), op.getKernelShape(), windowAttributes(op));
}

/// The extents that offset (with `perElement` numbers for each element of a window) or mask must have.
static Extents steeringExtents(DeformConvOp op, Known &known, const Windows &windows, int64_t perElement) {
  ExtentMath &math = known.math;
  Extents result = {known.extents(op.getX())[0],
                    math.mul(math.product(windows.kernel), math.constant(op.getOffsetGroup() * perElement))};
  result.append(windows.places);
  return result;
}

static LogicalResult verifySteering(DeformConvOp op, Known &known, StringRef name, Value operand,
                                    ArrayRef<Extent> expected) {
  ArrayRef<Extent> own = known.extents(operand);
  bool fits = own.size() == expected.size();
  for (size_t axis = 0; fits && axis < own.size(); ++axis)
    fits = known.math.mayBeEqual(own[axis], expected[axis]);
  if (fits)
    return success();
  InFlightDiagnostic error = op.emitOpError("expects ") << name << " of extents";
  for (Extent extent : expected)
    error << " " << known.math.print(extent);
  return error << ", got " << operand.getType();
}

static FailureOr<Extents> shapeOfDeformConv(DeformConvOp op, Known &known) {
  FailureOr<Windows> windows = windowsOf(op, known);
  if (failed(windows))
    return failure();
  int64_t groups = op.getOffsetGroup();
  if (groups < 1)
    return op.emitOpError("expects a positive number of offset groups, got ") << groups;
  ArrayRef<Extent> x = known.extents(op.getX());
  if (std::optional<int64_t> channels = ExtentMath::asConstant(x[1]); channels && *channels % groups != 0)
    return op.emitOpError("expects a number of channels that ") << groups << " offset groups divide, got " << *channels;
  if (failed(
          verifySteering(op, known, "offset", op.getOffset(), steeringExtents(op, known, *windows, windows->rank()))) ||
      (op.getMask() &&
       failed(verifySteering(op, known, "mask", op.getMask(), steeringExtents(op, known, *windows, 1)))))
    return failure();
  Extents result = {x[0], known.extents(op.getW())[0]};
  if (Value bias = op.getB();
      bias && (known.rank(bias) != 1 || !known.math.mayBeEqual(known.extents(bias)[0], result[1])))
    return op.emitOpError("expects B of one element for each output channel, got ") << bias.getType();
  result.append(windows->places);
  return result;
}

/// The elements of x that each window takes, in the accumulator's type: extents batch, offset group, channel in the
/// group, window, places.
static Value sampled(DeformConvOp op, Lowering &l, const Windows &windows) {
  Extents x(l.known.extents(op.getX()));
  Type element = Lowering::element(op.getX()), compute = accumulatorElement(element);
  int64_t rank = windows.rank(), groups = op.getOffsetGroup();
  SmallVector<OpFoldResult> kernel = l.materialize(windows.kernel), places = l.materialize(windows.places);
  OpFoldResult group = l.b.getIndexAttr(groups), axes = l.b.getIndexAttr(rank), batch = l.materialize(x[0]);
  Index depth = Index(l, x[1]) / groups;

  auto joined = [](std::initializer_list<ArrayRef<OpFoldResult>> lists) {
    SmallVector<OpFoldResult> all;
    for (ArrayRef<OpFoldResult> list : lists)
      llvm::append_range(all, list);
    return all;
  };
  // Loops: batch, offset group, channel, window..., places...
  int64_t loops = 3 + 2 * rank;
  auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
  auto steering = [&](std::optional<int64_t> axis) {
    SmallVector<AffineExpr> access = {loop(0), loop(1)};
    for (int64_t i = 0; i < rank; ++i)
      access.push_back(loop(3 + i));
    if (axis)
      access.push_back(l.b.getAffineConstantExpr(*axis));
    for (int64_t i = 0; i < rank; ++i)
      access.push_back(loop(3 + rank + i));
    return AffineMap::get(loops, 0, access, l.b.getContext());
  };
  Value offset = l.reshape(l(op.getOffset()), joined({{batch, group}, kernel, axes, places}));
  SmallVector<Value> inputs(rank, offset);
  SmallVector<AffineMap> maps;
  for (int64_t axis = 0; axis < rank; ++axis)
    maps.push_back(steering(axis));
  if (op.getMask()) {
    inputs.push_back(l.reshape(l(op.getMask()), joined({{batch, group}, kernel, places})));
    maps.push_back(steering({}));
  }
  maps.push_back(l.b.getMultiDimIdentityMap(loops));
  Value data = l(op.getX());
  SmallVector<Index> extents, before;
  for (int64_t axis = 0; axis < rank; ++axis) {
    extents.push_back(Index(l, x[2 + axis]));
    before.push_back(Index(l, windows.before[axis]));
  }
  SmallVector<OpFoldResult> result = joined({{batch, group, OpFoldResult(depth)}, kernel, places});
  return l.generic(l.empty(result, compute), inputs, maps,
                   SmallVector<utils::IteratorType>(loops, utils::IteratorType::parallel),
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     Scalars s{b, loc, compute};
                     auto position = [&](int64_t i) { return Index(l, s.make<linalg::IndexOp>(i)); };
                     auto wide = [&](Value stored) {
                       return Real(s, castScalar(s, loadScalar(b, loc, stored, element), element, compute));
                     };
                     SmallVector<Index> low;
                     SmallVector<Real> behind; // how far behind the lower element
                     for (int64_t axis = 0; axis < rank; ++axis) {
                       Index regular = position(3 + rank + axis) * windows.strides[axis] +
                                       position(3 + axis) * windows.dilations[axis] - before[axis];
                       Real at = Real::of(s, regular, compute) + wide(args[axis]), whole = floor(at);
                       Value integer = castScalar(s, whole, compute, b.getI64Type());
                       low.push_back(Index(l, s.make<arith::IndexCastOp>(b.getIndexType(), integer)));
                       behind.push_back(at - whole);
                     }
                     Real sum(s, s.constant(0));
                     for (int64_t corner = 0; corner < int64_t(1) << rank; ++corner) {
                       SmallVector<Value> source = {position(0), position(1) * depth + position(2)};
                       Real weight(s, s.constant(1));
                       for (int64_t axis = 0; axis < rank; ++axis) {
                         bool upper = corner >> axis & 1;
                         Index at = upper ? low[axis] + 1 : low[axis];
                         Real share = upper ? behind[axis] : 1 - behind[axis];
                         weight = weight * select(at >= 0 && at < extents[axis], share, share.same(0));
                         source.push_back(min(max(at, 0), extents[axis] - 1));
                       }
                       sum = sum + weight * wide(s.make<tensor::ExtractOp>(data, source));
                     }
                     return op.getMask() ? sum * wide(args[rank]) : sum;
                   });
}

static FailureOr<Value> lowerDeformConv(DeformConvOp op, Lowering &l) {
  FailureOr<Windows> windows = windowsOf(op, l.known);
  if (failed(windows))
    return failure();
  ExtentMath &math = l.known.math;
  int64_t groups = op.getGroup(), offsetGroups = op.getOffsetGroup();
  Extents x(l.known.extents(op.getX())), w(l.known.extents(op.getW()));
  expectConvolutionExtents(l, op.getX(), op.getW(), groups);
  checkPlaces(l, *windows);
  for (auto [name, operand, perElement] :
       {std::tuple("offset", op.getOffset(), windows->rank()), {"mask", op.getMask(), int64_t(1)}})
    if (operand)
      for (auto [axis, own, expected] :
           llvm::enumerate(l.known.extents(operand), steeringExtents(op, l.known, *windows, perElement)))
        l.expectExtent(own, expected, "axis " + Twine(axis) + " of " + name);
  for (auto [axis, extent] : llvm::enumerate(ArrayRef(x).drop_front(2)))
    if (ExtentMath::asConstant(extent).value_or(0) < 1)
      l.check(Index(l, extent) >= 1, "expects elements along axis " + Twine(axis + 2) + " of X", {});
  if (!ExtentMath::asConstant(x[1])) {
    Index channels(l, x[1]);
    l.check(channels % offsetGroups == 0,
            "expects a number of channels that " + Twine(offsetGroups) + " offset groups divide, got %0", {channels});
  }
  if (!ExtentMath::asConstant(w[0])) {
    Index filters(l, w[0]);
    l.check(filters % groups == 0, "expects a number of filters that " + Twine(groups) + " groups divide, got %0",
            {filters});
  }

  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  Index batch(l, x[0]), filters = Index(l, w[0]) / groups, places(l, math.product(windows->places));
  Index depth(l, math.mul(w[1], math.product(windows->kernel))), group(l, groups);
  Value samples = l.reshape(sampled(op, l, *windows), asFoldResults({batch, group, depth, places}));
  Value filter = l.reshape(l.cast(l(op.getW()), element, accumulator), asFoldResults({group, filters, depth}));
  AffineExpr n, g, f, o, k;
  bindDims(l.b.getContext(), n, g, f, o, k);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(5, 0, exprs, l.b.getContext()); };
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value sum = l.sumOfProducts(asFoldResults({batch, group, filters, places}), filter, samples,
                              {map({g, f, k}), map({n, g, k, o}), map({n, g, f, o})}, iterators);
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  sum = l.reshape(sum, extents);
  if (!op.getB())
    return l.cast(sum, accumulator, element);
  l.expectExtent(l.known.extents(op.getB())[0], w[0], "B");
  Along operands[] = {{sum, accumulator, otherAxes(extents.size(), {})},
                      {l.broadcastable(op.getB(), w[0]), element, {1}}};
  return l.elementwise(extents, element, operands, add);
}

void addDeformConvRules(Rules &rules) { rules.op<DeformConvOp>().shape(shapeOfDeformConv).lower(lowerDeformConv); }

} // namespace mlc::onnx
