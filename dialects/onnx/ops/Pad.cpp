// Operators that put a tensor into a larger frame, or a smaller one: Pad, CenterCropPad.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

/// `data` placed into a tensor of `extents` that holds `fill` elsewhere; its first element comes to `low`, which may
/// lie outside, as may other elements.
static Value place(Value data, ArrayRef<Index> low, ArrayRef<OpFoldResult> extents, Value fill, Lowering &l) {
  SmallVector<OpFoldResult> from, to, sizes, steps(extents.size(), l.b.getIndexAttr(1));
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    Index whole(l, tensor::getMixedSize(l.b, l.loc(), data, axis)), target(l, extent);
    Index skipped = min(max(Index(l, 0) - low[axis], 0), whole), first = min(max(low[axis], 0), target);
    from.push_back(skipped);
    to.push_back(first);
    sizes.push_back(min(whole - skipped, target - first));
  }
  Value part = l.slice(data, from, sizes, steps);
  Value frame = l.filled(extents, fill);
  return l.insert(part, frame, to, sizes);
}

//===-- Pad ----------------------------------------------------------------------------===//

namespace {
/// What is added before and after each axis.
struct Amounts {
  Extents low, high;
};
} // namespace

static FailureOr<std::optional<Amounts>> amountsOf(PadOp op, Known &known) {
  int64_t rank = known.rank(op.getData());
  std::optional<Extents> pads = known.elementsOrSymbols(op.getPads());
  if (!pads)
    return std::optional<Amounts>();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (op.getAxes()) {
    std::optional<SmallVector<int64_t>> told = known.constants(op.getAxes());
    if (!told)
      return std::optional<Amounts>();
    if (failed(normalizedAxes(op, *told, rank)))
      return failure();
    axes = llvm::map_to_vector(*told, [&](int64_t axis) { return *normalizedAxis(axis, rank); });
  }
  if (pads->size() != 2 * axes.size())
    return op.emitOpError("expects two pads for each of ") << axes.size() << " axes, got " << pads->size();
  Extent zero = known.math.constant(0);
  Amounts amounts{Extents(rank, zero), Extents(rank, zero)};
  // ONNX counts pads as all begins, then all ends.
  for (auto [i, axis] : llvm::enumerate(axes)) {
    amounts.low[axis] = (*pads)[i];
    amounts.high[axis] = (*pads)[axes.size() + i];
  }
  return std::optional(std::move(amounts));
}

static FailureOr<Extents> shapeOfPad(PadOp op, Known &known) {
  if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, op.getMode()))
    return op.emitOpError("expects mode constant, reflect, edge or wrap, got ") << op.getMode();
  FailureOr<std::optional<Amounts>> amounts = amountsOf(op, known);
  if (failed(amounts))
    return failure();
  Extents extents(known.extents(op.getData()));
  if (!*amounts)
    return Extents(extents.size(), nullptr);
  for (auto [extent, low, high] : llvm::zip_equal(extents, (*amounts)->low, (*amounts)->high))
    extent = known.math.add(known.math.add(extent, low), high);
  return extents;
}

