// Operators that take a part of a tensor: Slice, Split, Trilu.
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Slice ------------------------------------------------------------------------===//

/// From here on a start or an end means "as far as it goes": exporters write the largest number of their index type.
static constexpr int64_t beyondAll = std::numeric_limits<int32_t>::max();

namespace {
/// What Slice is told; `axes` and `steps` are filled in where they are absent.
struct SliceArguments {
  Extents starts, ends, axes, steps;
};
} // namespace

static FailureOr<std::optional<SliceArguments>> argumentsOf(SliceOp op, Known &known) {
  std::optional<Extents> starts = known.elementsOrSymbols(op.getStarts()), ends = known.elementsOrSymbols(op.getEnds());
  if (!starts || !ends)
    return std::optional<SliceArguments>();
  SliceArguments told{*starts, *ends, {}, {}};
  for (size_t i = 0; i < starts->size(); ++i) {
    told.axes.push_back(known.math.constant(i));
    told.steps.push_back(known.math.constant(1));
  }
  for (auto [operand, list] : {std::pair<Value, Extents *>(op.getAxes(), &told.axes), {op.getSteps(), &told.steps}}) {
    if (!operand)
      continue;
    std::optional<Extents> elements = known.elementsOrSymbols(operand);
    if (!elements)
      return std::optional<SliceArguments>();
    *list = std::move(*elements);
  }
  for (size_t length : {told.ends.size(), told.axes.size(), told.steps.size()})
    if (length != told.starts.size())
      return op.emitOpError("expects starts, ends, axes and steps of one length, got ")
             << told.starts.size() << " and " << length;
  for (Extent step : told.steps)
    if (ExtentMath::isConstant(step, 0))
      return op.emitOpError("expects steps that are not 0");
  return std::optional(std::move(told));
}

/// `place` counted from the beginning of an axis; null where only the run tells whether it is negative.
static Extent fromBeginning(Extent place, Extent extent, ExtentMath &math) {
  if (std::optional<int64_t> fixed = ExtentMath::asConstant(place)) {
    if (*fixed >= beyondAll)
      return extent;
    if (*fixed <= -beyondAll)
      return math.constant(-1);
  }
  if (math.isNonNegative(place))
    return place;
  bool isNegative = math.isNonNegative(math.sub(math.constant(-1), place));
  return isNegative ? math.add(place, extent) : nullptr;
}

namespace {
/// Where a slice begins on an axis, and how many elements it has; null where only the run tells.
struct AxisSlice {
  Extent start, extent;
};
} // namespace

static AxisSlice sliceOf(Extent start, Extent end, int64_t step, Extent extent, ExtentMath &math) {
  start = fromBeginning(start, extent, math);
  end = fromBeginning(end, extent, math);
  if (!start || !end)
    return {};
  Extent zero = math.constant(0);
  if (step > 0) {
    start = math.max(start, zero);
    Extent length = math.ceilDiv(math.sub(math.min(end, extent), start), math.constant(step));
    return {math.min(start, extent), math.max(length, zero)};
  }
  start = math.min(start, math.sub(extent, math.constant(1)));
  Extent length = math.ceilDiv(math.sub(start, math.max(end, math.constant(-1))), math.constant(-step));
  return {math.max(start, zero), math.max(length, zero)};
}

static FailureOr<Facts> shapeOfSlice(SliceOp op, Known &known) {
  FailureOr<std::optional<SliceArguments>> told = argumentsOf(op, known);
  if (failed(told))
    return failure();
  Extents extents(known.extents(op.getData()));
  int64_t rank = extents.size();
  std::optional<SmallVector<int64_t>> axes = *told ? ExtentMath::asConstants((*told)->axes) : std::nullopt;
  if (!axes)
    return Facts(Extents(rank, nullptr));
  if (failed(normalizedAxes(op, *axes, rank)))
    return failure();
  Extents starts(rank, known.math.constant(0));
  SmallVector<int64_t> steps(rank, 1);
  for (auto [i, entry] : llvm::enumerate(*axes)) {
    int64_t axis = *normalizedAxis(entry, rank);
    std::optional<int64_t> step = ExtentMath::asConstant((*told)->steps[i]);
    AxisSlice slice;
    if (step)
      slice = sliceOf((*told)->starts[i], (*told)->ends[i], *step, extents[axis], known.math);
    steps[axis] = step.value_or(1);
    starts[axis] = slice.start;
    extents[axis] = slice.extent;
  }
  std::optional<Extents> elements;
  bool isComplete = llvm::all_of(starts, [](Extent start) { return start && ExtentMath::asConstant(start); }) &&
                    llvm::all_of(extents, [](Extent extent) { return extent != nullptr; });
  if (isComplete) {
    SmallVector<int64_t> source(rank), first = *ExtentMath::asConstants(starts);
    elements = tellElements(extents, [&](ArrayRef<int64_t> index) {
      for (int64_t axis = 0; axis < rank; ++axis)
        source[axis] = first[axis] + index[axis] * steps[axis];
      return known.element(op.getData(), source);
    });
  }
  return Facts(std::move(extents), std::move(elements));
}

