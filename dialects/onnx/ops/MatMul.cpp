// Matrix products: MatMul of any ranks, with batches broadcast as numpy does it, and Gemm.
//
//   %y = onnx.MatMul(%a, %b)   =>   linalg.generic: y[batch, m, n] += a[batch, m, k] * b[batch, k, n]
//
// A matrix without a batch of its own is read for every batch; transposed ones are read that way. Floats narrower than
// f32 are extended before and truncated after the product, so that sums do not lose what they gather.
#include "onnx/ops/MatMul.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- MatMul -----------------------------------------------------------------===//

/// The extents of axis m (of a) or n (of b), if there is one, and of k.
struct MatrixSide {
  ArrayRef<Extent> batch;
  Extent free; ///< null for a vector
  Extent depth;
};

static MatrixSide leftSide(ArrayRef<Extent> extents) {
  if (extents.size() == 1)
    return {{}, Extent(), extents[0]};
  return {extents.drop_back(2), extents.drop_back().back(), extents.back()};
}

static MatrixSide rightSide(ArrayRef<Extent> extents) {
  if (extents.size() == 1)
    return {{}, Extent(), extents[0]};
  return {extents.drop_back(2), extents.back(), extents.drop_back().back()};
}

FailureOr<Extents> shapeOfProduct(Operation *op, Known &known, Value a, Value b) {
  if (known.rank(a) == 0 || known.rank(b) == 0)
    return op->emitOpError("expects operands of rank 1 or more, got ") << a.getType() << " and " << b.getType();
  MatrixSide left = leftSide(known.extents(a)), right = rightSide(known.extents(b));
  if (!known.math.mayBeEqual(left.depth, right.depth))
    return op->emitOpError("expects as many columns of A as rows of B, got ") << a.getType() << " and " << b.getType();
  std::optional<Extents> result = known.math.broadcast(left.batch, right.batch);
  if (!result)
    return op->emitOpError("expects batches that broadcast, got ") << a.getType() << " and " << b.getType();
  if (left.free)
    result->push_back(left.free);
  if (right.free)
    result->push_back(right.free);
  return std::move(*result);
}

/// An operand without the batch axes of extent 1, which are the same for every batch; `along` says which batch axes are
/// left.
static Value withoutUnitBatches(Lowering &l, Value operand, int64_t matrixRank, int64_t batchRank,
                                SmallVectorImpl<int64_t> &along) {
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t own = type.getRank() - matrixRank;
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), operand), kept;
  for (int64_t axis = 0; axis < own; ++axis) {
    if (type.getDimSize(axis) == 1)
      continue;
    along.push_back(batchRank - own + axis);
    kept.push_back(extents[axis]);
  }
  kept.append(extents.end() - matrixRank, extents.end());
  return l.reshape(operand, kept);
}

Value lowerProduct(Lowering &l, ArrayRef<Extent> extents, Value a, Value b, Value left, Value right, Factors factors) {
  MatrixSide sideOfA = leftSide(l.known.extents(a)), sideOfB = rightSide(l.known.extents(b));
  l.expectExtent(sideOfB.depth, sideOfA.depth, "rows of B");
  bool hasRows = (bool)sideOfA.free, hasColumns = (bool)sideOfB.free;
  int64_t batchRank = extents.size() - hasRows - hasColumns, loops = extents.size() + 1;

  SmallVector<int64_t> leftBatch, rightBatch;
  left = withoutUnitBatches(l, left, 1 + hasRows, batchRank, leftBatch);
  right = withoutUnitBatches(l, right, 1 + hasColumns, batchRank, rightBatch);
  auto expr = [&](int64_t loop) { return l.b.getAffineDimExpr(loop); };
  SmallVector<AffineExpr> ofLeft = llvm::map_to_vector(leftBatch, expr),
                          ofRight = llvm::map_to_vector(rightBatch, expr);
  if (hasRows)
    ofLeft.push_back(expr(batchRank));
  ofLeft.push_back(expr(loops - 1));
  ofRight.push_back(expr(loops - 1));
  if (hasColumns)
    ofRight.push_back(expr(loops - 2));

  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, l.b.getContext()); };
  SmallVector<utils::IteratorType> iterators(loops - 1, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  AffineMap ofResult = l.consecutive(loops, 0, loops - 1);
  return l.sumOfProducts(l.materialize(extents), left, right, {map(ofLeft), map(ofRight), ofResult}, iterators,
                         factors);
}

Value broadcastBatches(Lowering &l, ArrayRef<Extent> result, Value operand, Value lowered, Value other) {
  ArrayRef<Extent> own = l.known.extents(operand);
  if (own.size() <= 2)
    return l.broadcastable(lowered, own, own);
  int64_t matrix = l.rank(other) > 1 ? 2 : 1; // axes of the result that are none of the batch
  Extents common(result.drop_back(matrix));
  common.append(own.end() - 2, own.end());
  return l.broadcastable(lowered, own, common);
}

