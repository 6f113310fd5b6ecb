// Operators that put elements into an order: TopK, Unique.
//
//   %values, %indices = onnx.TopK(%x, %k)   =>   loops that keep the best %k of each slice in a heap, in the result
//                                                %indices itself, then take the worst off until it is sorted; and
//                                                %values = linalg.generic ins(%indices) { tensor.extract %x[...] }
//
// Equal elements come in the order of their indices, NaN counts as the largest number.
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Heap.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Order of elements --------------------------------------------------------------===//

static LogicalResult verifyOrdered(Lowering &l, Type element) {
  if (isFloat(element) || element.isIntOrIndex() || isa<StringType>(element))
    return success();
  return l.unsupported("elements of this type have no order here");
}

/// The elements of `data` whose positions along `axis` are those in `places`; `maps` read them by the loops of the
/// result.
static Value taken(Lowering &l, Value data, Value places, AffineMap placeMap, ArrayRef<OpFoldResult> extents,
                   int64_t axis) {
  int64_t rank = extents.size();
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  Type storage = cast<RankedTensorType>(data.getType()).getElementType();
  return l.generic(l.empty(extents, storage), places, {placeMap, l.b.getMultiDimIdentityMap(rank)}, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     SmallVector<Value> source;
                     for (int64_t i = 0; i < rank; ++i)
                       source.push_back(i == axis
                                            ? Value(arith::IndexCastOp::create(b, loc, b.getIndexType(), args.front()))
                                            : Value(linalg::IndexOp::create(b, loc, i)));
                     return tensor::ExtractOp::create(b, loc, data, source);
                   });
}

//===-- TopK -------------------------------------------------------------------------------===//

static FailureOr<SmallVector<Facts>> shapeOfTopK(TopKOp op, Known &known) {
  Extents extents(known.extents(op.getX()));
  int64_t rank = extents.size();
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  std::optional<Extents> k = known.elementsOrSymbols(op.getK());
  if (k && k->size() != 1)
    return op.emitOpError("expects one K, got ") << k->size();
  std::optional<int64_t> fixed = k ? ExtentMath::asConstant(k->front()) : std::nullopt,
                         bound = ExtentMath::asConstant(extents[*axis]);
  if (fixed && (*fixed < 0 || (bound && *fixed > *bound))) {
    InFlightDiagnostic error = op.emitOpError("expects K in [0, ");
    return (bound ? error << *bound : error << "extent of the axis") << "], got " << *fixed;
  }
  extents[*axis] = k ? k->front() : Extent();
  return SmallVector<Facts>(op->getNumResults(), Facts(extents));
}

static FailureOr<SmallVector<Value>> lowerTopK(TopKOp op, Lowering &l) {
  Type element = Lowering::element(op.getX());
  if (failed(verifyOrdered(l, element)))
    return failure();
  ArrayRef<Extent> extents = l.known.extents(op.getX());
  int64_t rank = extents.size(), axis = *normalizedAxis(op.getAxis(), rank);
  Index count(l, extents[axis]), kept(l, l.elementAsIndex(op.getK(), 0));
  if (!ExtentMath::asConstant(l.known.extents(op.getValues())[axis]) || !ExtentMath::asConstant(extents[axis]))
    l.check(kept >= 0 && kept <= count, "expects K in [0, %0], got %1", {count, kept});
  Value data = l(op.getX());
  SmallVector<OpFoldResult> result = l.extents(op.getX()), outer = result;
  result[axis] = OpFoldResult(kept);
  outer.erase(outer.begin() + axis);

  Value indices = l.generate(result, l.b.getI64Type(), [&](OpBuilder &b, Location loc, ValueRange index) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), index[axis]);
  });
  bool largest = op.getLargest();
  indices = loopNest(l, outer, indices, [&](ValueRange slice, ValueRange carried) {
              auto place = [&](Value position) {
                SmallVector<Value> index(slice);
                index.insert(index.begin() + axis, position);
                return index;
              };
              auto before = [&](Index a, Index b) {
                Scalars s{l.b, l.loc(), element};
                auto load = [&](Index at) {
                  return loadScalar(l.b, l.loc(), tensor::ExtractOp::create(l.b, l.loc(), data, place(at)), element);
                };
                Value x = load(a), y = load(b);
                Truth less(l, isLess(s, x, y)), greater(l, isLess(s, y, x));
                return (largest ? greater : less) || (!(largest ? less : greater) && a < b);
              };
              return SmallVector<Value>{Heap(l, place, before).choose(carried[0], kept, count)};
            }).front();
  SmallVector<Value> results = {
      taken(l, data, indices, l.b.getMultiDimIdentityMap(rank), tensor::getMixedSizes(l.b, l.loc(), indices), axis)};
  results.push_back(indices);
  return results;
}

