// Operators that read elements at places which an operand tells: Gather, GatherElements, GatherND, ReverseSequence,
// ml.ArrayFeatureExtractor, GridSample.
//
//   %y = onnx.Gather(%data, %indices)   =>   a check that all indices are in range, then
//                                            linalg.generic ins(%indices) { tensor.extract %data[...] }
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Declared.h"
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
  std::optional<int64_t> rank = declaredRank(op.getOutput());
  if (!rank)
    return std::nullopt;
  return (int64_t)indices.size() - 1 + known.rank(op.getData()) - op.getBatchDims() - *rank;
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

//===-- GridSample -----------------------------------------------------------------------===//

namespace {
/// How elements between those of X are found, in the words of all versions of the operator.
enum class Sampling { Nearest, Linear, Cubic };
} // namespace

static FailureOr<Sampling> samplingOf(GridSampleOp op) {
  StringRef mode = op.getMode();
  if (mode == "nearest")
    return Sampling::Nearest;
  if (mode == "linear" || mode == "bilinear")
    return Sampling::Linear;
  if (mode == "cubic" || mode == "bicubic")
    return Sampling::Cubic;
  return op.emitOpError("expects mode nearest, linear or cubic, got ") << mode;
}

static FailureOr<Extents> shapeOfGridSample(GridSampleOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX()), grid = known.extents(op.getGrid());
  int64_t rank = x.size();
  if (rank < 3 || (int64_t)grid.size() != rank)
    return op.emitOpError("expects X and grid of one rank, 3 at least, got ") << rank << " and " << grid.size();
  if (std::optional<int64_t> length = ExtentMath::asConstant(grid.back()); length && *length != rank - 2)
    return op.emitOpError("expects coordinates of ") << rank - 2 << " components, got " << *length;
  if (!known.math.mayBeEqual(x.front(), grid.front()))
    return op.emitOpError("expects X and grid of one extent on axis 0, got ")
           << known.math.print(x.front()) << " and " << known.math.print(grid.front());
  StringRef padding = op.getPaddingMode();
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    return op.emitOpError("expects padding_mode zeros, border or reflection, got ") << padding;
  if (failed(samplingOf(op)))
    return failure();
  Extents extents(x.take_front(2));
  llvm::append_range(extents, grid.drop_front().drop_back());
  return extents;
}

/// `x` mirrored at the borders of [low, high] until it lies within.
static Real reflected(Real x, Real low, Real high) {
  Real length = high - low, distance = abs(x - low), period = length * 2;
  Real rest = distance - floor(distance / period) * period;
  return select(x < low, low + select(rest > length, period - rest, rest),
                select(x > high, low + select(rest > length, period - rest, rest), x));
}

namespace {
/// One of the elements along an axis that a place takes its value from.
struct Neighbour {
  Index position; ///< inside of X, whatever the coordinate is
  Truth isInside; ///< false: 0 stands for the element
  Value weight;   ///< null: 1
};
} // namespace

