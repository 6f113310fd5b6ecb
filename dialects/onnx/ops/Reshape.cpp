// Operators after which every element is where it was, in row-major order; only the extents change.
//
//   %y = onnx.Reshape(%x, [0, -1, 64])   =>   tensor.collapse_shape, tensor.expand_shape
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

/// The facts of `data` with other extents; the elements stay in their order.
static Facts withExtents(Value data, Extents extents, Known &known) {
  std::optional<Extents> elements;
  if (std::optional<ArrayRef<Extent>> list = known.elements(data))
    if (ExtentMath::asConstants(extents))
      elements = Extents(*list);
  return Facts(std::move(extents), std::move(elements));
}

/// Whether a rule left the extent to the run: it is a symbol of the result itself.
static bool isToldByRun(Extent extent, Value result, const ExtentMath &math) {
  auto symbol = dyn_cast<AffineSymbolExpr>(extent);
  return symbol && math.symbols()[symbol.getPosition()].value == result;
}

//===-- Reshape ------------------------------------------------------------------===//

/// What an entry of Reshape's shape asks for.
enum class Entry {
  Extent, ///< the number itself
  Copy,   ///< 0: the extent of the data on this axis
  Rest,   ///< -1: what the other extents leave
  Unknown ///< one of the three, as the run will tell
};

static Entry entryOf(Extent entry, bool zeroCopies, const ExtentMath &math) {
  if (std::optional<int64_t> fixed = ExtentMath::asConstant(entry))
    return *fixed == -1 ? Entry::Rest : *fixed == 0 && zeroCopies ? Entry::Copy : Entry::Extent;
  // Arithmetic on extents is an extent: exporters write 0 and -1 as numbers.
  bool isData = false;
  entry.walk([&](Extent part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      isData |= math.symbols()[symbol.getPosition()].kind == Symbol::ElementOf;
  });
  return isData && !math.isNonNegative(entry) ? Entry::Unknown : Entry::Extent;
}

static FailureOr<Facts> shapeOfReshape(ReshapeOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getData());
  std::optional<Extents> entries = known.elementsOrSymbols(op.getShape());
  if (!entries)
    return Facts(); // not even the rank
  ExtentMath &math = known.math;
  Extents to;
  std::optional<size_t> rest;
  bool isComplete = true;
  for (auto [axis, entry] : llvm::enumerate(*entries)) {
    switch (entryOf(entry, op.getAllowzero() == 0, math)) {
    case Entry::Extent:
      if (std::optional<int64_t> fixed = ExtentMath::asConstant(entry); fixed && *fixed < 0)
        return op.emitOpError("expects extents, 0 or -1 in its shape, got ") << *fixed;
      to.push_back(entry);
      break;
    case Entry::Copy:
      if (axis >= from.size())
        return op.emitOpError("copies axis ") << axis << " of data that has rank " << from.size();
      to.push_back(from[axis]);
      break;
    case Entry::Rest:
      if (rest)
        return op.emitOpError("expects at most one -1 in its shape");
      rest = axis;
      to.push_back(math.constant(1));
      break;
    case Entry::Unknown:
      isComplete = false;
      to.push_back(nullptr);
      break;
    }
  }
  if (!isComplete) {
    if (rest)
      to[*rest] = nullptr;
    return withExtents(op.getData(), std::move(to), known);
  }
  Extent count = math.product(from), others = math.product(to);
  std::optional<int64_t> fixedCount = ExtentMath::asConstant(count), fixedOthers = ExtentMath::asConstant(others);
  if (rest) {
    if (fixedOthers == 0)
      return op.emitOpError("cannot tell -1 beside an extent of 0");
    if (fixedCount && fixedOthers && *fixedCount % *fixedOthers != 0)
      return op.emitOpError("cannot divide ") << *fixedCount << " elements into rows of " << *fixedOthers;
    to[*rest] = math.floorDiv(count, others);
  } else if (fixedCount && fixedOthers && *fixedCount != *fixedOthers) {
    return op.emitOpError("expects a shape of ") << *fixedCount << " elements, got " << *fixedOthers;
  }
  return withExtents(op.getData(), std::move(to), known);
}

/// The extents where an entry of the shape is known to the run only.
static SmallVector<OpFoldResult> reshapeAtRunTime(ReshapeOp op, Lowering &l) {
  SmallVector<OpFoldResult> from = l.extents(op.getData());
  SmallVector<Index> extents;
  SmallVector<Truth> isRest;
  Index restCount(l, 0), others(l, 1), count(l, 1), told(l, 1);
  for (auto [axis, entry] : llvm::enumerate(*l.known.elementsOrSymbols(op.getShape()))) {
    Index extent(l, entry);
    isRest.push_back(extent == -1);
    restCount = restCount + select(isRest.back(), Index(l, 1), Index(l, 0));
    if (op.getAllowzero() == 0 && axis < from.size())
      extent = select(extent == 0, Index(l, from[axis]), extent);
    extents.push_back(select(isRest.back(), Index(l, 1), extent));
  }
  l.check(restCount <= 1, "expects at most one -1 in its shape, got %0", {restCount});
  l.checkExtents(asFoldResults(extents));
  for (Index extent : extents)
    others = others * extent;
  for (OpFoldResult extent : from)
    count = count * Index(l, extent);
  Index rest = count / max(others, 1);
  for (auto [extent, isThis] : llvm::zip_equal(extents, isRest)) {
    extent = select(isThis, rest, extent);
    told = told * extent;
  }
  l.check(told == count, "expects a shape of %0 elements, got %1", {count, told});
  return asFoldResults(extents);
}

