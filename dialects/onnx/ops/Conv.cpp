// Convolutions over any number of spatial axes: Conv and ConvTranspose.
//
//   %y = onnx.Conv(%x, %w, %b) {pads = [1, 1, 1, 1]}
//   =>
//   %p = tensor.pad %x                               zeros around
//   %s = linalg.generic: s[n, f, y, x] += p[n, c, y * stride + i * dilation, ...] * w[f, c, i, ...]
//   %y = linalg.generic: s + b
//
// Operands stay as ONNX has them, N x C x D1 x D2... and F x C x K1 x K2...; the layout phase knows such sums by their
// form. With groups there is one more loop, over the groups; a convolution of each channel by itself has no loop over
// input channels.
//
// ConvTranspose is the convolution of the operand with zeros between its elements, and the filter turned around. Where
// the filter is as large as its stride no two products meet, and it is a matrix product whose columns are then laid
// side by side.
#include "onnx/ops/Conv.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Shape ------------------------------------------------------------------===//

FailureOr<Windows> checkedConvolution(Operation *op, Known &known, Value input, Value filter, int64_t groups,
                                      std::optional<ArrayRef<int64_t>> kernelShape, WindowAttributes attributes) {
  ArrayRef<Extent> x = known.extents(input), w = known.extents(filter);
  if (x.size() < 3)
    return op->emitOpError("expects X of rank 3 or more, got ") << input.getType();
  if (w.size() != x.size())
    return op->emitOpError("expects W of the rank of X, got ") << filter.getType() << " for " << input.getType();
  if (groups < 1)
    return op->emitOpError("expects a positive number of groups, got ") << groups;
  ExtentMath &math = known.math;
  if (!math.mayBeEqual(math.mul(w[1], math.constant(groups)), x[1]))
    return op->emitOpError("expects X with ")
           << groups << " times as many channels as W has, got " << input.getType() << " and " << filter.getType();
  if (std::optional<int64_t> filters = ExtentMath::asConstant(w[0]); filters && *filters % groups != 0)
    return op->emitOpError("expects a number of filters that ") << groups << " groups divide, got " << *filters;
  ArrayRef<Extent> kernel = w.drop_front(2);
  if (kernelShape && !kernelShape->empty()) {
    bool fits = kernelShape->size() == kernel.size();
    for (size_t axis = 0; fits && axis < kernel.size(); ++axis)
      fits = math.mayBeEqual(kernel[axis], math.constant((*kernelShape)[axis]));
    if (!fits)
      return op->emitOpError("expects kernel_shape to be that of W, got ") << filter.getType();
  }
  return windowsOf(op, known, attributes, x.drop_front(2), kernel);
}

static FailureOr<Windows> windowsOfConv(ConvOp op, Known &known) {
  return checkedConvolution(op, known, op.getX(), op.getW(), op.getGroup(), op.getKernelShape(), windowAttributes(op));
}

static LogicalResult checkBias(Operation *op, Known &known, Value bias, Extent channels) {
  if (!bias)
    return success();
  if (known.rank(bias) == 1 && known.math.mayBeEqual(known.extents(bias)[0], channels))
    return success();
  return op->emitOpError("expects B of one element for each output channel, got ") << bias.getType();
}

static FailureOr<Extents> shapeOfConv(ConvOp op, Known &known) {
  FailureOr<Windows> windows = windowsOfConv(op, known);
  if (failed(windows))
    return failure();
  Extents result = {known.extents(op.getX())[0], known.extents(op.getW())[0]};
  result.append(windows->places);
  if (failed(checkBias(op, known, op.getB(), result[1])))
    return failure();
  return result;
}

//===-- Lower ------------------------------------------------------------------===//

/// Axis `axis` cut into `outer` times the rest.
static Value splitAxis(Lowering &l, Value operand, int64_t axis, int64_t outer) {
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), operand);
  SmallVector<ReassociationIndices> groups;
  int64_t rank = extents.size();
  for (int64_t i = 0; i <= rank; ++i) {
    if (i == axis + 1)
      groups.back().push_back(i);
    else
      groups.push_back({i});
  }
  OpFoldResult inner;
  if (std::optional<int64_t> fixed = getConstantIntValue(extents[axis]))
    inner = l.b.getIndexAttr(*fixed / outer);
  else
    inner = arith::DivUIOp::create(l.b, l.loc(), l.index(extents[axis]), l.index(outer)).getResult();
  extents[axis] = inner;
  extents.insert(extents.begin() + axis, l.b.getIndexAttr(outer));
  SmallVector<int64_t> shape;
  SmallVector<Value> ignored;
  dispatchIndexOpFoldResults(extents, ignored, shape);
  auto type = RankedTensorType::get(shape, cast<RankedTensorType>(operand.getType()).getElementType());
  return tensor::ExpandShapeOp::create(l.b, l.loc(), type, operand, groups, extents);
}