/// The amounts where the run tells the axes, or how many pads there are.
static FailureOr<std::pair<SmallVector<Index>, SmallVector<Index>>> amountsAtRunTime(PadOp op, Lowering &l) {
  int64_t rank = l.rank(op.getData());
  std::optional<Extents> pads = l.known.elementsOrSymbols(op.getPads());
  std::optional<Extents> axes = op.getAxes() ? l.known.elementsOrSymbols(op.getAxes()) : std::nullopt;
  if (op.getAxes() && !axes)
    return l.unsupported("the number of axes is known to the run only");
  int64_t count = axes ? axes->size() : rank;
  if (!pads) {
    Index given(l, tensor::getMixedSize(l.b, l.loc(), l(op.getPads()), 0));
    l.check(given == 2 * count, "expects %0 pads, got %1", {l.index(2 * count), given});
  }
  auto pad = [&](int64_t i) -> Index {
    if (pads)
      return Index(l, (*pads)[i]);
    Value element = tensor::ExtractOp::create(l.b, l.loc(), l(op.getPads()), l.index(i));
    return Index(l, Value(arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), element)));
  };
  SmallVector<Index> low(rank, Index(l, 0)), high(rank, Index(l, 0));
  for (int64_t i = 0; i < count; ++i) {
    if (!axes) {
      low[i] = pad(i);
      high[i] = pad(count + i);
      continue;
    }
    Index told(l, (*axes)[i]);
    l.check(told >= -rank && told < rank, "expects axes in [-%1, %1), got %0", {told, Index(l, rank)});
    for (int64_t axis = 0; axis < rank; ++axis) {
      Truth isThis = told == axis || told == axis - rank;
      low[axis] = select(isThis, pad(i), low[axis]);
      high[axis] = select(isThis, pad(count + i), high[axis]);
    }
  }
  return std::make_pair(low, high);
}

namespace {
/// What negative pads leave of an axis of the data; that is what others repeat, as in ONNX Runtime.
struct Remainder {
  Index first, count;
};
} // namespace

static Remainder remainderOf(Index extent, Index low, Index high, Lowering &l) {
  Index first = max(Index(l, 0) - low, 0);
  return {first, extent - first - max(Index(l, 0) - high, 0)};
}

/// For each place on a padded axis, the place of the data that it repeats.
static Value sourceOfAxis(StringRef mode, Index low, const Remainder &kept, OpFoldResult padded, Lowering &l) {
  return l.generate(padded, l.b.getIndexType(), [&](OpBuilder &, Location, ValueRange index) -> Value {
    Index at = Index(l, index.front()) - max(low, 0);
    if (mode == "edge")
      return kept.first + min(max(at, 0), kept.count - 1);
    // A period of reflection goes to the end and back, without repeating either.
    Index period = mode == "wrap" ? kept.count : max((kept.count - 1) * 2, 1);
    Index rest = at % period;
    rest = select(rest < 0, rest + period, rest);
    return kept.first + (mode == "wrap" ? rest : select(rest < kept.count, rest, period - rest));
  });
}

/// reflect, edge and wrap: every element is one of the data.
static Value padByRepeating(PadOp op, ArrayRef<Index> low, ArrayRef<Index> high, ArrayRef<OpFoldResult> padded,
                            ArrayRef<bool> isPadded, bool onlyAdds, Lowering &l) {
  Value data = l(op.getData());
  auto type = cast<RankedTensorType>(data.getType());
  int64_t rank = type.getRank();
  SmallVector<Value> sources;
  SmallVector<AffineMap> maps;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!isPadded[axis])
      continue;
    Index extent(l, tensor::getMixedSize(l.b, l.loc(), data, axis)), wanted(l, padded[axis]);
    Remainder kept = remainderOf(extent, low[axis], high[axis], l);
    if (!onlyAdds || type.isDynamicDim(axis) || type.getDimSize(axis) == 0)
      l.check(kept.count > 0 || wanted == 0, "expects elements to repeat on axis " + Twine(axis), {});
    sources.push_back(sourceOfAxis(op.getMode(), low[axis], kept, padded[axis], l));
    maps.push_back(AffineMap::get(rank, 0, l.b.getAffineDimExpr(axis)));
  }
  maps.push_back(l.b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(l.empty(padded, type.getElementType()), sources, maps, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     SmallVector<Value> index;
                     for (int64_t axis = 0; axis < rank; ++axis) {
                       index.push_back(isPadded[axis] ? args.front() : Value(linalg::IndexOp::create(b, loc, axis)));
                       if (isPadded[axis])
                         args = args.drop_front();
                     }
                     return tensor::ExtractOp::create(b, loc, data, index);
                   });
}

