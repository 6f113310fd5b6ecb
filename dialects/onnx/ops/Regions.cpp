// Pooling over regions of interest: RoiAlign, MaxRoiPool.
//
//   %y = onnx.RoiAlign(%x, %rois, %batches)
//   =>
//   along each spatial axis, for each region, place of the result and sample: the two elements around it and their
//   weights (linalg.generic, once for all channels)
//   %y = linalg.generic: the mean, or the largest, of the samples
//
// Where the operator leaves the number of samples open, it depends on the region: there are loops for the most that any
// region has, and the others weigh nothing.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

static Value asIndex(const Scalars &s, Value integer) {
  return s.make<arith::IndexCastOp>(s.b.getIndexType(), integer);
}

/// A whole number as i64.
static Value integerOf(const Scalars &s, Real number) { return castScalar(s, number, s.element, s.b.getI64Type()); }

//===-- RoiAlign -----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfRoiAlign(RoiAlignOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX()), rois = known.extents(op.getRois());
  ExtentMath &math = known.math;
  if (x.size() != 4)
    return op.emitOpError("expects X of rank 4, got ") << op.getX().getType();
  if (rois.size() != 2 || !math.mayBeEqual(rois[1], math.constant(4)))
    return op.emitOpError("expects rois of 4 coordinates each, got ") << op.getRois().getType();
  ArrayRef<Extent> batches = known.extents(op.getBatchIndices());
  if (batches.size() != 1 || !math.mayBeEqual(batches[0], rois[0]))
    return op.emitOpError("expects batch_indices of one element for each region, got ")
           << op.getBatchIndices().getType();
  if (op.getOutputHeight() < 1 || op.getOutputWidth() < 1)
    return op.emitOpError("expects a positive output_height and output_width, got ")
           << op.getOutputHeight() << " and " << op.getOutputWidth();
  if (op.getSamplingRatio() < 0)
    return op.emitOpError("expects a sampling_ratio of at least 0, got ") << op.getSamplingRatio();
  StringRef mode = op.getMode(), transformation = op.getCoordinateTransformationMode();
  if (mode != "avg" && mode != "max")
    return op.emitOpError("expects mode avg or max, got '") << mode << "'";
  if (transformation != "half_pixel" && transformation != "output_half_pixel")
    return op.emitOpError("expects coordinate_transformation_mode half_pixel or output_half_pixel, got '")
           << transformation << "'";
  return Extents{rois[0], x[1], math.constant(op.getOutputHeight()), math.constant(op.getOutputWidth())};
}

namespace {
/// Where the samples lie along one spatial axis.
struct Samples {
  OpFoldResult most; ///< of any region
  Value counts;      ///< i64, of each region
  /// Extents regions x places x most: the two elements around a sample, i64, and their weights.
  Value low, high, lowWeight, highWeight;
};
} // namespace

