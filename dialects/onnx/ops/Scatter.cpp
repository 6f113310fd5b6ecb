// Operators that write elements to places which an operand tells: ScatterElements, ScatterND, TensorScatter.
//
//   %y = onnx.ScatterElements(%data, %indices, %updates)   =>   a check that all indices are in range, then loops of
//                                                               tensor.insert, starting from %data
//
// One update after the other, in the order of the updates: the last one wins, and sums are the same in every run.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

/// How an update is joined with what is at its place; null for a replacement.
static FailureOr<ElementwiseBody> reductionOf(Operation *op, StringRef name) {
  if (name == "none")
    return ElementwiseBody(nullptr);
  if (Type element = getElementTypeOrSelf(op->getOperand(0).getType()); !isFloat(element) && !element.isIntOrIndex())
    return op->emitOpError("expects numbers where the reduction is ") << name << ", got elements of type " << element;
  if (name == "add")
    return ElementwiseBody(add);
  if (name == "mul")
    return ElementwiseBody(multiply);
  if (name == "max")
    return ElementwiseBody(larger);
  if (name == "min")
    return ElementwiseBody(smaller);
  return op->emitOpError("expects reduction none, add, mul, max or min, got ") << name;
}

/// `target` with `update` (stored) joined to the element at `place`.
static Value written(Lowering &l, Value target, Value update, ValueRange place, Type element,
                     ElementwiseBody reduction) {
  if (reduction) {
    Scalars s{l.b, l.loc(), element};
    Value old = loadScalar(l.b, l.loc(), tensor::ExtractOp::create(l.b, l.loc(), target, place), element);
    Value joined = reduction(s, {old, loadScalar(l.b, l.loc(), update, element)});
    update = storeScalar(l.b, l.loc(), joined, element);
  }
  return tensor::InsertOp::create(l.b, l.loc(), update, target, place);
}

/// Refuses `extent` where it is not `expected`, of axis `axis` of the updates.
static LogicalResult verifyUpdates(Operation *op, Extent extent, Extent expected, int64_t axis) {
  std::optional<int64_t> fixed = ExtentMath::asConstant(extent), wanted = ExtentMath::asConstant(expected);
  if (fixed && wanted && *fixed != *wanted)
    return op->emitOpError("expects updates of extent ") << *wanted << " on axis " << axis << ", got " << *fixed;
  return success();
}

static void checkUpdates(Lowering &l, Extent extent, Extent expected, int64_t axis) {
  if (l.known.math.isEqual(extent, expected))
    return;
  Index got(l, extent), wanted(l, expected);
  l.check(got == wanted, "expects updates of extent %0 on axis " + Twine(axis) + ", got %1", {wanted, got});
}

//===-- ScatterElements ----------------------------------------------------------------===//

static FailureOr<Facts> shapeOfScatterElements(ScatterElementsOp op, Known &known) {
  ArrayRef<Extent> data = known.extents(op.getData()), indices = known.extents(op.getIndices());
  ArrayRef<Extent> updates = known.extents(op.getUpdates());
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), data.size());
  if (!axis)
    return op.emitOpError("expects an axis in [")
           << -(int64_t)data.size() << ", " << (int64_t)data.size() - 1 << "], got " << op.getAxis();
  if (indices.size() != data.size() || updates.size() != data.size())
    return op.emitOpError("expects data, indices and updates of one rank, got ")
           << data.size() << ", " << indices.size() << " and " << updates.size();
  if (failed(reductionOf(op, op.getReduction())))
    return failure();
  for (auto [i, extent, expected, bound] : llvm::enumerate(updates, indices, data)) {
    if (failed(verifyUpdates(op, extent, expected, i)))
      return failure();
    std::optional<int64_t> own = ExtentMath::asConstant(expected), limit = ExtentMath::asConstant(bound);
    if ((int64_t)i != *axis && own && limit && *own > *limit)
      return op.emitOpError("expects indices of extent at most ") << *limit << " on axis " << i << ", got " << *own;
  }
  Facts result{Extents(data)};
  std::optional<ArrayRef<Extent>> old = known.elements(op.getData());
  std::optional<SmallVector<int64_t>> places = known.constants(op.getIndices());
  std::optional<ArrayRef<Extent>> values = known.elements(op.getUpdates());
  if (data.size() == 1 && old && places && values && op.getReduction() == "none") {
    result.elements = Extents(*old);
    for (auto [place, value] : llvm::zip_equal(*places, *values)) {
      std::optional<int64_t> at = normalizedAxis(place, old->size());
      if (!at)
        return Facts{Extents(data)};
      (*result.elements)[*at] = value;
    }
  }
  return result;
}

