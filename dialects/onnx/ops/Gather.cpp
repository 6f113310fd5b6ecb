// Operators that read elements at places which an operand tells: Gather, GatherElements, GatherND, ReverseSequence,
// ml.ArrayFeatureExtractor.
//
//   %y = onnx.Gather(%data, %indices)   =>   a check that all indices are in range, then
//                                            linalg.generic ins(%indices) { tensor.extract %data[...] }
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

template <typename Op> static FailureOr<int64_t> axisOf(Op op, int64_t rank) {
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  return *axis;
}

/// `index` counted from the beginning; none where it is not fixed, or out of range.
static std::optional<int64_t> fixedPlace(Extent index, Extent extent) {
  std::optional<int64_t> fixed = index ? ExtentMath::asConstant(index) : std::nullopt;
  std::optional<int64_t> bound = ExtentMath::asConstant(extent);
  return fixed && bound ? normalizedAxis(*fixed, *bound) : std::nullopt;
}

//===-- Gather -----------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfGather(GatherOp op, Known &known) {
  ArrayRef<Extent> data = known.extents(op.getData()), indices = known.extents(op.getIndices());
  FailureOr<int64_t> axis = axisOf(op, data.size());
  if (failed(axis))
    return failure();
  Extents extents(data.take_front(*axis));
  llvm::append_range(extents, indices);
  llvm::append_range(extents, data.drop_front(*axis + 1));
  std::optional<Extents> elements = tellElements(extents, [&](ArrayRef<int64_t> index) {
    Extent entry = known.element(op.getIndices(), index.slice(*axis, indices.size()));
    std::optional<int64_t> place = fixedPlace(entry, data[*axis]);
    if (!place)
      return Extent();
    SmallVector<int64_t> source(index.take_front(*axis));
    source.push_back(*place);
    llvm::append_range(source, index.drop_front(*axis + indices.size()));
    return known.element(op.getData(), source);
  });
  return Facts(std::move(extents), std::move(elements));
}

/// Indices first, first + step, first + 2 * step...
namespace {
struct Progression {
  Extent first;
  int64_t step, count;
};
} // namespace

/// What the indices are, if they are so regular that a slice can do.
static std::optional<Progression> progressionOf(Value indices, Extent extent, Known &known) {
  std::optional<ArrayRef<Extent>> entries = known.elements(indices);
  if (!entries || entries->empty())
    return std::nullopt;
  if (entries->size() == 1 && known.math.isNonNegative(entries->front()))
    return Progression{entries->front(), 1, 1};
  SmallVector<int64_t> places;
  for (Extent entry : *entries) {
    std::optional<int64_t> fixed = ExtentMath::asConstant(entry);
    if (!fixed)
      return std::nullopt;
    if (*fixed < 0 && entries->size() == 1)
      return Progression{known.math.add(extent, entry), 1, 1};
    places.push_back(*fixed);
  }
  int64_t step = places.size() > 1 ? places[1] - places[0] : 1;
  for (size_t i = 1; i < places.size(); ++i)
    if (places[i] - places[i - 1] != step)
      return std::nullopt;
  if (step <= 0 || places.front() < 0)
    return std::nullopt;
  return Progression{known.math.constant(places.front()), step, (int64_t)places.size()};
}

