// Det: determinants of the matrices in the last two axes.
//
//   %y = onnx.Det(%x)   =>   for each matrix: Gaussian elimination with the largest pivot of each column, in double
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

static FailureOr<Extents> shapeOfDet(DetOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX());
  if (x.size() < 2 || !known.math.mayBeEqual(x[x.size() - 2], x.back()))
    return op.emitOpError("expects square matrices in the last two axes, got ") << op.getX().getType();
  return Extents(x.drop_back(2));
}

namespace {
/// Elimination in a tensor of f64, batch x n x n, which every step rewrites.
class Elimination {
public:
  Elimination(Lowering &l, Index batch, Index n) : l(l), outside{l.b, l.loc(), l.b.getF64Type()}, batch(batch), n(n) {}

  /// Takes column k out of the rows below k; gives the matrices, and the determinant so far times the pivot.
  std::pair<Value, Real> step(Value all, Index k, Real determinant) {
    Index best = pivotOf(all, k);
    all = exchanged(all, k, best);
    Real pivot = read(all, k, k), sign = select(best == k, pivot.same(1), pivot.same(-1));
    // Without a pivot the determinant is 0, whatever the rows below become.
    Real divisor = select(pivot == 0, pivot.same(1), pivot);
    Value below =
        loopNest(l, OpFoldResult(n - 1 - k), all, [&](ValueRange at, ValueRange rows) {
          Index i = k + 1 + Index(l, at[0]);
          Real factor = read(rows[0], i, k) / divisor;
          return SmallVector<Value>{loopNest(l, OpFoldResult(n - k), rows, [&](ValueRange along, ValueRange row) {
                                      Index j = k + Index(l, along[0]);
                                      Real next = read(row[0], i, j) - factor * read(row[0], k, j);
                                      return SmallVector<Value>{write(row[0], i, j, next)};
                                    }).front()};
        }).front();
    return {below, determinant * sign * pivot};
  }

private:
  Real read(Value all, Index i, Index j) {
    return {outside, tensor::ExtractOp::create(l.b, l.loc(), all, ValueRange{batch, i, j}).getResult()};
  }
  Value write(Value all, Index i, Index j, Value number) {
    return tensor::InsertOp::create(l.b, l.loc(), number, all, ValueRange{batch, i, j});
  }

  Index pivotOf(Value all, Index k) {
    SmallVector<Value> start = {k, abs(read(all, k, k))};
    return {l, loopNest(l, OpFoldResult(n - 1 - k), start, [&](ValueRange at, ValueRange best) {
                 Index i = k + 1 + Index(l, at[0]);
                 Real candidate = abs(read(all, i, k)), largest(outside, best[1]);
                 Truth isLarger(l, candidate > largest);
                 return SmallVector<Value>{select(isLarger, i, Index(l, best[0])),
                                           select(isLarger, candidate, largest)};
               }).front()};
  }

  Value exchanged(Value all, Index a, Index b) {
    return loopNest(l, OpFoldResult(n), all,
                    [&](ValueRange at, ValueRange rows) {
                      Index j(l, at[0]);
                      Real x = read(rows[0], a, j), y = read(rows[0], b, j);
                      return SmallVector<Value>{write(write(rows[0], a, j, y), b, j, x)};
                    })
        .front();
  }

  Lowering &l;
  Scalars outside;
  Index batch, n;
};
} // namespace

static FailureOr<Value> lowerDet(DetOp op, Lowering &l) {
  Extents x(l.known.extents(op.getX()));
  ExtentMath &math = l.known.math;
  Type element = Lowering::element(op.getX()), f64 = l.b.getF64Type();
  l.expectExtent(x[x.size() - 2], x.back(), "the last two axes");
  Extent count = math.product(ArrayRef(x).drop_back(2));
  Index n(l, x.back());
  Value all = l.reshape(l.cast(l(op.getX()), element, f64), x, {count, x.back(), x.back()});
  // Elimination writes; what is shared must not change.
  Value work = l.generic(l.empty(asFoldResults({Index(l, count), n, n}), f64), all,
                         {l.b.getMultiDimIdentityMap(3), l.b.getMultiDimIdentityMap(3)},
                         SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel),
                         [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  Value determinants = l.empty(l.materialize(count), f64), one = l.scalar(1, f64);
  SmallVector<Value> results =
      loopNest(l, l.materialize(count), ValueRange{determinants, work}, [&](ValueRange batch, ValueRange carried) {
        Elimination elimination(l, Index(l, batch[0]), n);
        SmallVector<Value> end =
            loopNest(l, OpFoldResult(n), ValueRange{carried[1], one}, [&](ValueRange at, ValueRange values) {
              Scalars s{l.b, l.loc(), f64};
              auto [next, determinant] = elimination.step(values[0], Index(l, at[0]), Real(s, values[1]));
              return SmallVector<Value>{next, determinant};
            });
        Value stored = tensor::InsertOp::create(l.b, l.loc(), end[1], carried[0], batch[0]);
        return SmallVector<Value>{stored, end[0]};
      });
  return l.reshape(l.cast(results[0], f64, element), count, ArrayRef(x).drop_back(2));
}

void addDeterminantRules(Rules &rules) { rules.op<DetOp>().shape(shapeOfDet).lower(lowerDet); }

} // namespace mlc::onnx