/// Axes `axis` and the next as one.
static Value joinAxes(Lowering &l, Value operand, int64_t axis) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < cast<RankedTensorType>(operand.getType()).getRank(); ++i) {
    if (i == axis + 1)
      groups.back().push_back(i);
    else
      groups.push_back({i});
  }
  return tensor::CollapseShapeOp::create(l.b, l.loc(), operand, groups);
}

/// An axis of extent 1 removed.
static Value dropAxis(Lowering &l, Value operand, int64_t axis) {
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), operand);
  extents.erase(extents.begin() + axis);
  return l.reshape(operand, extents);
}

Value convolution(Lowering &l, Value input, Value filter, int64_t groups, const Windows &windows, Factors factors) {
  auto filterType = cast<RankedTensorType>(filter.getType());
  int64_t rank = windows.rank();
  // One filter for each channel, and one channel for each filter.
  bool isDepthwise = groups > 1 && filterType.getDimSize(0) == groups && filterType.getDimSize(1) == 1;
  bool isGrouped = groups > 1 && !isDepthwise;
  SmallVector<OpFoldResult> filterExtents = tensor::getMixedSizes(l.b, l.loc(), filter);
  OpFoldResult batch = tensor::getMixedSize(l.b, l.loc(), input, 0);
  if (isGrouped) {
    input = splitAxis(l, input, 1, groups);
    filter = splitAxis(l, filter, 0, groups);
  } else if (isDepthwise) {
    filter = dropAxis(l, filter, 1);
  }

  // Loops: n, [g,] f, places..., [c,] inside...
  int64_t f = isGrouped ? 2 : 1, places = f + 1, c = places + rank, inside = isDepthwise ? c : c + 1,
          loops = inside + rank;
  auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
  SmallVector<AffineExpr> ofInput = {loop(0)}, ofFilter, ofResult = {loop(0)};
  if (isGrouped)
    for (auto *exprs : {&ofInput, &ofFilter, &ofResult})
      exprs->push_back(loop(1));
  ofInput.push_back(isDepthwise ? loop(f) : loop(c));
  ofFilter.push_back(loop(f));
  if (!isDepthwise)
    ofFilter.push_back(loop(c));
  ofResult.push_back(loop(f));
  SmallVector<OpFoldResult> extents = {batch};
  if (isGrouped)
    extents.append({l.b.getIndexAttr(groups), tensor::getMixedSize(l.b, l.loc(), filter, 1)});
  else
    extents.push_back(filterExtents[0]);
  for (int64_t axis = 0; axis < rank; ++axis) {
    ofInput.push_back(elementOfWindow(windows, axis, loop(places + axis), loop(inside + axis)));
    ofFilter.push_back(loop(inside + axis));
    ofResult.push_back(loop(places + axis));
  }
  extents.append(l.materialize(windows.places));
  SmallVector<utils::IteratorType> iterators(places + rank, utils::IteratorType::parallel);
  iterators.append(loops - places - rank, utils::IteratorType::reduction);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, l.b.getContext()); };
  Value result =
      l.sumOfProducts(extents, input, filter, {map(ofInput), map(ofFilter), map(ofResult)}, iterators, factors);
  return isGrouped ? joinAxes(l, result, 1) : result;
}

void expectConvolutionExtents(Lowering &l, Value input, Value filter, int64_t groups) {
  Extent channels = l.known.extents(input)[1], depth = l.known.extents(filter)[1];
  l.expectExtent(channels, l.known.math.mul(depth, l.known.math.constant(groups)), "channels of X");
}

/// Adds the bias of each channel, if there is one, and converts to the result's type.
static Value withBias(Lowering &l, Value sum, Type accumulator, Value bias, Value result) {
  Type element = Lowering::element(result);
  if (!bias)
    return l.cast(sum, accumulator, element);
  l.expectExtent(l.known.extents(bias)[0], l.known.extents(result)[1], "B");
  SmallVector<int64_t> all = otherAxes(l.rank(result), {});
  Along operands[] = {{sum, accumulator, all},
                      {l.broadcastable(bias, l.known.extents(bias)), Lowering::element(bias), {1}}};
  return l.elementwise(l.extents(result), element, operands, add);
}