/// What of an axis is taken, at run time.
namespace {
struct RunSlice {
  Index start, extent, step;
};
} // namespace

/// The same as `sliceOf`, for whatever the run says.
static RunSlice sliceAtRunTime(Index start, Index end, Index step, Index extent, Lowering &l) {
  Index zero(l, 0), one(l, 1);
  Truth isForward = step > 0;
  Index last = select(isForward, extent, extent - 1), first = select(isForward, zero, Index(l, -1));
  start = min(max(select(start < 0, start + extent, start), first), last);
  end = min(max(select(end < 0, end + extent, end), first), last);
  Index distance = select(isForward, end - start, start - end);
  // The smallest number has no opposite; no slice takes two steps of that size.
  Index size = max(select(isForward, step, Index(l, 0) - max(step, -beyondAll)), 1);
  Index length = select(distance > 0, (distance - 1) / size + 1, zero);
  return {max(start, zero), length, step};
}

static FailureOr<Value> lowerSlice(SliceOp op, Lowering &l) {
  FailureOr<std::optional<SliceArguments>> arguments = argumentsOf(op, l.known);
  if (failed(arguments))
    return failure();
  if (!*arguments)
    return l.unsupported("the number of sliced axes is known to the run only");
  SliceArguments &told = **arguments;
  ArrayRef<Extent> from = l.known.extents(op.getData()), to = l.known.extents(op.getOutput());
  int64_t rank = from.size();
  for (Extent step : told.steps)
    if (!ExtentMath::asConstant(step))
      l.check(Index(l, step) != 0, "expects steps that are not 0", {});

  SmallVector<RunSlice> slices;
  std::optional<SmallVector<int64_t>> axes = ExtentMath::asConstants(told.axes),
                                      steps = ExtentMath::asConstants(told.steps);
  for (Extent extent : from)
    slices.push_back({Index(l, 0), Index(l, extent), Index(l, 1)});
  for (auto [i, entry] : llvm::enumerate(told.axes)) {
    Index start(l, told.starts[i]), end(l, told.ends[i]), step(l, told.steps[i]);
    if (axes) {
      int64_t axis = *normalizedAxis((*axes)[i], rank);
      AxisSlice known;
      if (steps)
        known = sliceOf(told.starts[i], told.ends[i], (*steps)[i], from[axis], l.known.math);
      slices[axis] = known.start ? RunSlice{Index(l, known.start), Index(l, to[axis]), step}
                                 : sliceAtRunTime(start, end, step, Index(l, from[axis]), l);
      continue;
    }
    Index axis(l, entry);
    l.check(axis >= -rank && axis < rank, "expects axes in [-%1, %1), got %0", {axis, Index(l, rank)});
    for (auto [at, slice] : llvm::enumerate(slices)) {
      Truth isThis = axis == at || axis == int64_t(at) - rank;
      RunSlice told = sliceAtRunTime(start, end, step, Index(l, from[at]), l);
      slice = {select(isThis, told.start, slice.start), select(isThis, told.extent, slice.extent),
               select(isThis, told.step, slice.step)};
    }
  }
  auto part = [&](Index RunSlice::*member) {
    return llvm::map_to_vector(slices, [&](RunSlice &slice) { return OpFoldResult(slice.*member); });
  };
  Value data = l(op.getData());
  if (steps && llvm::all_of(*steps, [](int64_t step) { return step > 0; }))
    return l.slice(data, part(&RunSlice::start), part(&RunSlice::extent), part(&RunSlice::step));
  Type storage = cast<RankedTensorType>(data.getType()).getElementType();
  return l.generate(part(&RunSlice::extent), storage, [&](OpBuilder &b, Location loc, ValueRange index) -> Value {
    SmallVector<Value> source;
    for (auto [at, slice] : llvm::zip_equal(index, slices))
      source.push_back(slice.start + Index(l, at) * slice.step);
    return tensor::ExtractOp::create(b, loc, data, source);
  });
}

//===-- Split --------------------------------------------------------------------------===//

/// The extents of the parts along the axis.
static FailureOr<Extents> partsOf(SplitOp op, int64_t axis, Known &known) {
  Extent extent = known.extents(op.getInput())[axis];
  size_t count = op.getOutputs().size();
  ExtentMath &math = known.math;
  if (op.getSplit()) {
    std::optional<Extents> parts = known.elementsOrSymbols(op.getSplit());
    if (!parts)
      return Extents(count, nullptr);
    if (parts->size() != count)
      return op.emitOpError("expects one extent for each of ") << count << " results, got " << parts->size();
    Extent sum = math.constant(0);
    for (Extent part : *parts)
      sum = math.add(sum, part);
    std::optional<int64_t> fixed = ExtentMath::asConstant(extent), told = ExtentMath::asConstant(sum);
    if (fixed && told && *fixed != *told)
      return op.emitOpError("expects parts of ") << *fixed << " in all, got " << *told;
    return *parts;
  }
  if (op.getNumOutputs().value_or(count) != (int64_t)count)
    return op.emitOpError("expects ") << *op.getNumOutputs() << " results, got " << count;
  // Equal parts; the last may be smaller, or empty.
  Extent part = math.ceilDiv(extent, math.constant(count)), zero = math.constant(0);
  Extents parts;
  for (size_t i = 0; i < count; ++i) {
    Extent left = math.sub(extent, math.mul(part, math.constant(i)));
    bool isWhole = ExtentMath::isConstant(math.mod(extent, math.constant(count)), 0);
    parts.push_back(isWhole ? part : math.min(math.max(left, zero), part));
  }
  return parts;
}