static FailureOr<Value> lowerMatMul(MatMulOp op, Lowering &l) {
  Type element = Lowering::element(op.getA()), accumulator = accumulatorElement(element);
  ArrayRef<Extent> extents = l.known.extents(op.getY());
  Value left = l.cast(l(op.getA()), element, accumulator), right = l.cast(l(op.getB()), element, accumulator);
  left = broadcastBatches(l, extents, op.getA(), left, op.getB());
  right = broadcastBatches(l, extents, op.getB(), right, op.getA());
  return l.cast(lowerProduct(l, extents, op.getA(), op.getB(), left, right), accumulator, element);
}

//===-- Gemm -------------------------------------------------------------------===//

FailureOr<Extents> shapeOfMatrices(Operation *op, Known &known, Value a, bool transA, Value b, bool transB, Value c) {
  for (auto [operand, name] : {std::pair(a, "A"), std::pair(b, "B")})
    if (known.rank(operand) != 2)
      return op->emitOpError("expects ") << name << " of rank 2, got " << operand.getType();
  ArrayRef<Extent> left = known.extents(a), right = known.extents(b);
  if (!known.math.mayBeEqual(left[transA ? 0 : 1], right[transB ? 1 : 0]))
    return op->emitOpError("expects as many columns of A as rows of B, after transposition, got ")
           << a.getType() << " and " << b.getType();
  Extents result = {left[transA ? 1 : 0], right[transB ? 0 : 1]};
  if (!c)
    return result;
  std::optional<Extents> common = known.math.broadcast(result, known.extents(c));
  bool fits = common && common->size() == 2;
  for (int axis = 0; fits && axis < 2; ++axis)
    fits = known.math.mayBeEqual((*common)[axis], result[axis]);
  if (!fits)
    return op->emitOpError("expects C that broadcasts to the product, got ") << c.getType();
  return result;
}

Value productOfMatrices(Lowering &l, Value a, Value left, bool transA, Value b, Value right, bool transB, Value result,
                        Factors factors) {
  l.expectExtent(l.known.extents(b)[transB ? 1 : 0], l.known.extents(a)[transA ? 0 : 1], "rows of B");
  AffineExpr m = l.b.getAffineDimExpr(0), n = l.b.getAffineDimExpr(1), k = l.b.getAffineDimExpr(2);
  auto map = [&](AffineExpr row, AffineExpr column, bool transposed) {
    return AffineMap::get(3, 0, transposed ? ArrayRef<AffineExpr>{column, row} : ArrayRef<AffineExpr>{row, column},
                          l.b.getContext());
  };
  utils::IteratorType parallel = utils::IteratorType::parallel, reduction = utils::IteratorType::reduction;
  return l.sumOfProducts(l.extents(result), left, right, {map(m, k, transA), map(k, n, transB), map(m, n, false)},
                         {parallel, parallel, reduction}, factors);
}

static Value scaled(Scalars &s, Value value, double factor) {
  return factor == 1 ? value : s.make<arith::MulFOp>(value, s.constant(factor, value.getType()));
}

static FailureOr<Value> lowerGemm(GemmOp op, Lowering &l) {
  Type element = Lowering::element(op.getA()), accumulator = accumulatorElement(element);
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  Value left = l.cast(l.broadcastable(op.getA(), l.known.extents(op.getA())), element, accumulator);
  Value right = l.cast(l.broadcastable(op.getB(), l.known.extents(op.getB())), element, accumulator);
  Value product = productOfMatrices(l, op.getA(), left, op.getTransA(), op.getB(), right, op.getTransB(), op.getY());

  double alpha = op.getAlpha().convertToFloat(), beta = op.getBeta().convertToFloat();
  bool adds = op.getC() && beta != 0;
  if (!adds && alpha == 1)
    return l.cast(product, accumulator, element);
  SmallVector<Value> operands = {product};
  SmallVector<Type> elements = {accumulator};
  if (adds) {
    operands.push_back(l.broadcastable(op.getC(), l.known.extents(op.getY())));
    elements.push_back(element);
  }
  bool isPlain = alpha == 1 && (!adds || beta == 1);
  if (isFloat(element) || isPlain)
    return l.elementwise(extents, element, operands, elements, [&](Scalars &s, ValueRange args) {
      Value result = scaled(s, args[0], alpha);
      return adds ? add(s, {result, scaled(s, args[1], beta)}) : result;
    });
  // Factors are floats: of integers, only the sum is rounded, towards zero.
  Type real = l.b.getF64Type();
  return l.elementwise(extents, element, operands, elements, [&](Scalars &s, ValueRange args) -> Value {
    Value result = scaled(s, castScalar(s, args[0], element, real), alpha);
    if (adds)
      result = s.make<arith::AddFOp>(result, scaled(s, castScalar(s, args[1], element, real), beta));
    return castScalar(s, result, real, element);
  });
}

void addMatMulRules(Rules &rules) {
  rules.op<MatMulOp>()
      .shape([](MatMulOp op, Known &known) { return shapeOfProduct(op, known, op.getA(), op.getB()); })
      .lower(lowerMatMul);
  rules.op<GemmOp>()
      .shape([](GemmOp op, Known &known) {
        return shapeOfMatrices(op, known, op.getA(), op.getTransA(), op.getB(), op.getTransB(), op.getC());
      })
      .lower(lowerGemm);
}

} // namespace mlc::onnx