static FailureOr<Value> lowerConv(ConvOp op, Lowering &l) {
  FailureOr<Windows> windows = windowsOfConv(op, l.known);
  if (failed(windows))
    return failure();
  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  expectConvolutionExtents(l, op.getX(), op.getW(), op.getGroup());
  Value input = l.cast(l.broadcastable(op.getX(), l.known.extents(op.getX())), element, accumulator);
  Value filter = l.cast(l.broadcastable(op.getW(), l.known.extents(op.getW())), element, accumulator);
  input = padded(l, input, *windows, l.scalar(0, accumulator));
  Value sum = convolution(l, input, filter, op.getGroup(), *windows);
  return withBias(l, sum, accumulator, op.getB(), op.getY());
}

//===-- ConvTranspose --------------------------------------------------------------===//

namespace {
/// The full result, of extent (in - 1) * stride + reach + 1, is cut by `before` and `after`; negative amounts append
/// zeros.
struct Transposed {
  Windows windows; ///< of strides and dilations; places are the extents of the result
  Extents before, after;
};
} // namespace

static FailureOr<Transposed> transposedOf(ConvTransposeOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX()), w = known.extents(op.getW());
  ExtentMath &math = known.math;
  if (x.size() < 3)
    return op.emitOpError("expects X of rank 3 or more, got ") << op.getX().getType();
  if (w.size() != x.size())
    return op.emitOpError("expects W of the rank of X, got ") << op.getW().getType() << " for " << op.getX().getType();
  if (op.getGroup() < 1)
    return op.emitOpError("expects a positive number of groups, got ") << op.getGroup();
  if (!math.mayBeEqual(w[0], x[1]))
    return op.emitOpError("expects W with a filter for each channel of X, got ")
           << op.getW().getType() << " for " << op.getX().getType();
  if (std::optional<int64_t> channels = ExtentMath::asConstant(x[1]); channels && *channels % op.getGroup() != 0)
    return op.emitOpError("expects a number of channels that ") << op.getGroup() << " groups divide, got " << *channels;
  // Attributes and kernel are checked as those of a convolution are; auto_pad has its own meaning here.
  WindowAttributes attributes = windowAttributes(op);
  StringRef automatic = attributes.autoPad;
  attributes.autoPad = automatic == "VALID" || automatic.empty() ? StringRef("NOTSET") : automatic;
  FailureOr<Windows> windows = windowsOf(op, known, attributes, x.drop_front(2), w.drop_front(2));
  if (failed(windows))
    return failure();
  int64_t rank = windows->rank();
  auto countOf = [&](std::optional<ArrayRef<int64_t>> list) {
    return list && !list->empty() ? (int64_t)list->size() : rank;
  };
  if (countOf(op.getOutputPadding()) != rank || countOf(op.getOutputShape()) != rank)
    return op.emitOpError("expects output_padding and output_shape of ") << rank << " elements";

  Transposed result{std::move(*windows), {}, {}};
  Extent one = math.constant(1);
  bool isSame = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  for (int64_t axis = 0; axis < rank; ++axis) {
    Extent stride = math.constant(result.windows.strides[axis]),
           dilation = math.constant(result.windows.dilations[axis]);
    Extent reach = math.mul(math.sub(w[axis + 2], one), dilation);
    Extent full = math.add(math.mul(math.sub(x[axis + 2], one), stride), math.add(reach, one));
    auto numberAt = [&](std::optional<ArrayRef<int64_t>> list, int64_t i) {
      return list && !list->empty() ? (*list)[i] : 0;
    };
    Extent appended = math.constant(numberAt(op.getOutputPadding(), axis));
    Extent before, after, places;
    bool isShaped = op.getOutputShape() && !op.getOutputShape()->empty();
    if (isShaped || isSame) {
      places = isShaped ? math.constant((*op.getOutputShape())[axis]) : math.mul(x[axis + 2], stride);
      Extent total = math.sub(math.add(full, appended), places);
      Extent less = math.floorDiv(total, math.constant(2)), more = math.sub(total, less);
      before = automatic == "SAME_UPPER" ? less : more;
      after = automatic == "SAME_UPPER" ? more : less;
    } else {
      before = math.constant(automatic == "VALID" ? 0 : numberAt(op.getPads(), axis));
      after = math.constant(automatic == "VALID" ? 0 : numberAt(op.getPads(), rank + axis));
      places = math.sub(math.add(full, appended), math.add(before, after));
    }
    result.windows.places[axis] = places;
    result.before.push_back(before);
    result.after.push_back(math.sub(after, appended));
  }
  return result;
}