/// The convolution weights of Keys, with -0.75, of the elements at distances 1 + t, t, 1 - t and 2 - t.
static SmallVector<Value> cubicWeights(Real t) {
  constexpr double a = -0.75;
  auto near = [&](Real d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  auto far = [&](Real d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

static SmallVector<Neighbour> neighboursOf(GridSampleOp op, Lowering &l, Sampling sampling, const Scalars &s,
                                           Real normalized, Index extent) {
  Type real = s.element, i64 = s.b.getI64Type();
  Real length = Real::of(s, extent, real), zero = length.same(0);
  bool aligns = op.getAlignCorners();
  Real x = aligns ? (normalized + 1) / 2 * (length - 1) : ((normalized + 1) * length - 1) / 2;
  Real low = x.same(aligns ? 0 : -0.5), high = length - (aligns ? 1 : 0.5);
  if (sampling == Sampling::Nearest)
    x = Real(s, s.make<math::RoundEvenOp>(Value(x)));
  StringRef padding = op.getPaddingMode();
  if (padding == "border")
    x = select(x < low, zero, select(x > high, length - 1, x));
  if (padding == "reflection")
    x = reflected(x, low, high);

  Real base = floor(x), t = x - base;
  SmallVector<Value> weights = {nullptr};
  if (sampling == Sampling::Linear)
    weights = {1 - t, t};
  if (sampling == Sampling::Cubic)
    weights = cubicWeights(t);
  int64_t first = sampling == Sampling::Cubic ? -1 : 0;
  SmallVector<Neighbour> result;
  for (auto [i, weight] : llvm::enumerate(weights)) {
    Real at = base + (double)(first + (int64_t)i);
    if (padding == "reflection")
      at = reflected(at, low, high);
    Value integer = castScalar(s, at, real, i64); // what is no number lies far outside
    Index position(l, s.make<arith::IndexCastOp>(s.b.getIndexType(), integer));
    Truth isInside = padding == "zeros" ? position >= 0 && position < extent : Truth(l, true);
    result.push_back({max(min(position, extent - 1), 0), isInside, weight});
  }
  return result;
}

/// The weighted sum of the neighbours along axes `axis`, ... of the element whose leading positions are `source`.
static Value sampled(Lowering &l, const Scalars &s, Value data, Type element, Type result, int64_t axis,
                     ArrayRef<SmallVector<Neighbour>> neighbours, SmallVector<Value> &source, Truth isInside) {
  if (axis == (int64_t)neighbours.size()) {
    Value stored = tensor::ExtractOp::create(s.b, s.loc, data, source);
    Value nothing = s.constant(0, stored.getType());
    stored = s.make<arith::SelectOp>(isInside, stored, nothing);
    return result == element
               ? stored
               : castScalar({s.b, s.loc, element}, loadScalar(s.b, s.loc, stored, element), element, result);
  }
  Value sum;
  for (const Neighbour &neighbour : neighbours[axis]) {
    source.push_back(neighbour.position);
    Value part = sampled(l, s, data, element, result, axis + 1, neighbours, source, isInside && neighbour.isInside);
    source.pop_back();
    if (neighbour.weight)
      part = s.make<arith::MulFOp>(part, neighbour.weight);
    sum = sum ? s.make<arith::AddFOp>(sum, part) : part;
  }
  return sum;
}

static FailureOr<Value> lowerGridSample(GridSampleOp op, Lowering &l) {
  FailureOr<Sampling> sampling = samplingOf(op);
  if (failed(sampling))
    return failure();
  Type element = Lowering::element(op.getX()), gridElement = Lowering::element(op.getGrid());
  if (*sampling != Sampling::Nearest && !isFloat(element) && !element.isIntOrIndex())
    return l.unsupported("interpolation between elements that are no numbers");
  ArrayRef<Extent> x = l.known.extents(op.getX()), grid = l.known.extents(op.getGrid());
  int64_t rank = x.size() - 2;
  l.expectExtent(grid.front(), x.front(), "a grid");
  l.expectExtent(grid.back(), l.known.math.constant(rank), "coordinates");
  SmallVector<Index> extents;
  for (auto [i, extent] : llvm::enumerate(x.drop_front(2))) {
    extents.emplace_back(l, extent);
    if (ExtentMath::asConstant(extent).value_or(0) < 1)
      l.check(extents.back() > 0, "expects X with elements along axis " + Twine(i + 2), {});
  }
  Value data = l(op.getX()), coordinates = l(op.getGrid());
  // Floats of 32 bits hold what integers of 16 do; what lies between integers is rounded towards zero.
  bool isWide = element.isIntOrIndex() && element.getIntOrFloatBitWidth() > 16;
  bool isDouble = element.isF64() || gridElement.isF64() || isWide;
  Type real = isDouble ? Type(l.b.getF64Type()) : Type(l.b.getF32Type());
  // Nearest elements are taken as they are stored.
  Type result = *sampling == Sampling::Nearest ? element : real;
  return l.generate(l.extents(op.getY()), storageType(element), [&](OpBuilder &b, Location loc, ValueRange index) {
    Scalars s{b, loc, real};
    SmallVector<SmallVector<Neighbour>> neighbours;
    for (int64_t axis = 0; axis < rank; ++axis) {
      // The last axis comes first in a coordinate.
      SmallVector<Value> place = {index[0]};
      llvm::append_range(place, index.drop_front(2));
      place.push_back(l.index(rank - 1 - axis));
      Value stored = tensor::ExtractOp::create(b, loc, coordinates, place);
      Value normalized = castScalar({b, loc, gridElement}, loadScalar(b, loc, stored, gridElement), gridElement, real);
      neighbours.push_back(neighboursOf(op, l, *sampling, s, Real(s, normalized), extents[axis]));
    }
    SmallVector<Value> source(index.take_front(2));
    Value sum = sampled(l, s, data, element, result, 0, neighbours, source, Truth(l, true));
    return result == element && *sampling == Sampling::Nearest
               ? sum
               : storeScalar(b, loc, castScalar(s, sum, real, element), element);
  });
}

void addGatherRules(Rules &rules) {
  rules.op<GatherOp>().shape(shapeOfGather).moves().lower(lowerGather);
  rules.op<GatherElementsOp>().shape(shapeOfGatherElements).moves().lower(lowerGatherElements);
  rules.op<GatherNDOp>().shape(shapeOfGatherND).moves().lower(lowerGatherND);
  rules.op<ReverseSequenceOp>().shape(shapeOfReverseSequence).moves().lower(lowerReverseSequence);
  rules.op<MlArrayFeatureExtractorOp>().shape(shapeOfExtractor).lower(lowerExtractor);
  rules.op<GridSampleOp>().shape(shapeOfGridSample).lower(lowerGridSample);
}

} // namespace mlc::onnx
