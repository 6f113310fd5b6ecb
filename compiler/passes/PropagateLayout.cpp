// Moves transpositions to where they meet and vanish.
//
//   %1 = linalg.transpose %conv1     channels first       %2 = linalg.generic ins(%conv1, %bias) { addf }
//   %2 = linalg.generic ins(%1, %bias) { addf }      =>   %y = mlc.contract ins(%2, %w)
//   %3 = linalg.transpose %2         channels last
//   %y = mlc.contract ins(%3, %w)
//
// First down: whatever reads a transposed tensor and can as well compute in the order of the original does so, and its
// result is transposed instead; at the next convolution two inverse transpositions meet. Operations with several large
// operands follow the majority of them. Then what is left moves up over padding, so that it writes into the padded
// tensor, and is absorbed: by a contraction, which reads rows by any stride and may write its outer loops in any order;
// by a constant; by a reshape, if it moves axes of extent 1 only. The rest stays and is joined with elementwise
// operations by FuseElementwise.
//
// Upstream has this for linalg.pack only (populateDataLayoutPropagationPatterns).
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/ConstantLayout.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_PROPAGATELAYOUT
#include "passes/Passes.h.inc"

namespace {

/// Axis i of a transposed tensor is axis order[i] of the original.
using Order = SmallVector<int64_t>;

Value transpose(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> order) {
  if (isIdentityPermutation(order))
    return value;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
  Value empty = tensor::EmptyOp::create(b, loc, applyPermutation(sizes, order), getElementTypeOrSelf(value.getType()));
  return linalg::TransposeOp::create(b, loc, value, empty, order)->getResult(0);
}

linalg::TransposeOp transpositionOf(Value value) { return value.getDefiningOp<linalg::TransposeOp>(); }

bool isTransposed(Value value, ArrayRef<int64_t> order) {
  auto transposition = transpositionOf(value);
  return transposition && transposition.getPermutation() == order;
}

/// Whether a tensor can be had in another order for nothing.
bool isFreeToTranspose(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (isa<tensor::EmptyOp, linalg::FillOp>(op) || viewOfConstant(value));
}

/// The tensor whose transposition by `order` is `value`.
Value original(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> order) {
  if (isTransposed(value, order))
    return transpositionOf(value).getInput();
  SmallVector<int64_t> inverse = invertPermutationVector(order);
  auto permutedEmpty = [&](Value like) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, like);
    return tensor::EmptyOp::create(b, loc, applyPermutation(sizes, inverse), getElementTypeOrSelf(like.getType()));
  };
  if (value.getDefiningOp<tensor::EmptyOp>())
    return permutedEmpty(value);
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    return linalg::FillOp::create(b, loc, fill.value(), permutedEmpty(value).getResult()).getResult(0);
  return transpose(b, loc, value, inverse);
}

//===-- Down -------------------------------------------------------------------------===//

/// The loops in the order in which an operand's axes need them; those that it lacks come first.
SmallVector<unsigned> loopsInOrderOf(AffineMap map) {
  SmallVector<int64_t> place(map.getNumDims(), -1);
  for (auto [axis, index] : llvm::enumerate(map.getResults()))
    for (unsigned loop = 0; loop < place.size(); ++loop)
      if (index.isFunctionOfDim(loop) && place[loop] < 0)
        place[loop] = axis;
  auto loops = llvm::to_vector(llvm::seq<unsigned>(0, map.getNumDims()));
  llvm::stable_sort(loops, [&](unsigned a, unsigned b) { return place[a] < place[b]; });
  return loops;
}

/// The map of the original of an operand that was transposed by `order`.
AffineMap mapOfOriginal(AffineMap map, ArrayRef<int64_t> order) {
  return AffineMap::get(map.getNumDims(), 0, applyPermutation(map.getResults(), invertPermutationVector(order)),
                        map.getContext());
}

/// Elements of a tensor, for comparisons: an extent that only the run knows counts as a usual one.
int64_t volumeOf(Value value) {
  constexpr int64_t usualExtent = 64;
  int64_t volume = 1;
  for (int64_t extent : cast<RankedTensorType>(value.getType()).getShape())
    volume *= ShapedType::isDynamic(extent) ? usualExtent : extent;
  return volume;
}