static FailureOr<int64_t> axisOf(SplitOp op, int64_t rank) {
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  return *axis;
}

static FailureOr<SmallVector<Facts>> shapeOfSplit(SplitOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getInput());
  FailureOr<int64_t> axis = axisOf(op, from.size());
  if (failed(axis))
    return failure();
  FailureOr<Extents> parts = partsOf(op, *axis, known);
  if (failed(parts))
    return failure();
  SmallVector<Facts> results;
  std::optional<int64_t> first = 0;
  for (Extent part : *parts) {
    Extents extents(from);
    extents[*axis] = part;
    std::optional<Extents> elements;
    if (part && first)
      elements = tellElements(extents, [&](ArrayRef<int64_t> index) {
        SmallVector<int64_t> source(index);
        source[*axis] += *first;
        return known.element(op.getInput(), source);
      });
    results.emplace_back(std::move(extents), std::move(elements));
    std::optional<int64_t> length = part ? ExtentMath::asConstant(part) : std::nullopt;
    first = first && length ? std::optional(*first + *length) : std::nullopt;
  }
  return results;
}

static FailureOr<SmallVector<Value>> lowerSplit(SplitOp op, Lowering &l) {
  ArrayRef<Extent> from = l.known.extents(op.getInput());
  FailureOr<int64_t> axis = axisOf(op, from.size());
  if (failed(axis))
    return failure();
  FailureOr<Extents> parts = partsOf(op, *axis, l.known);
  if (failed(parts))
    return failure();
  ExtentMath &math = l.known.math;
  Extent sum = math.constant(0);
  for (Extent part : *parts) {
    if (!part)
      return l.unsupported("the number of parts is known to the run only");
    sum = math.add(sum, part);
    if (!math.isNonNegative(part)) {
      Index told(l, part);
      l.check(told >= 0, "expects extents that are not negative, got %0", {told});
    }
  }
  if (op.getSplit() && !math.isEqual(sum, from[*axis])) {
    Index expected(l, from[*axis]), got(l, sum);
    l.check(expected == got, "expects parts of %0 in all, got %1", {expected, got});
  }
  int64_t rank = from.size();
  SmallVector<OpFoldResult> offsets(rank, l.b.getIndexAttr(0)), steps(rank, l.b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = l.materialize(from);
  SmallVector<Value> results;
  Extent first = math.constant(0);
  for (Extent part : *parts) {
    offsets[*axis] = l.materialize(first);
    sizes[*axis] = l.materialize(part);
    results.push_back(l.slice(l(op.getInput()), offsets, sizes, steps));
    first = math.add(first, part);
  }
  return results;
}

//===-- Trilu ----------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfTrilu(TriluOp op, Known &known) {
  ArrayRef<Extent> extents = known.extents(op.getInput());
  if (extents.size() < 2)
    return op.emitOpError("expects a tensor of matrices, got rank ") << extents.size();
  return Extents(extents);
}

static FailureOr<Value> lowerTrilu(TriluOp op, Lowering &l) {
  Value input = l(op.getInput());
  auto type = cast<RankedTensorType>(input.getType());
  int64_t rank = type.getRank();
  // Far-away diagonals are all the same; clamped, they can be added to a place without overflow.
  Index diagonal = op.getK() ? Index(l, l.elementAsIndex(op.getK(), 0)) : Index(l, 0);
  diagonal = min(max(diagonal, -beyondAll), beyondAll);
  AffineMap identity = l.b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  Value zero = l.scalar(0, type.getElementType());
  return l.generic(l.empty(op.getOutput()), input, {identity, identity}, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     Index row(l, linalg::IndexOp::create(b, loc, rank - 2).getResult());
                     Index column(l, linalg::IndexOp::create(b, loc, rank - 1).getResult());
                     Truth isKept = op.getUpper() ? column >= row + diagonal : column <= row + diagonal;
                     return arith::SelectOp::create(b, loc, isKept, args.front(), zero);
                   });
}

void addSliceRules(Rules &rules) {
  rules.op<SliceOp>().shape(shapeOfSlice).moves().lower(lowerSlice);
  rules.op<SplitOp>().shape(shapeOfSplit).moves().lower(lowerSplit);
  rules.op<TriluOp>().shape(shapeOfTrilu).lower(lowerTrilu);
}

} // namespace mlc::onnx