static FailureOr<Extents> shapeOfConvTranspose(ConvTransposeOp op, Known &known) {
  FailureOr<Transposed> transposed = transposedOf(op, known);
  if (failed(transposed))
    return failure();
  Extents result = {known.extents(op.getX())[0],
                    known.math.mul(known.extents(op.getW())[1], known.math.constant(op.getGroup()))};
  result.append(transposed->windows.places);
  if (failed(checkBias(op, known, op.getB(), result[1])))
    return failure();
  return result;
}

/// The amounts, those below zero as zero; and those below zero, negated.
static std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>> bySign(Lowering &l, ArrayRef<Extent> amounts) {
  ExtentMath &math = l.known.math;
  Extent zero = math.constant(0);
  SmallVector<OpFoldResult> positive, negative;
  for (Extent amount : amounts) {
    positive.push_back(l.materialize(math.max(amount, zero)));
    negative.push_back(l.materialize(math.max(math.sub(zero, amount), zero)));
  }
  return {positive, negative};
}

/// Cuts spatial axes by amounts that may be negative, which append zeros.
static Value cut(Lowering &l, Value value, ArrayRef<Extent> before, ArrayRef<Extent> after) {
  auto [cutBefore, padBefore] = bySign(l, before);
  auto [cutAfter, padAfter] = bySign(l, after);
  SmallVector<OpFoldResult> offsets(2, l.b.getIndexAttr(0)), low = offsets, high = offsets;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(l.b, l.loc(), value);
  for (size_t axis = 0; axis < before.size(); ++axis) {
    offsets.push_back(cutBefore[axis]);
    sizes[axis + 2] = l.sub(sizes[axis + 2], l.add(cutBefore[axis], cutAfter[axis]));
    low.push_back(padBefore[axis]);
    high.push_back(padAfter[axis]);
  }
  bool cuts = !llvm::all_of(llvm::concat<OpFoldResult>(cutBefore, cutAfter),
                            [](OpFoldResult amount) { return isZeroInteger(amount); });
  if (cuts)
    value = l.slice(value, offsets, sizes, SmallVector<OpFoldResult>(sizes.size(), l.b.getIndexAttr(1)));
  return l.pad(value, low, high, l.scalar(0, cast<RankedTensorType>(value.getType()).getElementType()));
}

/// Zeros between the elements along the spatial axes, stride - 1 of them.
static Value spread(Lowering &l, Value input, ArrayRef<int64_t> strides) {
  if (llvm::all_of(strides, [](int64_t stride) { return stride == 1; }))
    return input;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(l.b, l.loc(), input), extents(sizes);
  SmallVector<OpFoldResult> offsets(sizes.size(), l.b.getIndexAttr(0)), steps(sizes.size(), l.b.getIndexAttr(1));
  for (auto [axis, stride] : llvm::enumerate(strides)) {
    OpFoldResult &extent = extents[axis + 2];
    OpFoldResult one = l.b.getIndexAttr(1), step = l.b.getIndexAttr(stride);
    extent = l.add(l.mul(l.sub(extent, one), step), one);
    steps[axis + 2] = step;
  }
  Value zeros = l.filled(extents, l.scalar(0, cast<RankedTensorType>(input.getType()).getElementType()));
  return tensor::InsertSliceOp::create(l.b, l.loc(), input, zeros, offsets, sizes, steps);
}