//===-- Unique -------------------------------------------------------------------------------===//

/// The axis whose slices are compared; none: all elements are.
static FailureOr<std::optional<int64_t>> axisOf(UniqueOp op, int64_t rank) {
  if (!op.getAxis())
    return std::optional<int64_t>();
  std::optional<int64_t> axis = normalizedAxis(*op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << *op.getAxis();
  return axis;
}

static FailureOr<SmallVector<Facts>> shapeOfUnique(UniqueOp op, Known &known) {
  Extents extents(known.extents(op.getX()));
  FailureOr<std::optional<int64_t>> axis = axisOf(op, extents.size());
  if (failed(axis))
    return failure();
  Extent all = *axis ? extents[**axis] : known.math.product(extents);
  if (*axis)
    extents[**axis] = nullptr;
  else
    extents = {nullptr};
  SmallVector<Facts> results;
  for (Value result : op->getResults())
    results.push_back(result == op.getY()                ? Facts(extents)
                      : result == op.getInverseIndices() ? Facts(Extents{all})
                                                         : Facts(Extents{nullptr}));
  return results;
}

namespace {
/// What is compared by Unique: slices [:, i, :] of a tensor of rank 3, element by element.
struct Slices {
  Value data;
  Type element;
  Index elements; ///< of a slice
  Index inner;    ///< of them, along the last axis

  /// The first element, in row-major order, in which two slices differ; `elements` if there is none.
  Index firstDifference(Lowering &l, Index a, Index b) const {
    Type index = l.b.getIndexType();
    auto loop = scf::WhileOp::create(l.b, l.loc(), index, Value(l.index(int64_t(0))));
    OpBuilder::InsertionGuard guard(l.b);
    Index at(l, Value(l.b.createBlock(&loop.getBefore(), {}, index, l.loc())->getArgument(0)));
    auto goesOn = scf::IfOp::create(
        l.b, l.loc(), at < elements,
        [&](OpBuilder &builder, Location loc) {
          Truth differ = isLessAt(l, a, b, at) || isLessAt(l, b, a, at);
          scf::YieldOp::create(builder, loc, Value(!differ));
        },
        [&](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, Value(Truth(l, false))); });
    scf::ConditionOp::create(l.b, l.loc(), goesOn.getResult(0), Value(at));
    Index last(l, Value(l.b.createBlock(&loop.getAfter(), {}, index, l.loc())->getArgument(0)));
    scf::YieldOp::create(l.b, l.loc(), Value(last + 1));
    return {l, loop.getResult(0)};
  }

  Truth areSame(Lowering &l, Index a, Index b) const { return firstDifference(l, a, b) == elements; }

  /// Whether slice a is less than b, or the same and has the smaller number.
  Truth isBefore(Lowering &l, Index a, Index b) const {
    Index at = firstDifference(l, a, b);
    auto choice = scf::IfOp::create(
        l.b, l.loc(), at < elements,
        [&](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, Value(isLessAt(l, a, b, at))); },
        [&](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, Value(a < b)); });
    return {l, choice.getResult(0)};
  }

private:
  Truth isLessAt(Lowering &l, Index a, Index b, Index at) const {
    auto load = [&](Index slice) {
      Value stored = tensor::ExtractOp::create(l.b, l.loc(), data, ValueRange{at / inner, slice, at % inner});
      return loadScalar(l.b, l.loc(), stored, element);
    };
    return {l, isLess({l.b, l.loc(), element}, load(a), load(b))};
  }
};

/// Groups of equal slices: of each its first slice and how many there are; and of each slice its group.
struct Groups {
  Value first, count, groupOf; ///< tensors of i64 with as many elements as there are slices
  Index groups;
};
} // namespace

static Index readIndex(Lowering &l, Value tensor, Index at) {
  Value stored = tensor::ExtractOp::create(l.b, l.loc(), tensor, Value(at));
  return {l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), stored).getResult()};
}

static Value writeIndex(Lowering &l, Value tensor, Index at, Index number) {
  Value stored = arith::IndexCastOp::create(l.b, l.loc(), l.b.getI64Type(), number);
  return tensor::InsertOp::create(l.b, l.loc(), stored, tensor, Value(at));
}

