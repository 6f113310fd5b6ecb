// Makes casts of expansions whose extents only the run tells.
//
//   %y = memref.expand_shape %x [[0, 1]] output_shape [%n, %m] : memref<?xf32> into memref<?x?xf32>
//   =>
//   %y = memref.reinterpret_cast %x to offset: [0], sizes: [%n, %m], strides: [%m, 1]
//
// Upstream's expand-strided-metadata does this where at most one extent of each group is dynamic, and crashes where
// several are. Only those are taken here.
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_CASTEXPANDSHAPES
#include "passes/Passes.h.inc"

namespace {

bool hasSeveralDynamicExtents(memref::ExpandShapeOp op) {
  return llvm::any_of(op.getReassociationIndices(), [&](const ReassociationIndices &group) {
    return llvm::count_if(group, [&](int64_t axis) { return op.getResultType().isDynamicDim(axis); }) > 1;
  });
}

OpFoldResult product(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  return affine::makeComposedFoldedAffineApply(b, loc, b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1), {x, y});
}

struct CastExpandShape : OpRewritePattern<memref::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    if (!hasSeveralDynamicExtents(op))
      return rewriter.notifyMatchFailure(op, "no group has several dynamic extents");
    auto source = memref::ExtractStridedMetadataOp::create(rewriter, op.getLoc(), op.getSrc());
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), strides(sizes.size());
    SmallVector<OpFoldResult> sourceStrides = source.getConstifiedMixedStrides();
    for (auto [axis, group] : llvm::enumerate(op.getReassociationIndices())) {
      OpFoldResult stride = sourceStrides[axis];
      for (int64_t inner : llvm::reverse(group)) {
        strides[inner] = stride;
        stride = product(rewriter, op.getLoc(), stride, sizes[inner]);
      }
    }
    rewriter.replaceOpWithNewOp<memref::ReinterpretCastOp>(op, op.getResultType(), source.getBaseBuffer(),
                                                           source.getConstifiedMixedOffset(), sizes, strides);
    return success();
  }
};

struct CastExpandShapes : impl::CastExpandShapesBase<CastExpandShapes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<CastExpandShape>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