static FailureOr<Value> lowerGather(GatherOp op, Lowering &l) {
  ArrayRef<Extent> extents = l.known.extents(op.getData()), result = l.known.extents(op.getOutput());
  int64_t rank = extents.size(), indexRank = l.rank(op.getIndices());
  FailureOr<int64_t> axis = axisOf(op, rank);
  if (failed(axis) || failed(checkIndices(l, op.getIndices(), extents[*axis])))
    return failure();
  Value data = l(op.getData());
  if (std::optional<Progression> places = progressionOf(op.getIndices(), extents[*axis], l.known)) {
    Extents part(extents);
    part[*axis] = l.known.math.constant(places->count);
    SmallVector<OpFoldResult> offsets(rank, l.b.getIndexAttr(0)), steps(rank, l.b.getIndexAttr(1));
    offsets[*axis] = l.materialize(places->first);
    steps[*axis] = l.b.getIndexAttr(places->step);
    SmallVector<OpFoldResult> sizes = l.materialize(part);
    bool isEmpty = llvm::any_of(extents, [](Extent extent) { return ExtentMath::isConstant(extent, 0); });
    if (indexRank == 0 && !isEmpty)
      return Value(tensor::ExtractSliceOp::create(l.b, l.loc(), l.type(op.getOutput()), data, offsets, sizes, steps));
    return l.reshape(l.slice(data, offsets, sizes, steps), part, result);
  }
  int64_t resultRank = result.size();
  Type element = Lowering::element(op.getIndices());
  Index bound(l, extents[*axis]);
  SmallVector<AffineExpr> access;
  for (int64_t i = 0; i < indexRank; ++i)
    access.push_back(l.b.getAffineDimExpr(*axis + i));
  SmallVector<AffineMap> maps = {AffineMap::get(resultRank, 0, access, l.b.getContext()),
                                 l.b.getMultiDimIdentityMap(resultRank)};
  SmallVector<utils::IteratorType> parallel(resultRank, utils::IteratorType::parallel);
  return l.generic(l.empty(op.getOutput()), l(op.getIndices()), maps, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     SmallVector<Value> source;
                     for (int64_t i = 0; i < resultRank; ++i) {
                       if (i == *axis)
                         source.push_back(fromBeginning(l, args.front(), element, bound));
                       if (i < *axis || i >= *axis + indexRank)
                         source.push_back(linalg::IndexOp::create(b, loc, i));
                     }
                     if (*axis == resultRank) // a scalar index into the last axis
                       source.push_back(fromBeginning(l, args.front(), element, bound));
                     return tensor::ExtractOp::create(b, loc, data, source);
                   });
}

//===-- GatherElements -----------------------------------------------------------------===//

/// Indices may leave a part of the data unread, but not reach outside of it.
static LogicalResult verifyInside(Operation *op, ArrayRef<Extent> data, ArrayRef<Extent> indices, int64_t axis) {
  if (data.size() != indices.size())
    return op->emitOpError("expects data and indices of one rank, got ") << data.size() << " and " << indices.size();
  for (auto [i, own, bound] : llvm::enumerate(indices, data)) {
    std::optional<int64_t> extent = ExtentMath::asConstant(own), limit = ExtentMath::asConstant(bound);
    if ((int64_t)i != axis && extent && limit && *extent > *limit)
      return op->emitOpError("expects indices of extent at most ") << *limit << " on axis " << i << ", got " << *extent;
  }
  return success();
}

static void checkInside(Lowering &l, ArrayRef<Extent> data, ArrayRef<Extent> indices, int64_t axis) {
  for (auto [i, own, bound] : llvm::enumerate(indices, data)) {
    if ((int64_t)i == axis || l.known.math.isNonNegative(l.known.math.sub(bound, own)))
      continue;
    Index extent(l, own), limit(l, bound);
    l.check(extent <= limit, "expects indices of extent at most %0 on axis " + Twine(i) + ", got %1", {limit, extent});
  }
}

static FailureOr<Facts> shapeOfGatherElements(GatherElementsOp op, Known &known) {
  ArrayRef<Extent> data = known.extents(op.getData()), indices = known.extents(op.getIndices());
  FailureOr<int64_t> axis = axisOf(op, data.size());
  if (failed(axis) || failed(verifyInside(op, data, indices, *axis)))
    return failure();
  std::optional<Extents> elements = tellElements(indices, [&](ArrayRef<int64_t> index) {
    std::optional<int64_t> place = fixedPlace(known.element(op.getIndices(), index), data[*axis]);
    if (!place)
      return Extent();
    SmallVector<int64_t> source(index);
    source[*axis] = *place;
    return known.element(op.getData(), source);
  });
  return Facts(Extents(indices), std::move(elements));
}

static FailureOr<Value> lowerGatherElements(GatherElementsOp op, Lowering &l) {
  ArrayRef<Extent> extents = l.known.extents(op.getData()), indices = l.known.extents(op.getIndices());
  int64_t rank = extents.size();
  FailureOr<int64_t> axis = axisOf(op, rank);
  if (failed(axis) || failed(checkIndices(l, op.getIndices(), extents[*axis])))
    return failure();
  checkInside(l, extents, indices, *axis);
  Value data = l(op.getData());
  Type element = Lowering::element(op.getIndices());
  Index bound(l, extents[*axis]);
  AffineMap identity = l.b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(l.empty(op.getOutput()), l(op.getIndices()), {identity, identity}, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     SmallVector<Value> source;
                     for (int64_t i = 0; i < rank; ++i)
                       source.push_back(i == *axis ? Value(fromBeginning(l, args.front(), element, bound))
                                                   : Value(linalg::IndexOp::create(b, loc, i)));
                     return tensor::ExtractOp::create(b, loc, data, source);
                   });
}