/// `axis` is 0 for rows and 1 for columns of X.
static Samples samplesAlong(RoiAlignOp op, Lowering &l, int64_t axis) {
  Type element = Lowering::element(op.getRois()), compute = accumulatorElement(element), i64 = l.b.getI64Type();
  Index extent(l, l.known.extents(op.getX())[2 + axis]);
  int64_t places = axis == 0 ? op.getOutputHeight() : op.getOutputWidth();
  OpFoldResult regions = l.extents(op.getRois())[0];
  bool isAligned = op.getCoordinateTransformationMode() == "half_pixel";
  double scale = op.getSpatialScale().convertToFloat();
  // rois are x1, y1, x2, y2
  auto edge = [&](int64_t which) {
    OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
    Value column = l.slice(l(op.getRois()), {zero, l.b.getIndexAttr(2 * which + 1 - axis)}, {regions, one}, {one, one});
    return l.elementwise(regions, compute, l.reshape(column, regions), element,
                         [&](Scalars &s, ValueRange args) -> Value {
                           return Real(s, castScalar(s, args[0], element, compute)) * scale - (isAligned ? 0.5 : 0);
                         });
  };
  Value begin = edge(0);
  Value step =
      l.elementwise(regions, compute, ValueRange{begin, edge(1)}, TypeRange{compute, compute},
                    [&](Scalars &s, ValueRange args) -> Value {
                      Real size = Real(s, args[1]) - Real(s, args[0]);
                      return (isAligned ? size : max(size, size.same(1))) / places; // an older rule: no less than 1
                    });
  Samples result;
  if (int64_t fixed = op.getSamplingRatio()) {
    result.most = l.b.getIndexAttr(fixed);
    result.counts = l.filled(regions, l.scalar(fixed, i64));
  } else {
    result.counts = l.elementwise(regions, i64, step, compute, [&](Scalars &s, ValueRange args) {
      return s.make<arith::MaxSIOp>(integerOf(s, ceil(Real(s, args[0]))), s.constant(0, i64));
    });
    auto larger = [](Scalars &s, ValueRange args) { return scalar<arith::MaxSIOp>(s, args); };
    Value most = l.fold(result.counts, i64, {0}, i64, l.scalar(0, i64), nullptr, larger);
    result.most = Index(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(),
                                                      tensor::ExtractOp::create(l.b, l.loc(), most, ValueRange{}))
                               .getResult());
  }

  SmallVector<OpFoldResult> extents = {regions, l.b.getIndexAttr(places), result.most};
  l.checkExtents(extents); // a region may be of any size
  Along operands[] = {{begin, compute, {0}}, {step, compute, {0}}, {result.counts, i64, {0}}};
  auto at = [&](const Scalars &s, ValueRange args) {
    Real place = Real::of(s, s.make<linalg::IndexOp>(1), compute),
         sample = Real::of(s, s.make<linalg::IndexOp>(2), compute);
    Real count = Real::of(s, args[2], compute), step(s, args[1]);
    return Real(s, args[0]) + place * step + (sample + 0.5) * step / count;
  };
  // Samples up to one element outside count as those on the edge.
  auto neighbours = [&](const Scalars &s, ValueRange args) {
    Real x = max(at(s, args), Real(s, s.constant(0)));
    Index low(l, asIndex(s, integerOf(s, floor(x))));
    return std::pair(x, max(min(low, extent - 1), 0));
  };
  auto stored = [&](const Scalars &s, Index index) -> Value { return s.make<arith::IndexCastOp>(i64, index); };
  auto share = [&](const Scalars &s, ValueRange args, bool isHigh) -> Value {
    Real x = at(s, args), limit = Real::of(s, extent, compute);
    auto [inside, low] = neighbours(s, args);
    Real behind = select(low >= extent - 1, x.same(0), inside - Real::of(s, low, compute));
    Value sample = s.make<arith::IndexCastOp>(i64, s.make<linalg::IndexOp>(2));
    Truth counts = Truth(l, s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, sample, args[2])) &&
                   Truth(l, x.same(-1) <= x) && Truth(l, x <= limit);
    return select(counts, isHigh ? behind : 1 - behind, x.same(0));
  };
  result.low = l.elementwise(extents, i64, operands,
                             [&](Scalars &s, ValueRange args) { return stored(s, neighbours(s, args).second); });
  result.high = l.elementwise(extents, i64, operands, [&](Scalars &s, ValueRange args) {
    return stored(s, max(min(neighbours(s, args).second + 1, extent - 1), 0));
  });
  result.lowWeight =
      l.elementwise(extents, compute, operands, [&](Scalars &s, ValueRange args) { return share(s, args, false); });
  result.highWeight =
      l.elementwise(extents, compute, operands, [&](Scalars &s, ValueRange args) { return share(s, args, true); });
  return result;
}

static FailureOr<Value> lowerRoiAlign(RoiAlignOp op, Lowering &l) {
  Extents x(l.known.extents(op.getX())), rois(l.known.extents(op.getRois()));
  l.expectExtent(rois[1], l.known.math.constant(4), "coordinates of rois");
  l.expectExtent(l.known.extents(op.getBatchIndices())[0], rois[0], "batch_indices");
  if (failed(checkIndices(l, op.getBatchIndices(), x[0])))
    return failure();
  for (int64_t axis : {2, 3})
    if (ExtentMath::asConstant(x[axis]).value_or(0) < 1)
      l.check(Index(l, x[axis]) >= 1, "expects elements along axis " + Twine(axis) + " of X", {});
  Type element = Lowering::element(op.getX()), compute = accumulatorElement(element), i64 = l.b.getI64Type();
  Samples rows = samplesAlong(op, l, 0), columns = samplesAlong(op, l, 1);
  Index batches(l, x[0]);
  Value data = l(op.getX());

  // Loops: region, channel, row, column, samples along both.
  AffineExpr r, c, y, z, v, w;
  bindDims(l.b.getContext(), r, c, y, z, v, w);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(6, 0, exprs, l.b.getContext()); };
  AffineMap ofRows = map({r, y, v}), ofColumns = map({r, z, w}), ofResult = map({r, c, y, z});
  SmallVector<AffineMap> maps(4, ofRows);
  maps.append(4, ofColumns);
  maps.append({map({r}), map({r}), map({r}), ofResult});
  SmallVector<Value> inputs = {rows.low,    rows.high,      rows.lowWeight,         rows.highWeight,
                               columns.low, columns.high,   columns.lowWeight,      columns.highWeight,
                               rows.counts, columns.counts, l(op.getBatchIndices())};
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  iterators.append(2, utils::IteratorType::reduction);
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  bool isMean = op.getMode() == "avg";
  // A region without samples gives 0, also where the largest is asked for.
  Value init =
      isMean ? l.scalar(0, compute) : Value(arith::ConstantOp::create(l.b, l.loc(), leastNumber(l.b, compute, false)));
  Value pooled = l.generic(
      l.filled(extents, init), inputs, maps, iterators, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc, compute};
        Index batch = fromBeginning(l, args[10], i64, batches);
        auto term = [&](int64_t row, int64_t column) {
          Value source[] = {batch, s.make<linalg::IndexOp>(1), asIndex(s, args[row]), asIndex(s, args[4 + column])};
          Value loaded = loadScalar(b, loc, s.make<tensor::ExtractOp>(data, source), element);
          return Real(s, args[2 + row]) * Real(s, args[6 + column]) * Real(s, castScalar(s, loaded, element, compute));
        };
        Real corners[] = {term(0, 0), term(0, 1), term(1, 0), term(1, 1)}, soFar(s, args[11]);
        if (isMean)
          return soFar + (corners[0] + corners[1] + corners[2] + corners[3]);
        Truth counts = Index(l, s.make<linalg::IndexOp>(4)) < Index(l, asIndex(s, args[8])) &&
                       Index(l, s.make<linalg::IndexOp>(5)) < Index(l, asIndex(s, args[9]));
        return select(counts, max(soFar, max(max(corners[0], corners[1]), max(corners[2], corners[3]))), soFar);
      });
  Along operands[] = {{pooled, compute, {0, 1, 2, 3}}, {rows.counts, i64, {0}}, {columns.counts, i64, {0}}};
  return l.elementwise(extents, element, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value count = s.make<arith::MulIOp>(args[1], args[2]), one = s.constant(1, i64);
    Real value(s, args[0]);
    Value isThere = s.make<arith::CmpIOp>(arith::CmpIPredicate::sge, count, one);
    Real result = isMean ? value / Real::of(s, s.make<arith::MaxSIOp>(count, one), compute)
                         : select(isThere, value, value.same(0));
    return castScalar(s, result, compute, element);
  });
}

