// Operators that change the order of axes: Transpose, DepthToSpace, SpaceToDepth.
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Transpose ------------------------------------------------------------------===//

static FailureOr<SmallVector<int64_t>> permutationOf(TransposeOp op, int64_t rank) {
  if (!op.getPerm())
    return llvm::map_to_vector(llvm::seq<int64_t>(0, rank), [&](int64_t axis) { return rank - 1 - axis; });
  auto permutation = llvm::map_to_vector(*op.getPerm(), [&](int64_t axis) { return axis < 0 ? axis + rank : axis; });
  if ((int64_t)permutation.size() != rank || !isPermutationVector(permutation))
    return op.emitOpError("expects a permutation of ") << rank << " axes, got [" << permutation << "]";
  return permutation;
}

static FailureOr<Facts> shapeOfTranspose(TransposeOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getData());
  FailureOr<SmallVector<int64_t>> permutation = permutationOf(op, from.size());
  if (failed(permutation))
    return failure();
  Extents to = llvm::map_to_vector(*permutation, [&](int64_t axis) { return from[axis]; });
  SmallVector<int64_t> source(from.size());
  std::optional<Extents> elements = tellElements(to, [&](ArrayRef<int64_t> index) {
    for (auto [at, axis] : llvm::zip_equal(index, *permutation))
      source[axis] = at;
    return known.element(op.getData(), source);
  });
  return Facts(std::move(to), std::move(elements));
}

static FailureOr<Value> lowerTranspose(TransposeOp op, Lowering &l) {
  FailureOr<SmallVector<int64_t>> permutation = permutationOf(op, l.rank(op.getData()));
  if (failed(permutation))
    return failure();
  if (isIdentityPermutation(*permutation))
    return l(op.getData());
  return l.transpose(l(op.getData()), *permutation);
}

//===-- DepthToSpace and SpaceToDepth --------------------------------------------------===//

template <typename Op> static LogicalResult verifyBlocks(Op op, ArrayRef<Extent> from) {
  if (from.size() != 4)
    return op.emitOpError("expects data of rank 4, got ") << from.size();
  if (op.getBlocksize() <= 0)
    return op.emitOpError("expects a positive blocksize, got ") << op.getBlocksize();
  if (int64_t blocks; llvm::MulOverflow<int64_t>(op.getBlocksize(), op.getBlocksize(), blocks))
    return op.emitOpError("expects a blocksize whose square 64 bits can hold, got ") << op.getBlocksize();
  if (op.getMode() != "DCR" && op.getMode() != "CRD")
    return op.emitOpError("expects mode DCR or CRD, got ") << op.getMode();
  return success();
}

template <typename Op> static LogicalResult verifyDivides(Op op, Extent extent, int64_t blocks, int64_t axis) {
  std::optional<int64_t> fixed = ExtentMath::asConstant(extent);
  if (fixed && *fixed % blocks != 0)
    return op.emitOpError("expects the extent of axis ")
           << axis << " to be a multiple of " << blocks << ", got " << *fixed;
  return success();
}

static FailureOr<Extents> shapeOfDepthToSpace(DepthToSpaceOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getInput());
  if (failed(verifyBlocks(op, from)))
    return failure();
  int64_t size = op.getBlocksize();
  if (failed(verifyDivides(op, from[1], size * size, 1)))
    return failure();
  ExtentMath &math = known.math;
  Extent block = math.constant(size);
  return Extents{from[0], math.floorDiv(from[1], math.mul(block, block)), math.mul(from[2], block),
                 math.mul(from[3], block)};
}

static FailureOr<Extents> shapeOfSpaceToDepth(SpaceToDepthOp op, Known &known) {
  ArrayRef<Extent> from = known.extents(op.getInput());
  if (failed(verifyBlocks(op, from)))
    return failure();
  int64_t size = op.getBlocksize();
  if (failed(verifyDivides(op, from[2], size, 2)) || failed(verifyDivides(op, from[3], size, 3)))
    return failure();
  ExtentMath &math = known.math;
  Extent block = math.constant(size);
  return Extents{from[0], math.mul(from[1], math.mul(block, block)), math.floorDiv(from[2], block),
                 math.floorDiv(from[3], block)};
}

/// Splits axes, permutes them and joins them again.
static Value rearrange(Value operand, Value result, ArrayRef<Extent> split, ArrayRef<int64_t> permutation,
                       Lowering &l) {
  Value value = l.reshape(l(operand), l.known.extents(operand), split);
  value = l.transpose(value, permutation);
  Extents permuted = llvm::map_to_vector(permutation, [&](int64_t axis) { return split[axis]; });
  return l.reshape(value, permuted, l.known.extents(result));
}

static void checkDivides(Extent extent, int64_t blocks, int64_t axis, Lowering &l) {
  if (ExtentMath::isConstant(l.known.math.mod(extent, l.known.math.constant(blocks)), 0))
    return;
  Index told(l, extent);
  l.check(told % blocks == 0,
          "expects the extent of axis " + Twine(axis) + " to be a multiple of " + Twine(blocks) + ", got %0", {told});
}

static FailureOr<Value> lowerDepthToSpace(DepthToSpaceOp op, Lowering &l) {
  ArrayRef<Extent> from = l.known.extents(op.getInput()), to = l.known.extents(op.getOutput());
  checkDivides(from[1], op.getBlocksize() * op.getBlocksize(), 1, l);
  Extent block = l.known.math.constant(op.getBlocksize());
  if (op.getMode() == "DCR")
    return rearrange(op.getInput(), op.getOutput(), {from[0], block, block, to[1], from[2], from[3]},
                     {0, 3, 4, 1, 5, 2}, l);
  return rearrange(op.getInput(), op.getOutput(), {from[0], to[1], block, block, from[2], from[3]}, {0, 1, 4, 2, 5, 3},
                   l);
}

static FailureOr<Value> lowerSpaceToDepth(SpaceToDepthOp op, Lowering &l) {
  ArrayRef<Extent> from = l.known.extents(op.getInput()), to = l.known.extents(op.getOutput());
  checkDivides(from[2], op.getBlocksize(), 2, l);
  checkDivides(from[3], op.getBlocksize(), 3, l);
  Extent block = l.known.math.constant(op.getBlocksize());
  Extents split = {from[0], from[1], to[2], block, to[3], block};
  if (op.getMode() == "DCR")
    return rearrange(op.getInput(), op.getOutput(), split, {0, 3, 5, 1, 2, 4}, l);
  return rearrange(op.getInput(), op.getOutput(), split, {0, 1, 3, 5, 2, 4}, l);
}

void addTransposeRules(Rules &rules) {
  rules.op<TransposeOp>().shape(shapeOfTranspose).moves().lower(lowerTranspose);
  rules.op<DepthToSpaceOp>().shape(shapeOfDepthToSpace).moves().lower(lowerDepthToSpace);
  rules.op<SpaceToDepthOp>().shape(shapeOfSpaceToDepth).moves().lower(lowerSpaceToDepth);
}

} // namespace mlc::onnx