struct SinkThroughGeneric : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || llvm::any_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
          return !op.getMatchingIndexingMap(&init).isProjectedPermutation();
        }))
      return rewriter.notifyMatchFailure(op, "result is not written in the order of loops");
    OpOperand *found = leader(op);
    if (!found)
      return rewriter.notifyMatchFailure(op, "fewer elements are transposed than are not");

    // Read the originals; what is read alike should be as well laid out.
    SmallVector<unsigned> loops;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    AffineMap common = maps[found->getOperandNumber()];
    Order order(transpositionOf(found->get()).getPermutation());
    bool reorders = true;
    rewriter.startOpModification(op);
    for (OpOperand *operand : op.getDpsInputOperands()) {
      if (maps[operand->getOperandNumber()] == common && !transpositionOf(operand->get()))
        operand->set(transpose(rewriter, op.getLoc(), original(rewriter, op.getLoc(), operand->get(), order), order));
      auto transposition = transpositionOf(operand->get());
      if (!transposition)
        continue;
      AffineMap &map = maps[operand->getOperandNumber()];
      map = mapOfOriginal(map, transposition.getPermutation());
      operand->set(transposition.getInput());
      if (operand == found) {
        loops = loopsInOrderOf(map);
        reorders = followsOrder(op, map);
      }
    }
    op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    rewriter.finalizeOpModification(op);
    if (reorders)
      writeInOrder(op, loops, rewriter);
    return success();
  }

private:
  /// The transposed operand that the others should follow: more elements are laid out like it than in any other way,
  /// the result's included. This is strict, so that no two operations hand a transposition to and fro.
  static OpOperand *leader(linalg::GenericOp op) {
    auto follows = [&](OpOperand *operand, OpOperand *other) {
      return op.getMatchingIndexingMap(operand) == op.getMatchingIndexingMap(other) &&
             isTransposed(operand->get(), transpositionOf(other->get()).getPermutation());
    };
    for (OpOperand *candidate : op.getDpsInputOperands()) {
      if (!isa<RankedTensorType>(candidate->get().getType()) || !transpositionOf(candidate->get()))
        continue;
      int64_t agreeing = 0, opposing = 0, written = 0;
      for (OpOperand *operand : op.getDpsInputOperands())
        if (isa<RankedTensorType>(operand->get().getType()) && !isFreeToTranspose(operand->get()))
          (follows(operand, candidate) ? agreeing : opposing) += volumeOf(operand->get());
      for (Value result : op.getResults())
        written = std::max(written, volumeOf(result));
      if (agreeing > opposing && agreeing >= written)
        return candidate;
    }
    return nullptr;
  }

  /// Whether it makes sense to write in the order of an operand: no index mixes loops that the result tells apart.
  static bool followsOrder(linalg::GenericOp op, AffineMap map) {
    SmallVector<utils::IteratorType> types = op.getIteratorTypesArray();
    return llvm::all_of(map.getResults(), [&](AffineExpr index) {
      int64_t parallel = 0;
      for (unsigned loop = 0; loop < types.size(); ++loop)
        parallel += types[loop] == utils::IteratorType::parallel && index.isFunctionOfDim(loop);
      return parallel <= 1;
    });
  }

  /// Puts the loops in this order, and the axes of the results, too; transposes these for whoever reads them.
  static void writeInOrder(linalg::GenericOp op, ArrayRef<unsigned> loops, PatternRewriter &rewriter) {
    SmallVector<int64_t> place(loops.size());
    for (auto [i, loop] : llvm::enumerate(loops))
      place[loop] = i;
    SmallVector<Value> inits;
    SmallVector<Order> orders;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    for (OpOperand &init : op.getDpsInitsMutable()) {
      // Axis i of the result as it will be is axis order[i] of the result as it was.
      AffineMap &map = maps[init.getOperandNumber()];
      Order order = llvm::to_vector(llvm::seq<int64_t>(0, map.getNumResults()));
      llvm::sort(order,
                 [&](int64_t a, int64_t b) { return place[map.getDimPosition(a)] < place[map.getDimPosition(b)]; });
      map = AffineMap::get(map.getNumDims(), 0, applyPermutation(map.getResults(), order), map.getContext());
      Order back = invertPermutationVector(order);
      inits.push_back(isIdentityPermutation(order) ? init.get() : original(rewriter, op.getLoc(), init.get(), back));
      orders.push_back(back);
    }
    auto reordered = linalg::GenericOp::create(rewriter, op.getLoc(), TypeRange(ValueRange(inits)), op.getInputs(),
                                               inits, maps, op.getIteratorTypesArray());
    rewriter.inlineRegionBefore(op.getRegion(), reordered.getRegion(), reordered.getRegion().end());
    reordered->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    SmallVector<unsigned> interchange(loops);
    FailureOr<linalg::GenericOp> interchanged = llvm::is_sorted(loops)
                                                    ? FailureOr<linalg::GenericOp>(reordered)
                                                    : linalg::interchangeGenericOp(rewriter, reordered, interchange);
    SmallVector<Value> results;
    rewriter.setInsertionPointAfter(*interchanged);
    for (auto [result, back] : llvm::zip_equal((*interchanged)->getResults(), orders))
      results.push_back(transpose(rewriter, op.getLoc(), result, back));
    rewriter.replaceOp(op, results);
  }
};