/// W [c, f / groups, k...] as the filter of a convolution, [f, c / groups, k...] with the window turned around.
static Value turned(Lowering &l, Value filter, int64_t groups) {
  filter = splitAxis(l, filter, 0, groups); // [g, c, f, k...]
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), filter);
  std::swap(extents[1], extents[2]);
  int64_t rank = extents.size();
  Type type = cast<RankedTensorType>(filter.getType()).getElementType();
  bool isFixed =
      llvm::all_of(ArrayRef(extents).drop_front(3), [](OpFoldResult k) { return getConstantIntValue(k).has_value(); });
  if (!isFixed) {
    auto last =
        llvm::map_to_vector(extents, [&](OpFoldResult extent) { return l.index(l.sub(extent, l.b.getIndexAttr(1))); });
    Value result = l.generate(extents, type, [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
      SmallVector<Value> source(indices);
      std::swap(source[1], source[2]);
      for (int64_t axis = 3; axis < rank; ++axis)
        source[axis] = arith::SubIOp::create(b, loc, last[axis], source[axis]);
      return tensor::ExtractOp::create(b, loc, filter, source);
    });
    return joinAxes(l, result, 0);
  }
  SmallVector<AffineExpr> access;
  for (int64_t axis = 0; axis < rank; ++axis)
    access.push_back(l.b.getAffineDimExpr(axis));
  std::swap(access[1], access[2]);
  for (int64_t axis = 3; axis < rank; ++axis)
    access[axis] = *getConstantIntValue(extents[axis]) - 1 - access[axis];
  AffineMap map = AffineMap::get(rank, 0, access, l.b.getContext());
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  Value result = l.generic(l.empty(extents, type), filter, {map, l.b.getMultiDimIdentityMap(rank)}, parallel,
                           [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  return joinAxes(l, result, 0);
}

/// Where strides and kernel are equal: every element of X becomes a block of the result.
static Value blocks(Lowering &l, Value input, Value filter, const Windows &windows) {
  int64_t rank = windows.rank();
  SmallVector<OpFoldResult> x = tensor::getMixedSizes(l.b, l.loc(), input),
                            w = tensor::getMixedSizes(l.b, l.loc(), filter);
  // y[n, f, places..., inside...] += x[n, c, places...] * w[c, f, inside...]
  int64_t loops = 3 + 2 * rank, c = loops - 1;
  auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
  SmallVector<AffineExpr> ofInput = {loop(0), loop(c)}, ofFilter = {loop(c), loop(1)};
  SmallVector<OpFoldResult> extents = {x[0], w[1]}, joined = extents;
  SmallVector<int64_t> interleaved = {0, 1};
  for (int64_t axis = 0; axis < rank; ++axis) {
    ofInput.push_back(loop(2 + axis));
    ofFilter.push_back(loop(2 + rank + axis));
    interleaved.append({2 + axis, 2 + rank + axis});
    joined.push_back(l.mul(x[2 + axis], w[2 + axis]));
  }
  extents.append(x.begin() + 2, x.end());
  extents.append(w.begin() + 2, w.end());
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, l.b.getContext()); };
  SmallVector<utils::IteratorType> iterators(loops - 1, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  AffineMap ofResult = l.consecutive(loops, 0, loops - 1);
  Value result = l.sumOfProducts(extents, input, filter, {map(ofInput), map(ofFilter), ofResult}, iterators);
  result = l.transpose(result, interleaved);
  for (int64_t axis = 0; axis < rank; ++axis)
    result = joinAxes(l, result, 2 + axis);
  return result;
}

static FailureOr<Value> lowerConvTranspose(ConvTransposeOp op, Lowering &l) {
  FailureOr<Transposed> transposed = transposedOf(op, l.known);
  if (failed(transposed))
    return failure();
  Windows &windows = transposed->windows;
  ExtentMath &math = l.known.math;
  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  l.expectExtent(l.known.extents(op.getW())[0], l.known.extents(op.getX())[1], "filters of W");
  Value input = l.cast(l.broadcastable(op.getX(), l.known.extents(op.getX())), element, accumulator);
  Value filter = l.cast(l.broadcastable(op.getW(), l.known.extents(op.getW())), element, accumulator);

  checkPlaces(l, windows);
  bool isBlocked =
      op.getGroup() == 1 && llvm::all_of(windows.dilations, [](int64_t dilation) { return dilation == 1; });
  for (auto [stride, kernel] : llvm::zip_equal(windows.strides, windows.kernel))
    isBlocked &= ExtentMath::isConstant(kernel, stride);
  Value sum;
  if (isBlocked) {
    sum = cut(l, blocks(l, input, filter, windows), transposed->before, transposed->after);
  } else {
    // The window reaches over the edge as far as it still meets an element.
    Extents before, after;
    for (auto [axis, kernel] : llvm::enumerate(windows.kernel)) {
      Extent reach = math.mul(math.sub(kernel, math.constant(1)), math.constant(windows.dilations[axis]));
      before.push_back(math.sub(transposed->before[axis], reach));
      after.push_back(math.sub(transposed->after[axis], reach));
    }
    input = cut(l, spread(l, input, windows.strides), before, after);
    filter = turned(l, filter, op.getGroup());
    windows.strides.assign(windows.rank(), 1);
    sum = convolution(l, input, filter, op.getGroup(), windows);
  }
  return withBias(l, sum, accumulator, op.getB(), op.getY());
}

void addConvRules(Rules &rules) {
  rules.op<ConvOp>().shape(shapeOfConv).lower(lowerConv);
  rules.op<ConvTransposeOp>().shape(shapeOfConvTranspose).lower(lowerConvTranspose);
}

} // namespace mlc::onnx
