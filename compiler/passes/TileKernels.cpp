// Cuts the loops of a kernel as #mlc.tiling says, with the producers fused into the tiles.
//
//   %1 = mlc.contract ins(%x, %w) outs(%0)           %r = scf.forall (%i, %j) ... shared_outs(%o = %out) {
//   %2 = linalg.generic ins(%1) outs(%out)      =>     %1 = mlc.contract (tile of %x, panel of %w)
//     attributes {mlc.tiling = ...}                    %2 = linalg.generic ins(%1) outs(tile of %o)
//                                                      scf.forall.in_parallel { tensor.parallel_insert_slice %2 into %o
//                                                      }
//
// The target decides the sizes (Target::tile) for the root of the kernel, unless the attribute is there already,
// written by a person or a tuner. A loop that some producer needs whole (KernelLoops::divisible) stays whole whatever
// the attribute says.
#include "Target.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/KernelLoops.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_TILEKERNELS
#include "passes/Passes.h.inc"

namespace {

/// The sizes with those loops left whole that may not be cut; none if nothing is left to cut. The extents tell whether
/// a cut would give more than one tile.
std::optional<SmallVector<int64_t>> usableSizes(ArrayRef<int64_t> sizes, const llvm::SmallBitVector &divisible,
                                                ArrayRef<int64_t> extents) {
  if (llvm::is_contained(extents, 0))
    return std::nullopt; // no elements, and upstream cannot slice that
  SmallVector<int64_t> usable(extents.size(), 0);
  bool any = false;
  for (auto [loop, size] : llvm::enumerate(sizes)) {
    bool cuts = loop < extents.size() && divisible.test(loop) && size > 0 &&
                (ShapedType::isDynamic(extents[loop]) || size < extents[loop]);
    if (cuts)
      usable[loop] = size;
    any |= cuts;
  }
  if (!any)
    return std::nullopt;
  return usable;
}

SmallVector<int64_t> loopExtents(TilingInterface op, OpBuilder &b) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op.getOperation()))
    return structured.getStaticLoopRanges();
  if (auto contract = dyn_cast<ContractOp>(op.getOperation()))
    return contract.getStaticLoopExtents();
  return llvm::map_to_vector(op.getIterationDomain(b), [](Range range) {
    return getConstantIntValue(range.size).value_or(ShapedType::kDynamic);
  });
}

struct TileKernels : impl::TileKernelsBase<TileKernels> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel->hasAttr(kernelAttrName) || kernel.isExternal())
      return;
    auto module = kernel->getParentOfType<ModuleOp>();
    fillInPlace(kernel);
    copyInserted(kernel);
    std::optional<KernelLoops> loops = loopsOfKernel(kernel.getBody().front());
    auto root = loops ? dyn_cast<TilingInterface>(loops->root()) : TilingInterface();
    if (!root)
      return;
    auto tiling = root->getAttrOfType<TilingAttr>(tilingAttrName);
    if (!tiling) {
      FailureOr<std::pair<const Target *, TargetAttr>> target = targetOf(module);
      if (failed(target))
        return signalPassFailure();
      tiling = target->first->tile(root, target->second);
    }
    if (!tiling)
      return;
    llvm::SmallBitVector divisible = loops->divisible();
    for (auto [loop, kind] : llvm::enumerate(root.getLoopIteratorTypes()))
      if (kind != utils::IteratorType::parallel)
        divisible.reset(loop);

    root->removeAttr(tilingAttrName);
    TilingInterface inner = root;
    if (!tiling.getParallel().empty()) {
      FailureOr<TilingInterface> tiled =
          cut(root, tiling.getParallel(), divisible, scf::SCFTilingOptions::LoopType::ForallOp);
      if (failed(tiled))
        return signalPassFailure();
      inner = *tiled;
    }
    if (!tiling.getSerial().empty() &&
        failed(cut(inner, tiling.getSerial(), divisible, scf::SCFTilingOptions::LoopType::ForOp)))
      return signalPassFailure();
    // A tile of memory that nobody has written yet is memory of the size of the tile.
    RewritePatternSet patterns(&getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns);
    tensor::ExtractSliceOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(kernel, std::move(patterns))))
      signalPassFailure();
  }

  /// A filled border is filled where it belongs. As tensors of their own, two borders of the same shape would become one
  /// and be copied.
  static void fillInPlace(func::FuncOp kernel) {
    kernel.walk([](tensor::InsertSliceOp insert) {
      auto fill = insert.getSource().getDefiningOp<linalg::FillOp>();
      if (!fill || !fill->hasOneUse() || !fill.output().getDefiningOp<tensor::EmptyOp>())
        return;
      OpBuilder b(insert);
      Value slice =
          tensor::ExtractSliceOp::create(b, insert.getLoc(), insert.getSourceType(), insert.getDest(),
                                         insert.getMixedOffsets(), insert.getMixedSizes(), insert.getMixedStrides());
      fill->moveBefore(insert);
      fill.getOutputsMutable().assign(slice);
    });
  }

  /// A kernel that inserts what lies elsewhere copies it, which is a loop that can be cut.
  static void copyInserted(func::FuncOp kernel) {
    Operation *end = kernel.getBody().front().getTerminator();
    auto insert = end->getNumOperands() == 1 ? end->getOperand(0).getDefiningOp<tensor::InsertSliceOp>()
                                             : tensor::InsertSliceOp();
    if (!insert || insert.getSource().getDefiningOp<DestinationStyleOpInterface>())
      return;
    ImplicitLocOpBuilder b(insert.getLoc(), insert);
    Value source = insert.getSource();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), source);
    Value empty = tensor::EmptyOp::create(b, sizes, insert.getSourceType().getElementType());
    AffineMap identity = b.getMultiDimIdentityMap(sizes.size());
    SmallVector<utils::IteratorType> parallel(sizes.size(), utils::IteratorType::parallel);
    auto copy = linalg::GenericOp::create(
        b, empty.getType(), source, empty, {identity, identity}, parallel,
        [](OpBuilder &inner, Location loc, ValueRange args) { linalg::YieldOp::create(inner, loc, args[0]); });
    insert.getSourceMutable().assign(copy.getResult(0));
  }

  /// Gives the root within the new loops, or the old one if there is nothing to cut.
  static FailureOr<TilingInterface> cut(TilingInterface root, ArrayRef<int64_t> sizes,
                                        const llvm::SmallBitVector &divisible,
                                        scf::SCFTilingOptions::LoopType loopType) {
    IRRewriter rewriter(root);
    SmallVector<int64_t> extents = loopExtents(root, rewriter);
    std::optional<SmallVector<int64_t>> usable = usableSizes(sizes, divisible, extents);
    if (!usable)
      return root;
    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setLoopType(loopType).setTileSizes(getAsIndexOpFoldResult(rewriter.getContext(), *usable));
    FailureOr<scf::SCFTileAndFuseResult> result = scf::tileConsumerAndFuseProducersUsingSCF(rewriter, root, options);
    if (failed(result))
      return root.emitError("cannot be tiled by ") << ArrayRef<int64_t>(*usable);
    for (OpResult value : root->getResults())
      if (Value replacement = result->replacements.lookup(value))
        rewriter.replaceAllUsesWith(value, replacement);
    return cast<TilingInterface>(result->tiledAndFusedOps.front());
  }
};

} // namespace
} // namespace mlc