struct SinkThroughPad : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::PadOp op, PatternRewriter &rewriter) const override {
    auto transposition = transpositionOf(op.getSource());
    Value padding = op.getConstantPaddingValue();
    if (!transposition || !padding)
      return rewriter.notifyMatchFailure(op, "source is not transposed, or the padding depends on its place");
    Order inverse = invertPermutationVector(transposition.getPermutation());
    Value padded = tensor::PadOp::create(rewriter, op.getLoc(), Type(), transposition.getInput(),
                                         applyPermutation(op.getMixedLowPad(), inverse),
                                         applyPermutation(op.getMixedHighPad(), inverse), padding);
    return replace(op, padded, transposition.getPermutation(), rewriter);
  }

  /// Replaces `op` by the transposition of `value`, which may know more, or less, of its extents.
  static LogicalResult replace(Operation *op, Value value, ArrayRef<int64_t> order, PatternRewriter &rewriter) {
    Value result = transpose(rewriter, op->getLoc(), value, order);
    if (result.getType() != op->getResult(0).getType())
      result = tensor::CastOp::create(rewriter, op->getLoc(), op->getResult(0).getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct SinkThroughExtractSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    auto transposition = transpositionOf(op.getSource());
    if (!transposition || op.getSourceType().getRank() != op.getType().getRank())
      return rewriter.notifyMatchFailure(op, "source is not transposed, or axes are dropped");
    Order inverse = invertPermutationVector(transposition.getPermutation());
    Value slice = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), transposition.getInput(), applyPermutation(op.getMixedOffsets(), inverse),
        applyPermutation(op.getMixedSizes(), inverse), applyPermutation(op.getMixedStrides(), inverse));
    return SinkThroughPad::replace(op, slice, transposition.getPermutation(), rewriter);
  }
};

struct SinkThroughInsertSlice : OpRewritePattern<tensor::InsertSliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::InsertSliceOp op, PatternRewriter &rewriter) const override {
    if (op.getSourceType().getRank() != op.getDestType().getRank())
      return rewriter.notifyMatchFailure(op, "axes are added");
    auto source = transpositionOf(op.getSource()), dest = transpositionOf(op.getDest());
    if (!dest && !(source && isFreeToTranspose(op.getDest())))
      return rewriter.notifyMatchFailure(op, "destination is not transposed");
    Order order(dest ? dest.getPermutation() : source.getPermutation()), inverse = invertPermutationVector(order);
    Value into = original(rewriter, op.getLoc(), op.getDest(), order);
    Value what = original(rewriter, op.getLoc(), op.getSource(), order);
    Value inserted = tensor::InsertSliceOp::create(
        rewriter, op.getLoc(), what, into, applyPermutation(op.getMixedOffsets(), inverse),
        applyPermutation(op.getMixedSizes(), inverse), applyPermutation(op.getMixedStrides(), inverse));
    return SinkThroughPad::replace(op, inserted, order, rewriter);
  }
};

struct SinkThroughCast : OpRewritePattern<tensor::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::CastOp op, PatternRewriter &rewriter) const override {
    auto transposition = transpositionOf(op.getSource());
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!transposition || !type)
      return rewriter.notifyMatchFailure(op, "source is not transposed");
    Order inverse = invertPermutationVector(transposition.getPermutation());
    auto castType = RankedTensorType::get(applyPermutation(type.getShape(), inverse), type.getElementType());
    Value cast = tensor::CastOp::create(rewriter, op.getLoc(), castType, transposition.getInput());
    return SinkThroughPad::replace(op, cast, transposition.getPermutation(), rewriter);
  }
};