static FailureOr<Value> lowerReshape(ReshapeOp op, Lowering &l) {
  ExtentMath &math = l.known.math;
  if (!l.known.of(op.getReshaped()).extents)
    return l.unsupported("the rank of the result is known to the run only");
  ArrayRef<Extent> from = l.known.extents(op.getData()), to = l.known.extents(op.getReshaped());
  if (llvm::any_of(to, [&](Extent extent) { return isToldByRun(extent, op.getReshaped(), math); })) {
    if (!l.known.elementsOrSymbols(op.getShape()))
      return l.unsupported("the length of the shape is known to the run only");
    return l.reshape(l(op.getData()), reshapeAtRunTime(op, l));
  }
  l.checkExtents(to);
  Extent count = math.product(from), told = math.product(to);
  if (!math.isEqual(count, told)) {
    Index expected(l, count), got(l, told);
    l.check(expected == got, "expects a shape of %0 elements, got %1", {expected, got});
  }
  return l.reshape(l(op.getData()), from, to);
}

//===-- Flatten --------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfFlatten(FlattenOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getInput());
  int64_t rank = from.size(), axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  if (axis < 0 || axis > rank)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank << "], got " << op.getAxis();
  return withExtents(op.getInput(),
                     {known.math.product(from.take_front(axis)), known.math.product(from.drop_front(axis))}, known);
}

static FailureOr<Value> lowerFlatten(FlattenOp op, Lowering &l) {
  return l.reshape(l(op.getInput()), l.known.extents(op.getInput()), l.known.extents(op.getOutput()));
}

//===-- Squeeze ----------------------------------------------------------------------===//

/// The axes that are taken out; none where that is known to the run only.
static FailureOr<std::optional<SmallVector<int64_t>>> squeezedAxes(SqueezeOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getData());
  if (op.getAxes()) {
    std::optional<SmallVector<int64_t>> axes = known.constants(op.getAxes());
    if (!axes)
      return std::optional<SmallVector<int64_t>>();
    FailureOr<SmallVector<int64_t>> normal = normalizedAxes(op, *axes, from.size());
    if (failed(normal))
      return failure();
    return std::optional(std::move(*normal));
  }
  // Extents that only the run tells are taken not to be 1, which the run checks: the rank is known then.
  SmallVector<int64_t> units;
  for (auto [axis, extent] : llvm::enumerate(from))
    if (ExtentMath::isConstant(extent, 1))
      units.push_back(axis);
  return std::optional(std::move(units));
}

static FailureOr<Facts> shapeOfSqueeze(SqueezeOp op, Known &known) {
  FailureOr<std::optional<SmallVector<int64_t>>> axes = squeezedAxes(op, known);
  if (failed(axes))
    return failure();
  ArrayRef<Extent> from = known.extents(op.getData());
  if (!*axes) {
    std::optional<Extents> entries = op.getAxes() ? known.elementsOrSymbols(op.getAxes()) : std::nullopt;
    if (!entries || entries->size() > from.size())
      return Facts();
    return Facts(Extents(from.size() - entries->size(), nullptr));
  }
  Extents to;
  for (auto [axis, extent] : llvm::enumerate(from)) {
    if (!llvm::is_contained(**axes, axis)) {
      to.push_back(extent);
      continue;
    }
    if (std::optional<int64_t> fixed = ExtentMath::asConstant(extent); fixed && *fixed != 1)
      return op.emitOpError("expects extent 1 on axis ") << axis << ", got " << *fixed;
  }
  return withExtents(op.getData(), std::move(to), known);
}

/// Whether the run names `axis` of `rank` axes among `entries`.
static Truth isNamed(int64_t axis, int64_t rank, ArrayRef<Extent> entries, Lowering &l) {
  Truth result(l, false);
  for (Extent entry : entries) {
    Index told(l, entry);
    result = result || told == axis || told == axis - rank;
  }
  return result;
}