/// Opset 10 has one transformation of coordinates only.
static LogicalResult upgradeRoiAlign(Node &node) {
  node.attributes.set("coordinate_transformation_mode", node.builder.getStringAttr("output_half_pixel"));
  return success();
}

//===-- MaxRoiPool ---------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfMaxRoiPool(MaxRoiPoolOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX()), rois = known.extents(op.getRois());
  ExtentMath &math = known.math;
  if (x.size() != 4)
    return op.emitOpError("expects X of rank 4, got ") << op.getX().getType();
  if (rois.size() != 2 || !math.mayBeEqual(rois[1], math.constant(5)))
    return op.emitOpError("expects rois of a batch and 4 coordinates each, got ") << op.getRois().getType();
  ArrayRef<int64_t> pooled = op.getPooledShape();
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
    return op.emitOpError("expects a pooled_shape of 2 positive numbers");
  return Extents{rois[0], x[1], math.constant(pooled[0]), math.constant(pooled[1])};
}

/// Of each region and place, tensors of i64: the first element along an axis, and how many there are.
static std::pair<Value, Value> binsAlong(MaxRoiPoolOp op, Lowering &l, int64_t axis) {
  Type element = Lowering::element(op.getRois()), compute = accumulatorElement(element), i64 = l.b.getI64Type();
  Index extent(l, l.known.extents(op.getX())[2 + axis]);
  int64_t places = op.getPooledShape()[axis];
  OpFoldResult regions = l.extents(op.getRois())[0];
  double scale = op.getSpatialScale().convertToFloat();
  // rois are batch, x1, y1, x2, y2; both ends belong to the region.
  auto edge = [&](int64_t which) {
    OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
    Value column = l.slice(l(op.getRois()), {zero, l.b.getIndexAttr(2 * which + 2 - axis)}, {regions, one}, {one, one});
    return l.elementwise(
        regions, compute, l.reshape(column, regions), element, [&](Scalars &s, ValueRange args) -> Value {
          // Half away from zero, as C rounds.
          return s.make<math::RoundOp>(Value(Real(s, castScalar(s, args[0], element, compute)) * scale));
        });
  };
  Along operands[] = {{edge(0), compute, {0}}, {edge(1), compute, {0}}};
  SmallVector<OpFoldResult> extents = {regions, l.b.getIndexAttr(places)};
  auto bounds = [&](const Scalars &s, ValueRange args) {
    Real begin(s, args[0]), size = max(Real(s, args[1]) - begin + 1, begin.same(1)), step = size / places;
    Real place = Real::of(s, s.make<linalg::IndexOp>(1), compute);
    auto clamped = [&](Real x) { return min(max(Index(l, asIndex(s, integerOf(s, x))), 0), extent); };
    return std::pair(clamped(floor(place * step) + begin), clamped(ceil((place + 1) * step) + begin));
  };
  Value first = l.elementwise(extents, i64, operands, [&](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::IndexCastOp>(i64, bounds(s, args).first);
  });
  Value count = l.elementwise(extents, i64, operands, [&](Scalars &s, ValueRange args) -> Value {
    auto [begin, end] = bounds(s, args);
    return s.make<arith::IndexCastOp>(i64, max(end - begin, 0));
  });
  return {first, count};
}