/// Axes that are split stay together, so the transposition moves the parts of each as one.
struct SinkThroughExpandShape : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    auto transposition = transpositionOf(op.getSrc());
    if (!transposition)
      return rewriter.notifyMatchFailure(op, "source is not transposed");
    SmallVector<ReassociationIndices> parts = op.getReassociationIndices(), groups;
    SmallVector<OpFoldResult> sizes = getMixedValues(op.getStaticOutputShape(), op.getOutputShape(), rewriter),
                              outSizes;
    Order order(sizes.size());
    // Axis `axis` of the original is axis inverse[axis] of what was expanded.
    for (int64_t source : invertPermutationVector(transposition.getPermutation())) {
      groups.emplace_back();
      for (int64_t part : parts[source]) {
        order[part] = outSizes.size();
        groups.back().push_back(outSizes.size());
        outSizes.push_back(sizes[part]);
      }
    }
    SmallVector<int64_t> shape = applyPermutation(op.getResultType().getShape(), invertPermutationVector(order));
    auto type = RankedTensorType::get(shape, op.getResultType().getElementType());
    Value expanded =
        tensor::ExpandShapeOp::create(rewriter, op.getLoc(), type, transposition.getInput(), groups, outSizes);
    return SinkThroughPad::replace(op, expanded, order, rewriter);
  }
};

/// Axes that are joined must lie together, in this order, in the original, too.
struct SinkThroughCollapseShape : OpRewritePattern<tensor::CollapseShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::CollapseShapeOp op, PatternRewriter &rewriter) const override {
    auto transposition = transpositionOf(op.getSrc());
    if (!transposition)
      return rewriter.notifyMatchFailure(op, "source is not transposed");
    ArrayRef<int64_t> order = transposition.getPermutation();
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    Order sorted = llvm::to_vector(llvm::seq<int64_t>(0, groups.size()));
    llvm::sort(sorted, [&](int64_t a, int64_t b) { return order[groups[a].front()] < order[groups[b].front()]; });
    SmallVector<ReassociationIndices> collapsed;
    int64_t next = 0;
    for (int64_t group : sorted) {
      collapsed.emplace_back();
      for (int64_t axis : groups[group]) {
        if (order[axis] != next)
          return rewriter.notifyMatchFailure(op, "joined axes lie apart in the original");
        collapsed.back().push_back(next++);
      }
    }
    Value joined = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), transposition.getInput(), collapsed);
    return SinkThroughPad::replace(op, joined, invertPermutationVector(sorted), rewriter);
  }
};

//===-- Up ---------------------------------------------------------------------------===//

struct HoistOverPad : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<tensor::PadOp>();
    Value padding = pad ? pad.getConstantPaddingValue() : Value();
    // Who asks for an extent does not need the elements.
    auto isNoReader = [&](Operation *user) { return user == op || isa<tensor::DimOp>(user); };
    if (!padding || !llvm::all_of(pad->getUsers(), isNoReader))
      return rewriter.notifyMatchFailure(op, "input is not padded with a constant for this alone");
    ArrayRef<int64_t> order = op.getPermutation();
    Value source = transpose(rewriter, op.getLoc(), pad.getSource(), order);
    Value padded =
        tensor::PadOp::create(rewriter, pad.getLoc(), Type(), source, applyPermutation(pad.getMixedLowPad(), order),
                              applyPermutation(pad.getMixedHighPad(), order), padding);
    if (padded.getType() != op->getResult(0).getType())
      padded = tensor::CastOp::create(rewriter, op.getLoc(), op->getResult(0).getType(), padded);
    rewriter.replaceOp(op, padded);
    return success();
  }
};

//===-- Away -------------------------------------------------------------------------===//

struct FoldTransposedConstant : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    std::optional<ConstantView> view = viewOfConstant(op->getResult(0));
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (!view || view->elements.getElementType() != type.getElementType())
      return rewriter.notifyMatchFailure(op, "input is no constant of these elements");
    ElementsAttr moved = rearranged(view->elements, view->offset, view->shape, view->strides);
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, cast<TypedAttr>(moved));
    return success();
  }
};