static FailureOr<Value> lowerPad(PadOp op, Lowering &l) {
  FailureOr<std::optional<Amounts>> told = amountsOf(op, l.known);
  if (failed(told))
    return failure();
  ArrayRef<Extent> from = l.known.extents(op.getData());
  Type storage = storageType(Lowering::element(op.getData()));
  Value fill = op.getConstantValue() ? l.storedElement(op.getConstantValue()) : l.scalar(0, storage);
  SmallVector<Index> low, high;
  SmallVector<bool> isPadded(from.size(), true);
  bool onlyAdds = false;
  if (*told) {
    for (auto [axis, before, after] : llvm::enumerate((*told)->low, (*told)->high)) {
      low.emplace_back(l, before);
      high.emplace_back(l, after);
      isPadded[axis] = !ExtentMath::isConstant(before, 0) || !ExtentMath::isConstant(after, 0);
    }
    auto isAdded = [&](Extent amount) { return l.known.math.isNonNegative(amount); };
    onlyAdds = llvm::all_of((*told)->low, isAdded) && llvm::all_of((*told)->high, isAdded);
  } else {
    auto amounts = amountsAtRunTime(op, l);
    if (failed(amounts))
      return failure();
    std::tie(low, high) = *amounts;
  }
  SmallVector<Index> wanted;
  for (auto [extent, before, after] : llvm::zip_equal(from, low, high))
    wanted.push_back(Index(l, extent) + before + after);
  SmallVector<OpFoldResult> padded = asFoldResults(wanted);
  if (!onlyAdds)
    l.checkExtents(padded);
  if (op.getMode() != "constant")
    return padByRepeating(op, low, high, padded, isPadded, onlyAdds, l);
  if (onlyAdds)
    return l.pad(l(op.getData()), asFoldResults(low), asFoldResults(high), fill);
  return place(l(op.getData()), low, padded, fill, l);
}

//===-- CenterCropPad ----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfCenterCropPad(CenterCropPadOp op, Known &known) {
  Extents extents(known.extents(op.getInputData()));
  int64_t rank = extents.size();
  SmallVector<int64_t> axes(op.getAxes() ? SmallVector<int64_t>(*op.getAxes())
                                         : llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  if (failed(normalizedAxes(op, axes, rank)))
    return failure();
  std::optional<Extents> shape = known.elementsOrSymbols(op.getShape());
  if (shape && shape->size() != axes.size())
    return op.emitOpError("expects a shape of ") << axes.size() << " extents, got " << shape->size();
  for (auto [i, axis] : llvm::enumerate(axes))
    extents[*normalizedAxis(axis, rank)] = shape ? (*shape)[i] : nullptr;
  return extents;
}

static FailureOr<Value> lowerCenterCropPad(CenterCropPadOp op, Lowering &l) {
  if (!l.known.elementsOrSymbols(op.getShape()))
    return l.unsupported("the length of the shape is known to the run only");
  ArrayRef<Extent> from = l.known.extents(op.getInputData()), to = l.known.extents(op.getOutputData());
  l.checkExtents(to);
  SmallVector<Index> low;
  for (auto [own, wanted] : llvm::zip_equal(from, to))
    low.push_back((Index(l, wanted) - Index(l, own)) / 2); // towards zero: the odd element is cut or added behind
  Value fill = l.scalar(0, storageType(Lowering::element(op.getInputData())));
  return place(l(op.getInputData()), low, l.materialize(to), fill, l);
}

/// What pads with a constant moves that, too; a constant that is not said is 0, which is no element of an operand.
static SmallVector<OpOperand *> movedByPad(PadOp op) {
  SmallVector<OpOperand *> moved = {&op.getDataMutable()};
  if (op.getMode() != "constant")
    return moved;
  if (!op.getConstantValue())
    return {};
  moved.push_back(&*op.getConstantValueMutable().begin());
  return moved;
}

void addPadRules(Rules &rules) {
  rules.op<PadOp>().shape(shapeOfPad).moves(movedByPad).lower(lowerPad);
  rules.op<CenterCropPadOp>().shape(shapeOfCenterCropPad).lower(lowerCenterCropPad);
}

} // namespace mlc::onnx
