// Merges a batch normalization into the weights of the convolution before it.
//
//   %y = onnx.Conv(%x, %w, %b)
//   %z = onnx.BatchNormalization(%y, scale, bias, mean, variance)
//   =>
//   %f = scale / sqrt(variance + epsilon)
//   %z = onnx.Conv(%x, %w * %f, (%b - mean) * %f + bias)
//
// Only when the convolution has no other use and weights and statistics are constants: the arithmetic on them is
// written as onnx operations, which FoldConstants then computes. The same for ConvTranspose without groups, whose
// filter has the output channels second, and for Gemm. Training-mode normalization is left alone.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "onnx/Lowering.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_FUSEBATCHNORM
#include "passes/Passes.h.inc"

namespace {

/// Builds onnx operations on tensors of one element type.
class Arithmetic {
public:
  Arithmetic(PatternRewriter &rewriter, Location loc, Type element) : rewriter(rewriter), loc(loc), element(element) {}

  template <typename Op> Value binary(Value a, Value b) {
    auto wide = cast<RankedTensorType>(a.getType()), narrow = cast<RankedTensorType>(b.getType());
    SmallVector<int64_t> shape(wide.getRank() >= narrow.getRank() ? wide.getShape() : narrow.getShape());
    ArrayRef<int64_t> other = wide.getRank() >= narrow.getRank() ? narrow.getShape() : wide.getShape();
    for (size_t i = 0; i < other.size(); ++i) {
      int64_t &extent = shape[shape.size() - 1 - i];
      if (extent == 1)
        extent = other[other.size() - 1 - i];
    }
    return Op::create(rewriter, loc, TypeRange(RankedTensorType::get(shape, element)), ValueRange{a, b}).getResult();
  }
  Value sqrt(Value a) { return onnx::SqrtOp::create(rewriter, loc, TypeRange(a.getType()), ValueRange(a)).getResult(); }
  Value constant(ElementsAttr value) {
    auto op = onnx::ConstantOp::create(rewriter, loc, TypeRange(value.getType()), ValueRange());
    op.setValueAttr(value);
    return op.getResult();
  }
  Value scalar(double value) {
    return constant(DenseElementsAttr::get(RankedTensorType::get({}, element), rewriter.getFloatAttr(element, value)));
  }
  Value reshape(Value a, ArrayRef<int64_t> shape) {
    Value extents = constant(rewriter.getI64TensorAttr(shape));
    return onnx::ReshapeOp::create(rewriter, loc, TypeRange(RankedTensorType::get(shape, element)),
                                   ValueRange{a, extents})
        .getResult();
  }

private:
  PatternRewriter &rewriter;
  Location loc;
  Type element;
};

/// The axis of the filter that counts the channels which the normalization scales; none if the operation cannot take it
/// in.
std::optional<int64_t> channelAxis(Operation *op) {
  if (isa<onnx::ConvOp>(op))
    return 0;
  if (auto transposed = dyn_cast<onnx::ConvTransposeOp>(op); transposed && transposed.getGroup() == 1)
    return 1;
  if (auto gemm = dyn_cast<onnx::GemmOp>(op);
      gemm && gemm.getAlpha().convertToFloat() == 1 && gemm.getBeta().convertToFloat() == 1)
    return gemm.getTransB() ? 0 : 1;
  return std::nullopt;
}

struct FuseIntoWeights : OpRewritePattern<onnx::BatchNormalizationOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::BatchNormalizationOp norm, PatternRewriter &rewriter) const override {
    if (norm.getTrainingMode())
      return rewriter.notifyMatchFailure(norm, "is in training mode");
    Operation *producer = norm->getOperand(0).getDefiningOp();
    std::optional<int64_t> axis = producer ? channelAxis(producer) : std::nullopt;
    if (!axis)
      return rewriter.notifyMatchFailure(norm, "does not follow a convolution or a matrix product");
    if (!producer->hasOneUse())
      return rewriter.notifyMatchFailure(norm, "something else reads the convolution");
    if (llvm::any_of(llvm::drop_begin(norm->getResults()), [](Value result) { return !result.use_empty(); }))
      return rewriter.notifyMatchFailure(norm, "its statistics are read");
    auto constant = [](Value value) { return onnx::constantValue(value).has_value(); };
    if (!llvm::all_of(llvm::drop_begin(norm->getOperands()), constant) ||
        !llvm::all_of(llvm::drop_begin(producer->getOperands()), constant))
      return rewriter.notifyMatchFailure(norm, "weights or statistics are not constant");
    Value weights = producer->getOperand(1), bias = producer->getNumOperands() > 2 ? producer->getOperand(2) : Value();
    auto weightsType = dyn_cast<RankedTensorType>(weights.getType());
    auto statisticsType = dyn_cast<RankedTensorType>(norm->getOperand(1).getType());
    if (!weightsType || !weightsType.hasStaticShape() || !statisticsType || statisticsType.getRank() != 1 ||
        !isa<FloatType>(weightsType.getElementType()) ||
        statisticsType.getElementType() != weightsType.getElementType() ||
        statisticsType.getDimSize(0) != weightsType.getDimSize(*axis))
      return rewriter.notifyMatchFailure(norm, "weights and statistics do not agree");
    if (bias && bias.getType() != statisticsType)
      return rewriter.notifyMatchFailure(norm, "bias is not one number for each channel");

    rewriter.setInsertionPoint(producer);
    Arithmetic math(rewriter, norm.getLoc(), weightsType.getElementType());
    Value scale = norm->getOperand(1), shift = norm->getOperand(2), mean = norm->getOperand(3),
          variance = norm->getOperand(4);
    // Constants may stand behind the convolution in the block.
    for (Value value : {scale, shift, mean, variance})
      rewriter.moveOpBefore(value.getDefiningOp(), &producer->getBlock()->front());
    Value deviation = math.sqrt(math.binary<onnx::AddOp>(variance, math.scalar(norm.getEpsilon().convertToDouble())));
    Value factor = math.binary<onnx::DivOp>(scale, deviation);
    SmallVector<int64_t> perChannel(weightsType.getRank(), 1);
    perChannel[*axis] = weightsType.getDimSize(*axis);
    Value newWeights = math.binary<onnx::MulOp>(weights, math.reshape(factor, perChannel));
    Value centred = bias ? math.binary<onnx::SubOp>(bias, mean) : math.binary<onnx::SubOp>(math.scalar(0), mean);
    Value newBias = math.binary<onnx::AddOp>(math.binary<onnx::MulOp>(centred, factor), shift);
    rewriter.modifyOpInPlace(producer, [&] {
      producer->setOperand(1, newWeights);
      if (bias)
        producer->setOperand(2, newBias);
      else
        producer->insertOperands(2, newBias);
    });
    rewriter.replaceAllUsesWith(norm->getResult(0), producer->getResult(0));
    rewriter.eraseOp(norm);
    return success();
  }
};

struct FuseBatchNorm : impl::FuseBatchNormBase<FuseBatchNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseIntoWeights>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