/// A transposition that keeps the order of all axes longer than 1 is a reshape.
struct ReshapeInstead : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto from = cast<RankedTensorType>(op.getInput().getType()),
         to = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> longAxes =
        llvm::filter_to_vector(op.getPermutation(), [&](int64_t axis) { return from.getDimSize(axis) != 1; });
    if (!llvm::is_sorted(longAxes) || from.getRank() == (int64_t)longAxes.size())
      return rewriter.notifyMatchFailure(op, "moves axes longer than 1");
    // Through the long axes alone.
    auto groupsOf = [](RankedTensorType type) {
      SmallVector<ReassociationIndices> groups;
      ReassociationIndices pending;
      for (int64_t axis = 0; axis < type.getRank(); ++axis) {
        pending.push_back(axis);
        if (type.getDimSize(axis) != 1)
          groups.push_back(std::exchange(pending, {}));
      }
      if (!groups.empty())
        llvm::append_range(groups.back(), pending);
      return groups;
    };
    SmallVector<OpFoldResult> sizes =
        applyPermutation(tensor::getMixedSizes(rewriter, op.getLoc(), op.getInput()), op.getPermutation());
    Value joined = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), op.getInput(), groupsOf(from));
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, to, joined, groupsOf(to), sizes);
    return success();
  }
};

/// A contraction reads a transposed operand where it lies, unless that would tear apart what it wants contiguous.
struct ReadOriginal : OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ContractOp op, PatternRewriter &rewriter) const override {
    if (succeeded(readLeft(op, rewriter)) || succeeded(readRight(op, rewriter)))
      return success();
    return rewriter.notifyMatchFailure(op, "no operand is transposed, or it is better read as it is");
  }

private:
  static LogicalResult readLeft(ContractOp op, PatternRewriter &rewriter) {
    auto transposition = transpositionOf(op.getLhs());
    if (!transposition || op.isLanewise() || !op.getLhsMap().isProjectedPermutation())
      return failure();
    AffineMap map = mapOfOriginal(op.getLhsMap(), transposition.getPermutation());
    rewriter.modifyOpInPlace(op, [&] {
      op.getLhsMutable().assign(transposition.getInput());
      op.setLhsMap(map);
    });
    return success();
  }

  static LogicalResult readRight(ContractOp op, PatternRewriter &rewriter) {
    auto transposition = transpositionOf(op.getRhs());
    if (!transposition || op.getPanelWidth())
      return failure();
    AffineMap map = mapOfOriginal(op.getRhsMap(), transposition.getPermutation());
    if (map.getResults().back() != op.getRhsMap().getResults().back())
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getRhsMutable().assign(transposition.getInput());
      op.setRhsMap(map);
    });
    return success();
  }
};

/// A contraction whose result is only read in another order of its outer loops writes it in that order.
struct WriteTransposed : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto contract = op.getInput().getDefiningOp<ContractOp>();
    ArrayRef<int64_t> order = op.getPermutation();
    if (!contract || !contract->hasOneUse() || contract.getAccumulate() || order.back() + 1 != (int64_t)order.size())
      return rewriter.notifyMatchFailure(op, "input is no contraction, is read elsewhere, or columns move");
    // Loop i will be loop order[i] of the old one.
    SmallVector<AffineExpr> loops(contract.getNumLoops());
    for (unsigned loop = 0; loop < loops.size(); ++loop)
      loops[loop < order.size() ? order[loop] : loop] = rewriter.getAffineDimExpr(loop);
    auto renumbered = [&](AffineMap map) { return map.replaceDimsAndSymbols(loops, {}, loops.size(), 0); };
    rewriter.setInsertionPoint(contract);
    Value init = original(rewriter, op.getLoc(), contract.getInit(), invertPermutationVector(order));
    auto moved = ContractOp::create(rewriter, contract.getLoc(), contract.getLhs(), contract.getRhs(), init,
                                    renumbered(contract.getLhsMap()), renumbered(contract.getRhsMap()),
                                    /*accumulate=*/false, contract.getLhsUnsigned());
    rewriter.replaceOp(op, moved.getResult());
    rewriter.eraseOp(contract);
    return success();
  }
};

struct PropagateLayout : impl::PropagateLayoutBase<PropagateLayout> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet down(context);
    down.add<SinkThroughGeneric, SinkThroughPad, SinkThroughExtractSlice, SinkThroughInsertSlice, SinkThroughCast,
             SinkThroughExpandShape, SinkThroughCollapseShape, FoldTransposedConstant, ReadOriginal, WriteTransposed>(
        context);
    linalg::TransposeOp::getCanonicalizationPatterns(down, context);
    RewritePatternSet up(context);
    up.add<HoistOverPad, FoldTransposedConstant, ReshapeInstead, ReadOriginal, WriteTransposed>(context);
    linalg::TransposeOp::getCanonicalizationPatterns(up, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(up, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(up, context);
    tensor::CastOp::getCanonicalizationPatterns(up, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(down))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(up))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