/// `order` lists all slices, equal ones behind each other by their numbers; groups are in that order.
static Groups groupsOf(Lowering &l, const Slices &slices, Value order, Index count) {
  auto numbers = [&] { return l.filled({OpFoldResult(count)}, l.scalar(0, l.b.getI64Type())); };
  Index zero(l, int64_t(0)), one(l, 1);
  SmallVector<Value> results = loopNest(
      l, OpFoldResult(count), ValueRange{numbers(), numbers(), numbers(), zero},
      [&](ValueRange index, ValueRange carried) {
        Index rank(l, index[0]), slice = readIndex(l, order, rank);
        Index previous = readIndex(l, order, max(rank - 1, 0));
        Truth isNew = rank == 0 || !slices.areSame(l, previous, slice);
        Index groups = Index(l, carried[3]) + select(isNew, one, zero), group = groups - 1;
        Index first = select(isNew, slice, readIndex(l, carried[0], group));
        Index members = readIndex(l, carried[1], group) + 1;
        return SmallVector<Value>{writeIndex(l, carried[0], group, first), writeIndex(l, carried[1], group, members),
                                  writeIndex(l, carried[2], slice, group), groups};
      });
  return {results[0], results[1], results[2], Index(l, results[3])};
}

/// The same groups in the order of their first slices.
static Groups inOrderOfFirst(Lowering &l, const Groups &old, Index count) {
  auto numbers = [&] { return l.filled({OpFoldResult(count)}, l.scalar(0, l.b.getI64Type())); };
  Index zero(l, int64_t(0)), one(l, 1);
  SmallVector<Value> results =
      loopNest(l, OpFoldResult(count), ValueRange{numbers(), numbers(), numbers(), numbers(), zero},
               [&](ValueRange index, ValueRange carried) {
                 Index slice(l, index[0]), group = readIndex(l, old.groupOf, slice), met(l, carried[4]);
                 Truth isFirst = readIndex(l, old.first, group) == slice;
                 Index number = select(isFirst, met, readIndex(l, carried[3], group));
                 return SmallVector<Value>{writeIndex(l, carried[0], number, readIndex(l, old.first, group)),
                                           writeIndex(l, carried[1], number, readIndex(l, old.count, group)),
                                           writeIndex(l, carried[2], slice, number),
                                           writeIndex(l, carried[3], group, number), met + select(isFirst, one, zero)};
               });
  return {results[0], results[1], results[2], old.groups};
}

static FailureOr<SmallVector<Value>> lowerUnique(UniqueOp op, Lowering &l) {
  Type element = Lowering::element(op.getX());
  if (failed(verifyOrdered(l, element)))
    return failure();
  Extents extents(l.known.extents(op.getX()));
  Value data = l(op.getX());
  std::optional<int64_t> axis = *axisOf(op, extents.size());
  ExtentMath &math = l.known.math;
  if (!axis) {
    Extents flat = {math.product(extents)};
    data = l.reshape(data, extents, flat);
    extents = flat;
    axis = 0;
  }
  Extents around = {math.product(ArrayRef(extents).take_front(*axis)), extents[*axis],
                    math.product(ArrayRef(extents).drop_front(*axis + 1))};
  Index count(l, around[1]);
  Slices slices{l.reshape(data, extents, around), element, Index(l, math.mul(around[0], around[2])),
                Index(l, around[2])};
  Value order = l.generate(OpFoldResult(count), l.b.getI64Type(), [](OpBuilder &b, Location loc, ValueRange index) {
    return Value(arith::IndexCastOp::create(b, loc, b.getI64Type(), index[0]));
  });
  auto place = [](Value position) { return SmallVector<Value>{position}; };
  auto before = [&](Index a, Index b) { return slices.isBefore(l, a, b); };
  order = Heap(l, place, before).sort(order, count);
  Groups groups = groupsOf(l, slices, order, count);
  if (!op.getSorted())
    groups = inOrderOfFirst(l, groups, count);

  auto head = [&](Value tensor) {
    OpFoldResult begin = l.b.getIndexAttr(0), size = groups.groups, step = l.b.getIndexAttr(1);
    return l.slice(tensor, begin, size, step);
  };
  Value indices = head(groups.first);
  SmallVector<OpFoldResult> kept = l.materialize(extents);
  kept[*axis] = OpFoldResult(groups.groups);
  AffineMap along = AffineMap::get(kept.size(), 0, l.b.getAffineDimExpr(*axis));
  SmallVector<Value> results = {taken(l, data, indices, along, kept, *axis)};
  if (op.getIndices())
    results.push_back(indices);
  if (op.getInverseIndices())
    results.push_back(groups.groupOf);
  if (op.getCounts())
    results.push_back(head(groups.count));
  return results;
}

void addSortRules(Rules &rules) {
  rules.op<TopKOp>()
      .shape(shapeOfTopK)
      .movesByOrder([](TopKOp op) { return SmallVector<OpOperand *>{&op.getXMutable()}; })
      .lower(lowerTopK);
  rules.op<UniqueOp>().shape(shapeOfUnique).lower(lowerUnique);
}

} // namespace mlc::onnx