static FailureOr<Value> lowerScatterElements(ScatterElementsOp op, Lowering &l) {
  ArrayRef<Extent> data = l.known.extents(op.getData()), indices = l.known.extents(op.getIndices());
  ArrayRef<Extent> updates = l.known.extents(op.getUpdates());
  int64_t axis = *normalizedAxis(op.getAxis(), data.size());
  FailureOr<ElementwiseBody> reduction = reductionOf(op, op.getReduction());
  if (failed(reduction) || failed(checkIndices(l, op.getIndices(), data[axis])))
    return failure();
  for (auto [i, extent, expected, bound] : llvm::enumerate(updates, indices, data)) {
    checkUpdates(l, extent, expected, i);
    if ((int64_t)i == axis || l.known.math.isNonNegative(l.known.math.sub(bound, expected)))
      continue;
    Index own(l, expected), limit(l, bound);
    l.check(own <= limit, "expects indices of extent at most %0 on axis " + Twine(i) + ", got %1", {limit, own});
  }
  Index bound(l, data[axis]);
  Type element = Lowering::element(op.getData()), indexElement = Lowering::element(op.getIndices());
  Value places = l(op.getIndices()), values = l(op.getUpdates());
  return loopNest(l, l.materialize(indices), l(op.getData()),
                  [&](ValueRange index, ValueRange carried) {
                    Value stored = tensor::ExtractOp::create(l.b, l.loc(), places, index);
                    Value update = tensor::ExtractOp::create(l.b, l.loc(), values, index);
                    SmallVector<Value> place(index);
                    place[axis] = fromBeginning(l, stored, indexElement, bound);
                    return SmallVector<Value>{written(l, carried.front(), update, place, element, *reduction)};
                  })
      .front();
}

//===-- ScatterND ------------------------------------------------------------------------===//

/// The components of an index tuple: what the indices say, or else what the rank of the updates leaves.
static int64_t tupleLength(ScatterNDOp op, Known &known) {
  ArrayRef<Extent> indices = known.extents(op.getIndices());
  if (std::optional<int64_t> length = ExtentMath::asConstant(indices.back()))
    return *length;
  return (int64_t)indices.size() - 1 + known.rank(op.getData()) - known.rank(op.getUpdates());
}

static FailureOr<Facts> shapeOfScatterND(ScatterNDOp op, Known &known) {
  ArrayRef<Extent> data = known.extents(op.getData()), indices = known.extents(op.getIndices());
  ArrayRef<Extent> updates = known.extents(op.getUpdates());
  if (indices.empty() || data.empty())
    return op.emitOpError("expects data and indices of rank 1 at least");
  if (failed(reductionOf(op, op.getReduction())))
    return failure();
  int64_t length = tupleLength(op, known);
  if (length < 1 || length > (int64_t)data.size())
    return op.emitOpError("expects index tuples of 1 to ") << data.size() << " components, got " << length;
  Extents expected(indices.drop_back());
  llvm::append_range(expected, data.drop_front(length));
  if (updates.size() != expected.size())
    return op.emitOpError("expects updates of rank ") << expected.size() << ", got " << updates.size();
  for (auto [i, extent, wanted] : llvm::enumerate(updates, expected))
    if (failed(verifyUpdates(op, extent, wanted, i)))
      return failure();
  return Facts(Extents(data));
}

static FailureOr<Value> lowerScatterND(ScatterNDOp op, Lowering &l) {
  ArrayRef<Extent> data = l.known.extents(op.getData()), indices = l.known.extents(op.getIndices());
  int64_t length = tupleLength(op, l.known);
  checkTupleLength(l, indices.back(), length);
  FailureOr<ElementwiseBody> reduction = reductionOf(op, op.getReduction());
  if (failed(reduction))
    return failure();
  int64_t outer = indices.size() - 1;
  Extents extents(indices.drop_back());
  llvm::append_range(extents, data.drop_front(length));
  for (auto [i, extent, expected] : llvm::enumerate(l.known.extents(op.getUpdates()), extents))
    checkUpdates(l, extent, expected, i);
  SmallVector<Index> bounds;
  for (int64_t i = 0; i < length; ++i) {
    if (failed(checkIndexTuples(l, op.getIndices(), i, data[i])))
      return failure();
    bounds.emplace_back(l, data[i]);
  }
  Type element = Lowering::element(op.getData()), indexElement = Lowering::element(op.getIndices());
  Value tuples = l(op.getIndices()), values = l(op.getUpdates());
  SmallVector<OpFoldResult> outside = l.materialize(ArrayRef(extents).take_front(outer));
  SmallVector<OpFoldResult> inside = l.materialize(ArrayRef(extents).drop_front(outer));
  // The place is looked up once for all that is written there.
  return loopNest(l, outside, l(op.getData()),
                  [&](ValueRange index, ValueRange carried) {
                    SmallVector<Value> place, tuple(index);
                    for (int64_t i = 0; i < length; ++i) {
                      tuple.push_back(l.index(i));
                      Value stored = tensor::ExtractOp::create(l.b, l.loc(), tuples, tuple);
                      tuple.pop_back();
                      place.push_back(fromBeginning(l, stored, indexElement, bounds[i]));
                    }
                    return loopNest(l, inside, carried, [&](ValueRange rest, ValueRange inner) {
                      SmallVector<Value> source(index), target(place);
                      llvm::append_range(source, rest);
                      llvm::append_range(target, rest);
                      Value update = tensor::ExtractOp::create(l.b, l.loc(), values, source);
                      return SmallVector<Value>{written(l, inner.front(), update, target, element, *reduction)};
                    });
                  })
      .front();
}