static FailureOr<Value> lowerMaxRoiPool(MaxRoiPoolOp op, Lowering &l) {
  Extents x(l.known.extents(op.getX()));
  l.expectExtent(l.known.extents(op.getRois())[1], l.known.math.constant(5), "numbers of rois");
  for (int64_t axis : {2, 3})
    if (ExtentMath::asConstant(x[axis]).value_or(0) < 1)
      l.check(Index(l, x[axis]) >= 1, "expects elements along axis " + Twine(axis) + " of X", {});
  Type element = Lowering::element(op.getX()), compute = computeType(element), i64 = l.b.getI64Type();
  OpFoldResult regions = l.extents(op.getRois())[0], zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  Value column = l.slice(l(op.getRois()), {zero, zero}, {regions, one}, {one, one});
  Value batches = l.cast(l.reshape(column, regions), element, i64);
  auto extreme = [&](Value of, Value init, auto combine) {
    SmallVector<int64_t> axes = otherAxes(cast<RankedTensorType>(of.getType()).getRank(), {});
    Value folded = l.fold(of, i64, axes, i64, init, nullptr, combine);
    return Index(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(),
                                               tensor::ExtractOp::create(l.b, l.loc(), folded, ValueRange{}))
                        .getResult());
  };
  auto larger = [](Scalars &s, ValueRange args) { return scalar<arith::MaxSIOp>(s, args); };
  auto largerUnsigned = [](Scalars &s, ValueRange args) { return scalar<arith::MaxUIOp>(s, args); };
  Index count(l, x[0]), last = extreme(batches, l.scalar(0, i64), largerUnsigned);
  l.check((last >= 0 && last < count) || Index(l, regions) == 0, "expects batches in [0, %0), got %1", {count, last});

  auto [rowBegin, rowCount] = binsAlong(op, l, 0);
  auto [columnBegin, columnCount] = binsAlong(op, l, 1);
  Index mostRows = extreme(rowCount, l.scalar(0, i64), larger),
        mostColumns = extreme(columnCount, l.scalar(0, i64), larger);
  // Loops: region, channel, row, column, elements along both; the extents of the last two are those of `window`.
  AffineExpr r, c, y, z, v, w;
  bindDims(l.b.getContext(), r, c, y, z, v, w);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(6, 0, exprs, l.b.getContext()); };
  SmallVector<AffineMap> maps = {map({r}),    map({r, y}), map({r, y}),      map({r, z}),
                                 map({r, z}), map({v, w}), map({r, c, y, z})};
  Value window = l.empty(asFoldResults({mostRows, mostColumns}), l.b.getI8Type());
  SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
  iterators.append(2, utils::IteratorType::reduction);
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  Value init = arith::ConstantOp::create(l.b, l.loc(), leastNumber(l.b, compute, false)), data = l(op.getX());
  Value pooled =
      l.generic(l.filled(extents, init), {batches, rowBegin, rowCount, columnBegin, columnCount, window}, maps,
                iterators, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  Scalars s{b, loc, compute};
                  auto number = [&](int64_t i) { return Index(l, asIndex(s, args[i])); };
                  Index row(l, s.make<linalg::IndexOp>(4)), column(l, s.make<linalg::IndexOp>(5));
                  Truth isInside = row < number(2) && column < number(4);
                  Index zero(l, int64_t(0));
                  Value source[] = {number(0), s.make<linalg::IndexOp>(1), select(isInside, number(1) + row, zero),
                                    select(isInside, number(3) + column, zero)};
                  Real value(s, loadScalar(b, loc, s.make<tensor::ExtractOp>(data, source), element)),
                      soFar(s, args[6]);
                  return select(isInside, max(soFar, value), soFar);
                });
  Along operands[] = {{pooled, compute, {0, 1, 2, 3}}, {rowCount, i64, {0, 2}}, {columnCount, i64, {0, 3}}};
  return l.elementwise(extents, element, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value none = s.constant(0, i64), area = s.make<arith::MulIOp>(args[1], args[2]);
    Real value(s, args[0]);
    return select(s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, area, none), value.same(0), value);
  });
}

void addRegionsRules(Rules &rules) {
  rules.op<RoiAlignOp>().upgrade(16, upgradeRoiAlign).shape(shapeOfRoiAlign).lower(lowerRoiAlign);
  rules.op<MaxRoiPoolOp>().shape(shapeOfMaxRoiPool).lower(lowerMaxRoiPool);
}

} // namespace mlc::onnx
