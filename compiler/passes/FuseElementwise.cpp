// Joins elementwise operations with the producers and consumers that make no work double.
//
//   %1 = linalg.generic ins(%x) { exp }         =>   %2 = linalg.generic ins(%x, %y) { exp; mulf }
//   %2 = linalg.generic ins(%1, %y) { mulf }
//
// The mechanism is upstream's; what is ours is the choice: a producer joins its only consumer when that reads each
// element once, so nothing is computed twice and nothing is stored in between. Producers that cost nothing (constants,
// indices, plain copies such as a transpose) join wherever they are read element by element. Operands that only gained
// axes of extent 1 by a reshape are read through it, which makes broadcasting visible in the indexing maps.
//
// Contractions are no generics any more when this runs (mlc.contract); their epilogues are joined by FormKernels.
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/Passes.h.inc"

namespace {

/// Longer bodies spill registers and take long to compile.
constexpr int64_t maxBodyOperations = 96;
constexpr int64_t maxOperands = 16;

/// Yields one of its operands, a constant or an index: recomputing it costs no more than loading it.
bool isFree(linalg::GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return isa<linalg::IndexOp, arith::ConstantOp, arith::IndexCastOp>(inner);
  });
}

bool joins(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer->getBlock() != consumer->getBlock())
    return false;
  AffineMap read = consumer.getMatchingIndexingMap(operand);
  if (!read.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false; // a window reads elements many times
  if (std::distance(producer.getBody()->begin(), producer.getBody()->end()) +
              std::distance(consumer.getBody()->begin(), consumer.getBody()->end()) >
          maxBodyOperations ||
      producer.getNumDpsInputs() + consumer.getNumDpsInputs() > maxOperands)
    return false;
  if (isFree(producer))
    return true;
  bool onlyUse = llvm::all_of(producer->getUsers(), [&](Operation *user) { return user == consumer; });
  bool readOnce = read.getNumResults() == consumer.getNumLoops() && read.isPermutation();
  return onlyUse && readOnce;
}

/// Reads an operand through a reshape that only inserted axes of extent 1.
///
///   %1 = tensor.expand_shape %0 : tensor<Nxf32> into tensor<Nx1xf32>
///   linalg.generic ins(%1) (d0, d1) -> (d0, 0)     =>   linalg.generic ins(%0) (d0, d1) -> (d0)
struct ReadThroughUnitAxes : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto expand = operand->get().getDefiningOp<tensor::ExpandShapeOp>();
      if (!expand)
        continue;
      AffineMap map = op.getMatchingIndexingMap(operand);
      RankedTensorType type = expand.getResultType();
      SmallVector<AffineExpr> access;
      bool applies = true;
      for (const ReassociationIndices &group : expand.getReassociationIndices()) {
        SmallVector<int64_t> wide =
            llvm::filter_to_vector(group, [&](int64_t axis) { return type.getDimSize(axis) != 1; });
        if (wide.size() > 1)
          applies = false;
        if (!applies)
          break;
        access.push_back(map.getResult(wide.empty() ? group.back() : wide.front()));
      }
      // Every loop must still be bounded by some operand; the destination's identity map does that.
      if (!applies || !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isPermutation())
        continue;
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps[operand->getOperandNumber()] = AffineMap::get(map.getNumDims(), 0, access, rewriter.getContext());
      rewriter.modifyOpInPlace(op, [&] {
        op.setOperand(operand->getOperandNumber(), expand.getSrc());
        op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a reshape that inserts axes of extent 1");
  }
};

/// What has a loop of no iterations leaves its results as they were: reductions of nothing, and tensors without elements.
/// Upstream's tiling takes such a loop for one that is not to be cut.
struct SkipEmptyLoops : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !llvm::is_contained(op.getStaticLoopRanges(), 0))
      return failure();
    rewriter.replaceOp(op, op.getDpsInits());
    return success();
  }
};

/// Named operations become generics, so that one mechanism serves all. Fills stay: they are recognized as the start of
/// an accumulation.
struct Generalize : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (isa<linalg::GenericOp, linalg::FillOp>(op))
      return rewriter.notifyMatchFailure(op, "is already in its final form");
    return linalg::generalizeNamedOp(rewriter, op);
  }
};

struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Generalize, ReadThroughUnitAxes, SkipEmptyLoops>(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, joins);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::CastOp::getCanonicalizationPatterns(patterns, &getContext());
    getContext().getLoadedDialect<linalg::LinalgDialect>()->getCanonicalizationPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