/// Extents without the axes that the run tells, in order: result axis i is the i-th data axis that is not among them.
static FailureOr<Value> squeezeAtRunTime(SqueezeOp op, Lowering &l) {
  std::optional<Extents> entries = op.getAxes() ? l.known.elementsOrSymbols(op.getAxes()) : std::nullopt;
  if (!entries || !l.known.of(op.getSqueezed()).extents)
    return l.unsupported("the rank of the result is known to the run only");
  SmallVector<OpFoldResult> from = l.extents(op.getData());
  int64_t rank = from.size(), left = rank - entries->size();
  SmallVector<Index> to(left, Index(l, 1));
  Index place(l, 0);
  for (int64_t axis = 0; axis < rank; ++axis) {
    Truth isTaken = isNamed(axis, rank, *entries, l);
    Index extent(l, from[axis]);
    l.check(!isTaken || extent == 1, "expects extent 1 on axis " + Twine(axis) + ", got %0", {extent});
    for (auto [i, own] : llvm::enumerate(to))
      own = select(!isTaken && place == i, extent, own);
    place = place + select(isTaken, Index(l, 0), Index(l, 1));
  }
  l.check(place == left, "expects every axis once and in range; %0 axes are left of " + Twine(rank), {place});
  Value data = l(op.getData());
  // Where too few axes can have extent 1, a check has failed, and there is nothing that could be reshaped.
  auto isWide = [](OpFoldResult extent) { return getConstantIntValue(extent).value_or(1) != 1; };
  if (llvm::count_if(from, isWide) > left)
    return tensor::EmptyOp::create(l.b, l.loc(), asFoldResults(to), getElementTypeOrSelf(data.getType())).getResult();
  return l.reshape(data, asFoldResults(to));
}

static FailureOr<Value> lowerSqueeze(SqueezeOp op, Lowering &l) {
  FailureOr<std::optional<SmallVector<int64_t>>> axes = squeezedAxes(op, l.known);
  if (failed(axes))
    return failure();
  if (!*axes)
    return squeezeAtRunTime(op, l);
  Extents from(l.known.extents(op.getData()));
  for (int64_t axis : **axes) {
    if (ExtentMath::isConstant(from[axis], 1))
      continue;
    Index extent(l, from[axis]);
    l.check(extent == 1, "expects extent 1 on axis " + Twine(axis) + ", got %0", {extent});
    from[axis] = l.known.math.constant(1);
  }
  for (auto [axis, own] : llvm::enumerate(from))
    if (!op.getAxes() && !ExtentMath::asConstant(own)) {
      Index extent(l, own);
      l.check(extent != 1, "expects an extent other than 1 on axis " + Twine(axis) + ", which would be taken out", {});
    }
  return l.reshape(l(op.getData()), from, l.known.extents(op.getSqueezed()));
}

//===-- Unsqueeze --------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfUnsqueeze(UnsqueezeOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getData());
  std::optional<Extents> entries = known.elementsOrSymbols(op.getAxes());
  if (!entries)
    return Facts();
  int64_t rank = from.size() + entries->size();
  std::optional<SmallVector<int64_t>> axes = ExtentMath::asConstants(*entries);
  if (!axes)
    return Facts(Extents(rank, nullptr));
  FailureOr<SmallVector<int64_t>> normal = normalizedAxes(op, *axes, rank);
  if (failed(normal))
    return failure();
  Extents to;
  for (int64_t axis = 0; axis < rank; ++axis) {
    bool isNew = llvm::is_contained(*normal, axis);
    to.push_back(isNew ? known.math.constant(1) : from.front());
    if (!isNew)
      from = from.drop_front();
  }
  return withExtents(op.getData(), std::move(to), known);
}

/// Extents with axes added where the run tells: an axis that is not new has the next extent of the data.
static Value unsqueezeAtRunTime(UnsqueezeOp op, Lowering &l) {
  SmallVector<OpFoldResult> from = l.extents(op.getData());
  Extents entries = *l.known.elementsOrSymbols(op.getAxes());
  int64_t rank = from.size() + entries.size();
  SmallVector<Index> to;
  Index next(l, 0);
  for (int64_t axis = 0; axis < rank; ++axis) {
    Truth isNew = isNamed(axis, rank, entries, l);
    Index extent(l, 1);
    for (auto [i, own] : llvm::enumerate(from))
      extent = select(next == i, Index(l, own), extent);
    to.push_back(select(isNew, Index(l, 1), extent));
    next = next + select(isNew, Index(l, 0), Index(l, 1));
  }
  l.check(next == from.size(),
          "expects every axis once and in range, with " + Twine(from.size()) + " axes left, got %0", {next});
  return l.reshape(l(op.getData()), asFoldResults(to));
}

static FailureOr<Value> lowerUnsqueeze(UnsqueezeOp op, Lowering &l) {
  std::optional<Extents> entries = l.known.elementsOrSymbols(op.getAxes());
  if (!entries)
    return l.unsupported("the number of axes is known to the run only");
  if (!ExtentMath::asConstants(*entries))
    return unsqueezeAtRunTime(op, l);
  return l.reshape(l(op.getData()), l.known.extents(op.getData()), l.known.extents(op.getExpanded()));
}

void addReshapeRules(Rules &rules) {
  rules.op<ReshapeOp>().shape(shapeOfReshape).moves().lower(lowerReshape);
  rules.op<FlattenOp>().shape(shapeOfFlatten).moves().lower(lowerFlatten);
  rules.op<SqueezeOp>().shape(shapeOfSqueeze).moves().lower(lowerSqueeze);
  rules.op<UnsqueezeOp>().shape(shapeOfUnsqueeze).moves().lower(lowerUnsqueeze);
}

} // namespace mlc::onnx