//===-- GatherND -------------------------------------------------------------------------===//

/// The components of an index tuple: what the indices say, or else the rank that the model declares for the result.
static std::optional<int64_t> tupleLength(GatherNDOp op, Known &known) {
  ArrayRef<Extent> indices = known.extents(op.getIndices());
  if (std::optional<int64_t> length = ExtentMath::asConstant(indices.back()))
    return length;
  auto type = dyn_cast<RankedTensorType>(op.getOutput().getType());
  if (!type)
    return std::nullopt;
  return (int64_t)indices.size() - 1 + known.rank(op.getData()) - op.getBatchDims() - type.getRank();
}

static FailureOr<Facts> shapeOfGatherND(GatherNDOp op, Known &known) {
  ArrayRef<Extent> data = known.extents(op.getData()), indices = known.extents(op.getIndices());
  int64_t batches = op.getBatchDims();
  if (indices.empty())
    return op.emitOpError("expects indices of rank 1 at least");
  if (batches < 0 || batches >= (int64_t)std::min(data.size(), indices.size()))
    return op.emitOpError("expects batch_dims below the ranks ")
           << data.size() << " and " << indices.size() << ", got " << batches;
  std::optional<int64_t> length = tupleLength(op, known);
  if (!length)
    return Facts(); // not even the rank
  if (*length < 1 || batches + *length > (int64_t)data.size())
    return op.emitOpError("expects index tuples of 1 to ") << data.size() - batches << " components, got " << *length;
  Extents extents(indices.drop_back());
  for (auto [i, extent, own] :
       llvm::enumerate(MutableArrayRef(extents).take_front(batches), data.take_front(batches))) {
    std::optional<int64_t> fixed = ExtentMath::asConstant(extent), other = ExtentMath::asConstant(own);
    if (fixed && other && *fixed != *other)
      return op.emitOpError("expects data and indices of one extent on axis ")
             << i << ", got " << *other << " and " << *fixed;
    if (other)
      extent = own;
  }
  llvm::append_range(extents, data.drop_front(batches + *length));
  std::optional<Extents> elements = tellElements(extents, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> tuple(index.take_front(indices.size() - 1)), source(index.take_front(batches));
    for (int64_t i = 0; i < *length; ++i) {
      tuple.push_back(i);
      std::optional<int64_t> place = fixedPlace(known.element(op.getIndices(), tuple), data[batches + i]);
      if (!place)
        return Extent();
      tuple.pop_back();
      source.push_back(*place);
    }
    llvm::append_range(source, index.drop_front(indices.size() - 1));
    return known.element(op.getData(), source);
  });
  return Facts(std::move(extents), std::move(elements));
}

static FailureOr<Value> lowerGatherND(GatherNDOp op, Lowering &l) {
  ArrayRef<Extent> extents = l.known.extents(op.getData()), tuples = l.known.extents(op.getIndices());
  std::optional<int64_t> length = tupleLength(op, l.known);
  if (!length)
    return l.unsupported("the length of the index tuples is known to the run only");
  checkTupleLength(l, tuples.back(), *length);
  int64_t batches = op.getBatchDims(), outer = tuples.size() - 1;
  for (int64_t i = 0; i < batches; ++i)
    if (!l.known.math.isEqual(extents[i], tuples[i])) {
      Index expected(l, extents[i]), got(l, tuples[i]);
      l.check(expected == got, "expects indices of extent %0 on axis " + Twine(i) + ", got %1", {expected, got});
    }
  SmallVector<Index> bounds;
  for (int64_t i = 0; i < *length; ++i) {
    if (failed(checkIndexTuples(l, op.getIndices(), i, extents[batches + i])))
      return failure();
    bounds.emplace_back(l, extents[batches + i]);
  }
  Value data = l(op.getData()), indices = l(op.getIndices());
  Type element = Lowering::element(op.getIndices());
  return l.generate(l.extents(op.getOutput()), storageType(Lowering::element(op.getData())),
                    [&](OpBuilder &b, Location loc, ValueRange index) -> Value {
                      SmallVector<Value> source(index.take_front(batches)), tuple(index.take_front(outer));
                      for (int64_t i = 0; i < *length; ++i) {
                        tuple.push_back(l.index(i));
                        Value stored = tensor::ExtractOp::create(b, loc, indices, tuple);
                        source.push_back(fromBeginning(l, stored, element, bounds[i]));
                        tuple.pop_back();
                      }
                      llvm::append_range(source, index.drop_front(outer));
                      return tensor::ExtractOp::create(b, loc, data, source);
                    });
}