//===-- TensorScatter --------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfTensorScatter(TensorScatterOp op, Known &known) {
  ArrayRef<Extent> cache = known.extents(op.getPastCache()), update = known.extents(op.getUpdate());
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), cache.size());
  if (!axis || *axis == 0)
    return op.emitOpError("expects an axis behind the batch, got ") << op.getAxis();
  if (update.size() != cache.size())
    return op.emitOpError("expects an update of rank ") << cache.size() << ", got " << update.size();
  if (op.getMode() != "linear" && op.getMode() != "circular")
    return op.emitOpError("expects mode linear or circular, got ") << op.getMode();
  for (auto [i, extent, expected] : llvm::enumerate(update, cache))
    if ((int64_t)i != *axis && failed(verifyUpdates(op, extent, expected, i)))
      return failure();
  return Extents(cache);
}

static FailureOr<Value> lowerTensorScatter(TensorScatterOp op, Lowering &l) {
  ArrayRef<Extent> cache = l.known.extents(op.getPastCache()), update = l.known.extents(op.getUpdate());
  int64_t axis = *normalizedAxis(op.getAxis(), cache.size());
  bool isCircular = op.getMode() == "circular";
  for (auto [i, extent, expected] : llvm::enumerate(update, cache))
    if ((int64_t)i != axis)
      checkUpdates(l, extent, expected, i);
  Index length(l, cache[axis]), count(l, update[axis]);
  l.check(count <= length, "expects an update of at most %0 places, got %1", {length, count});
  Value places = l(op.getWriteIndices());
  // The last place of a linear update must lie inside as well.
  ExtentMath &math = l.known.math;
  Extent bound = isCircular ? cache[axis] : math.add(math.sub(cache[axis], update[axis]), math.constant(1));
  Index end(l, bound);
  if (places) {
    Extent batch = l.known.extents(op.getWriteIndices()).front();
    if (!math.isEqual(batch, cache.front())) {
      Index told(l, batch), expected(l, cache.front());
      l.check(told == expected, "expects %0 write indices, got %1", {expected, told});
    }
    if (failed(checkIndices(l, op.getWriteIndices(), bound)))
      return failure();
  }
  Value values = l(op.getUpdate());
  Type indexElement = places ? Lowering::element(op.getWriteIndices()) : Type();
  return loopNest(l, l.materialize(update), l(op.getPastCache()),
                  [&](ValueRange index, ValueRange carried) {
                    Index at(l, index[axis]);
                    if (places) {
                      Value stored = tensor::ExtractOp::create(l.b, l.loc(), places, index.take_front(1));
                      at = at + fromBeginning(l, stored, indexElement, end);
                    }
                    SmallVector<Value> place(index);
                    place[axis] = isCircular ? select(at >= length, at - length, at) : at;
                    Value value = tensor::ExtractOp::create(l.b, l.loc(), values, index);
                    return SmallVector<Value>{tensor::InsertOp::create(l.b, l.loc(), value, carried.front(), place)};
                  })
      .front();
}

void addScatterRules(Rules &rules) {
  rules.op<ScatterElementsOp>().shape(shapeOfScatterElements).lower(lowerScatterElements);
  rules.op<ScatterNDOp>().shape(shapeOfScatterND).lower(lowerScatterND);
  rules.op<TensorScatterOp>().shape(shapeOfTensorScatter).lower(lowerTensorScatter);
}

} // namespace mlc::onnx
