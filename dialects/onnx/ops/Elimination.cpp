// Determinants and inverses of the matrices in the last two axes: Det, Inverse (com.microsoft).
//
//   %y = onnx.Det(%x)   =>   for each matrix: Gaussian elimination with the largest pivot of each column, in double
//
// The inverse is what becomes of the unit matrix, written beside it, when all other elements of each pivot's column are
// taken out.
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
/// Elimination in a tensor of f64, batch x n x width, which every step rewrites.
class Elimination {
public:
  enum Rows { Below, AllOthers };

  Elimination(Lowering &l, Index batch, Index n, Index width, Rows rows)
      : l(l), outside{l.b, l.loc(), l.b.getF64Type()}, batch(batch), n(n), width(width), rows(rows) {}

  /// Takes column k out of other rows; gives the matrices, and the determinant so far times the pivot.
  std::pair<Value, Real> step(Value all, Index k, Real determinant) {
    Index best = pivotOf(all, k);
    all = exchanged(all, k, best);
    Real pivot = read(all, k, k), sign = select(best == k, pivot.same(1), pivot.same(-1));
    // Without a pivot the determinant is 0, and there is no inverse, whatever the other rows become.
    Real divisor = select(pivot == 0, pivot.same(1), pivot);
    Index first = rows == Below ? k + 1 : Index(l, int64_t(0));
    Value left = loopNest(l, OpFoldResult(n - first), all, [&](ValueRange at, ValueRange carried) {
                   Index i = first + Index(l, at[0]);
                   Real quotient = read(carried[0], i, k) / divisor;
                   Real factor = rows == Below ? quotient : select(i == k, quotient.same(0), quotient);
                   return SmallVector<Value>{
                       loopNest(l, OpFoldResult(width - k), carried, [&](ValueRange along, ValueRange row) {
                         Index j = k + Index(l, along[0]);
                         Real next = read(row[0], i, j) - factor * read(row[0], k, j);
                         return SmallVector<Value>{write(row[0], i, j, next)};
                       }).front()};
                 }).front();
    return {left, determinant * sign * pivot};
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
    return loopNest(l, OpFoldResult(width), all,
                    [&](ValueRange at, ValueRange rows) {
                      Index j(l, at[0]);
                      Real x = read(rows[0], a, j), y = read(rows[0], b, j);
                      return SmallVector<Value>{write(write(rows[0], a, j, y), b, j, x)};
                    })
        .front();
  }

  Lowering &l;
  Scalars outside;
  Index batch, n, width;
  Rows rows;
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
        Elimination elimination(l, Index(l, batch[0]), n, n, Elimination::Below);
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

//===-- Inverse ------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfInverse(MicrosoftInverseOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX());
  if (x.size() < 2 || !known.math.mayBeEqual(x[x.size() - 2], x.back()))
    return op.emitOpError("expects square matrices in the last two axes, got ") << op.getX().getType();
  return Extents(x);
}

static FailureOr<Value> lowerInverse(MicrosoftInverseOp op, Lowering &l) {
  Extents x(l.known.extents(op.getX()));
  Type element = Lowering::element(op.getX()), f64 = l.b.getF64Type();
  l.expectExtent(x[x.size() - 2], x.back(), "the last two axes");
  Extent matrices = l.known.math.product(ArrayRef(x).drop_back(2));
  Index count(l, matrices), n(l, x.back()), width = n * 2;
  Value given = l.reshape(l.cast(l(op.getX()), element, f64), x, {matrices, x.back(), x.back()});
  Value work =
      l.generate(asFoldResults({count, n, width}), f64, [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
        Scalars s{b, loc, f64};
        Index i(l, at[1]), j(l, at[2]);
        Real own(s, s.make<tensor::ExtractOp>(given, ValueRange{at[0], i, min(j, n - 1)}));
        return select(j < n, own, select(j - n == i, own.same(1), own.same(0)));
      });
  Value done =
      loopNest(l, OpFoldResult(count), work, [&](ValueRange batch, ValueRange carried) {
        Elimination elimination(l, Index(l, batch[0]), n, width, Elimination::AllOthers);
        return SmallVector<Value>{loopNest(l, OpFoldResult(n), carried, [&](ValueRange at, ValueRange values) {
                                    Scalars s{l.b, l.loc(), f64};
                                    Real none(s, l.scalar(1, f64));
                                    return SmallVector<Value>{elimination.step(values[0], Index(l, at[0]), none).first};
                                  }).front()};
      }).front();
  Value result = l.generate(asFoldResults({count, n, n}), f64, [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
    Scalars s{b, loc, f64};
    Index i(l, at[1]), j(l, at[2]);
    Real value(s, s.make<tensor::ExtractOp>(done, ValueRange{at[0], i, n + j}));
    return value / Real(s, s.make<tensor::ExtractOp>(done, ValueRange{at[0], i, i}));
  });
  return l.reshape(l.cast(result, f64, element), {matrices, x.back(), x.back()}, x);
}

void addEliminationRules(Rules &rules) {
  rules.op<DetOp>().shape(shapeOfDet).lower(lowerDet);
  rules.op<MicrosoftInverseOp>().shape(shapeOfInverse).lower(lowerInverse);
}

} // namespace mlc::onnx
