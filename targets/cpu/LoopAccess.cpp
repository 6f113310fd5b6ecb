#include "cpu/LoopAccess.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace mlc::cpu {

//===-- Along one loop ---------------------------------------------------------------===//

Movement movementAlong(AffineMap map, MemRefType type, unsigned loop) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return Movement::Irregular;
  Movement result = Movement::None;
  for (auto [expr, stride] : llvm::zip(map.getResults(), strides)) {
    if (!expr.isFunctionOfDim(loop))
      continue;
    // The coefficient of the loop, if the expression is a sum.
    AffineExpr rest = expr - getAffineDimExpr(loop, expr.getContext());
    bool isUnit = !simplifyAffineExpr(rest, map.getNumDims(), 0).isFunctionOfDim(loop);
    if (!expr.isPureAffine())
      return Movement::Irregular;
    bool isSum = true;
    expr.walk([&](AffineExpr e) {
      if (auto binary = dyn_cast<AffineBinaryOpExpr>(e); binary && binary.getKind() != AffineExprKind::Add &&
                                                         binary.getKind() != AffineExprKind::Mul &&
                                                         binary.isFunctionOfDim(loop))
        isSum = false;
    });
    if (!isSum)
      return Movement::Irregular;
    if (result != Movement::None)
      return Movement::Strided; // a diagonal
    result = isUnit && stride == 1 ? Movement::Contiguous : Movement::Strided;
  }
  return result;
}

int64_t coefficientOf(AffineExpr expr, unsigned loop) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dim.getPosition() == loop;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 0;
  if (binary.getKind() == AffineExprKind::Add)
    return coefficientOf(binary.getLHS(), loop) + coefficientOf(binary.getRHS(), loop);
  if (binary.getKind() == AffineExprKind::Mul)
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return coefficientOf(binary.getLHS(), loop) * factor.getValue();
  return 0;
}

std::optional<int64_t> strideAlong(AffineMap map, MemRefType type, unsigned loop) {
  SmallVector<int64_t> strides;
  int64_t offset, result = 0;
  if (movementAlong(map, type, loop) == Movement::Irregular || failed(type.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  for (auto [expr, stride] : llvm::zip(map.getResults(), strides)) {
    int64_t factor = coefficientOf(expr, loop);
    if (factor && ShapedType::isDynamic(stride))
      return std::nullopt;
    result += factor * stride;
  }
  return result;
}

std::optional<int64_t> shortStrideAlong(AffineMap map, MemRefType type, unsigned loop) {
  std::optional<int64_t> stride = strideAlong(map, type, loop);
  return stride && *stride >= 2 && *stride <= 4 ? stride : std::nullopt;
}

//===-- Loops that are one ------------------------------------------------------------===//

/// Whether the axes that these loops run over lie in each operand as one axis does. A tile of a larger buffer may have
/// such axes, too.
static bool areContiguous(linalg::LinalgOp op, ArrayRef<int64_t> loops) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type || type.getLayout().isIdentity())
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<ReassociationIndices> groups;
    bool inRun = false;
    for (auto [axis, index] : llvm::enumerate(map.getResults())) {
      bool isOfRun = llvm::is_contained(loops, cast<AffineDimExpr>(index).getPosition());
      if (isOfRun && inRun)
        groups.back().push_back(axis);
      else
        groups.push_back({(int64_t)axis});
      inRun = isOfRun;
    }
    if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
      return false;
  }
  return true;
}

/// The longest runs of loops that are contiguous in all operands.
static SmallVector<ReassociationIndices> contiguousRuns(linalg::LinalgOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<ReassociationIndices> runs;
  for (int64_t loop = 0; loop < (int64_t)iterators.size(); ++loop) {
    if (!runs.empty() && iterators[loop] == iterators[loop - 1]) {
      ReassociationIndices longer = runs.back();
      longer.push_back(loop);
      if (linalg::areDimSequencesPreserved(maps, {longer}) && areContiguous(op, longer)) {
        runs.back() = longer;
        continue;
      }
    }
    runs.push_back({loop});
  }
  return runs;
}

linalg::LinalgOp collapseLoops(linalg::LinalgOp op, RewriterBase &rewriter) {
  if (!op.getBlock()->getOps<linalg::IndexOp>().empty())
    return op;
  if (!llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isProjectedPermutation(); }))
    return op;
  SmallVector<ReassociationIndices> runs = contiguousRuns(op);
  if (llvm::all_of(runs, [](const ReassociationIndices &run) { return run.size() == 1; }))
    return op;
  rewriter.setInsertionPoint(op);
  if (!isa<linalg::GenericOp>(op)) {
    FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, op);
    if (failed(generic))
      return op;
    op = *generic;
    rewriter.setInsertionPoint(op);
  }
  FailureOr<linalg::CollapseResult> result = linalg::collapseOpIterationDims(op, runs, rewriter);
  if (failed(result))
    return op;
  rewriter.eraseOp(op);
  return result->collapsedOp;
}

} // namespace mlc::cpu
