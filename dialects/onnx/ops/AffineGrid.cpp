// AffineGrid: where the elements of a picture (or volume) are looked for, as GridSample reads it.
//
//   %grid = onnx.AffineGrid(%theta, %size)
//   =>
//   %x, %y[, %z] = linalg.generic: the coordinates of places along each axis, in [-1, 1]
//   %grid = linalg.generic: grid[n, y, x, i] = theta[n, i, 0] * x + theta[n, i, 1] * y + theta[n, i, 2]
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

/// 2 for pictures, 3 for volumes; none if neither operand tells.
static std::optional<int64_t> spatialRank(AffineGridOp op, Known &known) {
  if (std::optional<int64_t> length = ExtentMath::asConstant(known.extents(op.getSize())[0]))
    return *length - 2;
  return ExtentMath::asConstant(known.extents(op.getTheta())[1]);
}

static FailureOr<Facts> shapeOfAffineGrid(AffineGridOp op, Known &known) {
  if (known.rank(op.getTheta()) != 3 || known.rank(op.getSize()) != 1)
    return op.emitOpError("expects theta of rank 3 and size of rank 1, got ")
           << op.getTheta().getType() << " and " << op.getSize().getType();
  std::optional<int64_t> rank = spatialRank(op, known);
  if (!rank)
    return Facts();
  if (*rank != 2 && *rank != 3)
    return op.emitOpError("expects size of 4 or 5 elements, got ") << op.getSize().getType();
  ExtentMath &math = known.math;
  ArrayRef<Extent> theta = known.extents(op.getTheta());
  if (!math.mayBeEqual(theta[1], math.constant(*rank)) || !math.mayBeEqual(theta[2], math.constant(*rank + 1)))
    return op.emitOpError("expects theta of ")
           << *rank << " x " << *rank + 1 << " matrices, got " << op.getTheta().getType();
  Extents result(*rank + 2, Extent());
  if (std::optional<Extents> size = known.elementsOrSymbols(op.getSize())) {
    result[0] = size->front();
    llvm::copy(ArrayRef(*size).drop_front(2), result.begin() + 1);
  }
  result.back() = math.constant(*rank);
  return Facts(std::move(result));
}

static FailureOr<Value> lowerAffineGrid(AffineGridOp op, Lowering &l) {
  std::optional<int64_t> known = spatialRank(op, l.known);
  if (!known)
    return l.unsupported("the number of spatial axes is known to the run only");
  int64_t rank = *known;
  ExtentMath &math = l.known.math;
  Extents theta(l.known.extents(op.getTheta()));
  l.expectExtent(theta[1], math.constant(rank), "rows of theta");
  l.expectExtent(theta[2], math.constant(rank + 1), "columns of theta");
  l.expectExtent(l.known.extents(op.getSize())[0], math.constant(rank + 2), "size");
  Index batch(l, l.elementAsIndex(op.getSize(), 0)), given(l, theta[0]);
  l.check(batch == given, "expects a size with the batch %0 of theta, got %1", {given, batch});
  SmallVector<OpFoldResult> extents = {batch};
  for (int64_t axis = 0; axis < rank; ++axis)
    extents.push_back(Index(l, l.elementAsIndex(op.getSize(), axis + 2)));
  extents.push_back(l.b.getIndexAttr(rank));
  l.checkExtents(extents);

  // Either the centers of the first and last elements lie on the border, or their edges do.
  Type element = Lowering::element(op.getTheta()), compute = accumulatorElement(element);
  bool isAligned = op.getAlignCorners();
  auto coordinates = [&](OpFoldResult extent) {
    Scalars outside{l.b, l.loc(), compute};
    Real count(outside, l.number(extent, compute));
    Real step = isAligned ? select(count == 1, count.same(0), 2 / (count - 1)) : 2 / count;
    Real first = isAligned ? count.same(-1) : step / 2 - 1;
    return l.generate(extent, compute, [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
      return Real::of({b, loc, compute}, at[0], compute) * step + first;
    });
  };
  SmallVector<Along> operands;
  SmallVector<OpFoldResult> matrix = {batch, l.b.getIndexAttr(rank)};
  Value values = l.cast(l(op.getTheta()), element, compute);
  for (int64_t column = 0; column <= rank; ++column) {
    SmallVector<OpFoldResult> offsets(3, l.b.getIndexAttr(0)), steps(3, l.b.getIndexAttr(1)), sizes = matrix;
    offsets[2] = l.b.getIndexAttr(column);
    sizes.push_back(l.b.getIndexAttr(1));
    operands.push_back({l.reshape(l.slice(values, offsets, sizes, steps), matrix), compute, {0, rank + 1}});
  }
  for (int64_t axis = rank; axis > 0; --axis) // x is the last axis
    operands.push_back({coordinates(extents[axis]), compute, {axis}});
  return l.elementwise(extents, element, operands, [&](Scalars &s, ValueRange args) -> Value {
    Real sum(s, args[rank]);
    for (int64_t axis = 0; axis < rank; ++axis)
      sum = Real(s, args[axis]) * Real(s, args[rank + 1 + axis]) + sum;
    return castScalar(s, sum, compute, element);
  });
}

void addAffineGridRules(Rules &rules) { rules.op<AffineGridOp>().shape(shapeOfAffineGrid).lower(lowerAffineGrid); }

} // namespace mlc::onnx