//===-- ReverseSequence --------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfReverseSequence(ReverseSequenceOp op, Known &known) {
  ArrayRef<Extent> extents = known.extents(op.getInput());
  if (extents.size() < 2 || op.getBatchAxis() + op.getTimeAxis() != 1 || std::abs(op.getBatchAxis()) > 1)
    return op.emitOpError("expects data of rank 2 at least, with time and batch on axes 0 and 1 in either order");
  if (known.rank(op.getSequenceLens()) != 1)
    return op.emitOpError("expects one length for each batch");
  return Extents(extents);
}

static FailureOr<Value> lowerReverseSequence(ReverseSequenceOp op, Lowering &l) {
  ArrayRef<Extent> extents = l.known.extents(op.getInput());
  int64_t batch = op.getBatchAxis(), time = op.getTimeAxis(), rank = extents.size();
  Index count(l, l.known.extents(op.getSequenceLens()).front()), batches(l, extents[batch]);
  if (!l.known.math.isEqual(l.known.extents(op.getSequenceLens()).front(), extents[batch]))
    l.check(count == batches, "expects %0 sequence lengths, got %1", {batches, count});
  // Lengths outside of the sequence are taken for its ends.
  Index limit(l, extents[time]);
  Value data = l(op.getInput());
  SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, l.b.getAffineDimExpr(batch)),
                                 l.b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(l.empty(op.getY()), l(op.getSequenceLens()), maps, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     Index length(l, arith::IndexCastOp::create(b, loc, b.getIndexType(), args.front()).getResult());
                     length = min(max(length, 0), limit);
                     SmallVector<Value> source;
                     for (int64_t i = 0; i < rank; ++i) {
                       Index at(l, linalg::IndexOp::create(b, loc, i).getResult());
                       source.push_back(i == time ? select(at < length, length - 1 - at, at) : at);
                     }
                     return tensor::ExtractOp::create(b, loc, data, source);
                   });
}

//===-- ml.ArrayFeatureExtractor -------------------------------------------------------------===//

static FailureOr<Extents> shapeOfExtractor(MlArrayFeatureExtractorOp op, Known &known) {
  ArrayRef<Extent> data = known.extents(op.getX());
  if (data.empty())
    return op.emitOpError("expects data of rank 1 at least");
  Extents extents(data.drop_back());
  if (extents.empty())
    extents.push_back(known.math.constant(1));
  extents.push_back(known.math.product(known.extents(op.getY())));
  return extents;
}

static FailureOr<Value> lowerExtractor(MlArrayFeatureExtractorOp op, Lowering &l) {
  ArrayRef<Extent> extents = l.known.extents(op.getX()), result = l.known.extents(op.getZ());
  if (failed(checkIndices(l, op.getY(), extents.back())))
    return failure();
  Value data = l(op.getX()), indices = l.reshape(l(op.getY()), l.known.extents(op.getY()), result.take_back());
  Index bound(l, extents.back());
  int64_t rank = result.size();
  SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, l.b.getAffineDimExpr(rank - 1)),
                                 l.b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(l.empty(op.getZ()), indices, maps, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     SmallVector<Value> source;
                     for (size_t i = 0; i + 1 < extents.size(); ++i)
                       source.push_back(linalg::IndexOp::create(b, loc, i));
                     source.push_back(fromBeginning(l, args.front(), Lowering::element(op.getY()), bound));
                     return tensor::ExtractOp::create(b, loc, data, source);
                   });
}

void addGatherRules(Rules &rules) {
  rules.op<GatherOp>().shape(shapeOfGather).lower(lowerGather);
  rules.op<GatherElementsOp>().shape(shapeOfGatherElements).lower(lowerGatherElements);
  rules.op<GatherNDOp>().shape(shapeOfGatherND).lower(lowerGatherND);
  rules.op<ReverseSequenceOp>().shape(shapeOfReverseSequence).lower(lowerReverseSequence);
  rules.op<MlArrayFeatureExtractorOp>().shape(shapeOfExtractor).lower(lowerExtractor);
}

} // namespace mlc::onnx
