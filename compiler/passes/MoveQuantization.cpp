// Moves dequantizations down and quantizations up, so that elements are moved as the integers that they are.
//
//   %1 = onnx.DequantizeLinear(%q, s, z)        =>   %1 = onnx.Reshape(%q, ...)
//   %2 = onnx.Reshape(%1, ...)                       %2 = onnx.DequantizeLinear(%1, s, z)
//
//   %1 = onnx.Conv(dequantized, ...)            =>   %1 = onnx.Conv(dequantized, ...)
//   %2 = onnx.Relu(%1)                               %2 = onnx.QuantizeLinear(%1, s, z)
//   %3 = onnx.QuantizeLinear(%2, s, z)               %3 = onnx.Max(%2, z)
//
// Which operators only move elements, their rules say. A dequantization goes below all that move what it gives: to choose
// the greatest of some, say, takes their order alone, which a positive scale keeps. A quantization goes above what moves
// elements, and above Relu and Clip, where it then follows a product of quantized numbers, and the two become one integer
// operator (FormIntegerOperators). Rounding keeps the order, too, so that the least and greatest values of an interval can
// be rounded instead of what is cut off there.
//
// A quantization of what was just dequantized with the same parameters gives what was there, since numbers that are
// multiples of the scale are rounded to themselves. A dequantization of what was just quantized stays: it rounds.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "onnx/Lowering.h"
#include "passes/Passes.h"
#include "passes/Quantization.h"
#include <cmath>

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_MOVEQUANTIZATION
#include "passes/Passes.h.inc"

namespace {

//===-- Operations that move elements ------------------------------------------------------===//

/// The operands whose elements an operation moves; none if it does something else.
SmallVector<OpOperand *> movedBy(Operation *op) {
  const onnx::Rule *rule = onnx::ruleOf(op);
  return rule && rule->moves ? rule->moves(op) : SmallVector<OpOperand *>();
}

bool choosesByOrder(Operation *op) { return onnx::ruleOf(op)->movesByOrder; }

/// The operation with `values`, of elements of type `element`, in place of those that it moves. Null if the operator
/// does not take elements of that type; what only defines the values is erased then.
Operation *withElements(PatternRewriter &rewriter, Operation *op, ArrayRef<OpOperand *> moved, ArrayRef<Value> values,
                        Type element) {
  Operation *copy = op->clone();
  Type before = getElementTypeOrSelf(moved.front()->get().getType());
  for (auto [operand, value] : llvm::zip_equal(moved, values))
    copy->setOperand(operand->getOperandNumber(), value);
  for (Value result : copy->getResults())
    if (auto type = dyn_cast<TensorType>(result.getType()); type && type.getElementType() == before)
      result.setType(type.clone(element));
  ScopedDiagnosticHandler silent(op->getContext(), [](Diagnostic &) { return success(); });
  if (succeeded(verify(copy)))
    return rewriter.insert(copy);
  copy->destroy();
  for (Value value : values)
    if (Operation *source = value.getDefiningOp(); source && source->use_empty())
      rewriter.eraseOp(source);
  return nullptr;
}

//===-- Down -------------------------------------------------------------------------------===//

/// What a value is before it is dequantized: a value of integers, or the integer that a constant is made of.
struct Stored {
  Value value;
  int64_t integer = 0;
  ArrayRef<int64_t> shape = {}; ///< of the constant

  static std::optional<Stored> of(Value real, const Quantization &like) {
    if (std::optional<Quantization> own = Quantization::ofDequantized(real))
      return *own == like ? std::optional(Stored{real.getDefiningOp<onnx::DequantizeLinearOp>().getX()}) : std::nullopt;
    auto type = dyn_cast<RankedTensorType>(real.getType());
    std::optional<double> number = onnx::constantNumber(real);
    std::optional<int64_t> integer = number ? like.quantize(*number) : std::nullopt;
    if (!type || !type.hasStaticShape() || !integer || like.dequantize(*integer) != *number)
      return std::nullopt;
    return Stored{nullptr, *integer, type.getShape()};
  }
};

struct SinkDequantize : RewritePattern {
  explicit SinkDequantize(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    SmallVector<OpOperand *> moved = movedBy(op);
    std::optional<Quantization> like;
    for (OpOperand *operand : moved)
      if (!like)
        like = Quantization::ofDequantized(operand->get());
    if (!like)
      return rewriter.notifyMatchFailure(op, "moves nothing that one scale dequantizes");
    if (choosesByOrder(op) && !like->keepsOrder())
      return rewriter.notifyMatchFailure(op, "compares numbers whose order a scale may change");
    SmallVector<Stored> stored;
    for (OpOperand *operand : moved) {
      std::optional<Stored> before = Stored::of(operand->get(), *like);
      if (!before)
        return rewriter.notifyMatchFailure(op, "moves numbers of other scales, too");
      stored.push_back(*before);
    }
    rewriter.setInsertionPoint(op);
    SmallVector<Value> values = llvm::map_to_vector(stored, [&](const Stored &before) {
      return before.value ? before.value : like->constant(rewriter, op->getLoc(), before.integer, before.shape);
    });
    Operation *onIntegers = withElements(rewriter, op, moved, values, like->stored);
    if (!onIntegers)
      return rewriter.notifyMatchFailure(op, "does not move elements of that type");
    SmallVector<Value> results;
    for (auto [before, result] : llvm::zip_equal(op->getResults(), onIntegers->getResults()))
      results.push_back(before.getType() == result.getType() ? Value(result)
                                                             : like->dequantize(rewriter, op->getLoc(), result));
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// A dequantization with a scale for each index of an axis, or for each block along it, follows a transposition.
struct SinkBelowTranspose : OpRewritePattern<onnx::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::TransposeOp op, PatternRewriter &rewriter) const override {
    auto before = op.getData().getDefiningOp<onnx::DequantizeLinearOp>();
    auto type = dyn_cast<RankedTensorType>(op.getData().getType());
    if (!before || !type || Quantization::of(before))
      return rewriter.notifyMatchFailure(op, "does not transpose numbers of several scales");
    std::optional<int64_t> axis = onnx::normalizedAxis(before.getAxis(), type.getRank());
    if (!axis)
      return rewriter.notifyMatchFailure(op, "has scales along no axis");
    SmallVector<int64_t> order;
    if (op.getPerm())
      llvm::append_range(order, *op.getPerm());
    else
      llvm::append_range(order, llvm::reverse(llvm::seq<int64_t>(0, type.getRank())));
    auto transposed = [&](Value value) -> Value {
      auto own = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
      if (!own || own.getRank() != type.getRank()) // along one axis
        return value;
      SmallVector<int64_t> shape = llvm::map_to_vector(order, [&](int64_t from) { return own.getDimSize(from); });
      return onnx::TransposeOp::create(rewriter, op.getLoc(),
                                       TypeRange(RankedTensorType::get(shape, own.getElementType())), ValueRange(value),
                                       op->getAttrs())
          .getResult();
    };
    bool isBlocked = before.getBlockSize() != 0;
    SmallVector<Value> operands = {transposed(before.getX())};
    for (Value parameter : {before.getXScale(), before.getXZeroPoint()})
      if (parameter)
        operands.push_back(isBlocked ? transposed(parameter) : parameter);
    auto after =
        onnx::DequantizeLinearOp::create(rewriter, op.getLoc(), op->getResultTypes(), operands, before->getAttrs());
    after.setAxis(llvm::find(order, *axis) - order.begin());
    rewriter.replaceOp(op, after.getResult());
    return success();
  }
};

/// Padding with 0 says so, for what it moves then is known.
struct NamePadding : OpRewritePattern<onnx::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::PadOp op, PatternRewriter &rewriter) const override {
    if (op.getMode() != "constant" || op.getConstantValue())
      return rewriter.notifyMatchFailure(op, "says what it pads with");
    if (!Quantization::ofDequantized(op.getData()) &&
        !llvm::any_of(op->getUsers(), llvm::IsaPred<onnx::QuantizeLinearOp>))
      return rewriter.notifyMatchFailure(op, "pads nothing quantized");
    auto type = RankedTensorType::get({}, getElementTypeOrSelf(op.getData().getType()));
    Value zero = onnx::createConstant(rewriter, op.getLoc(), cast<ElementsAttr>(rewriter.getZeroAttr(type)));
    rewriter.modifyOpInPlace(op, [&] { op.getConstantValueMutable().assign(zero); });
    return success();
  }
};

//===-- Intervals ----------------------------------------------------------------------------===//

/// What cuts off numbers: Relu, and Clip with constants.
struct Interval {
  Value x;
  std::optional<double> low, high;

  static std::optional<Interval> of(Operation *op) {
    if (auto relu = dyn_cast_or_null<onnx::ReluOp>(op))
      return Interval{relu.getX(), 0, std::nullopt};
    auto clip = dyn_cast_or_null<onnx::ClipOp>(op);
    if (!clip)
      return std::nullopt;
    Interval found{clip.getInput(), {}, {}};
    for (auto [bound, number] : {std::pair(clip.getMin(), &found.low), std::pair(clip.getMax(), &found.high)}) {
      if (!bound)
        continue;
      *number = numberOf(bound);
      if (!*number || std::isnan(**number))
        return std::nullopt;
    }
    // Bounds that contradict each other give the upper one, which order alone does not tell.
    if (found.low && found.high && !(*found.low <= *found.high))
      return std::nullopt;
    return found;
  }

  /// A constant, maybe a quantized one.
  static std::optional<double> numberOf(Value value) {
    if (std::optional<double> number = onnx::constantNumber(value))
      return number;
    std::optional<Quantization> q = Quantization::ofDequantized(value);
    std::optional<double> integer =
        q ? onnx::constantNumber(value.getDefiningOp<onnx::DequantizeLinearOp>().getX()) : std::nullopt;
    return integer ? q->dequantize(static_cast<int64_t>(*integer)) : std::nullopt;
  }
};

/// The integers of an interval: `x`, cut off at those that the bounds become; x itself where those cut nothing off.
Value clipped(PatternRewriter &rewriter, Location loc, Value x, const Quantization &q, std::optional<int64_t> low,
              std::optional<int64_t> high) {
  auto bound = [&](std::optional<int64_t> integer, int64_t extreme) -> Value {
    return integer && *integer != extreme ? q.constant(rewriter, loc, *integer, {}) : Value();
  };
  Value least = bound(low, q.least()), greatest = bound(high, q.greatest());
  if (!least && !greatest)
    return x;
  return onnx::ClipOp::create(rewriter, loc, x.getType(), x, least, greatest).getResult();
}

/// Integers that Clip takes.
bool canBeClipped(const Quantization &q) { return q.stored.getWidth() == 8 || q.stored.getWidth() == 16; }

struct SinkBelowInterval : RewritePattern {
  explicit SinkBelowInterval(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    std::optional<Interval> interval = Interval::of(op);
    std::optional<Quantization> q = interval ? Quantization::ofDequantized(interval->x) : std::nullopt;
    if (!q || !q->keepsOrder() || !canBeClipped(*q))
      return rewriter.notifyMatchFailure(op, "does not cut off dequantized numbers");
    std::optional<int64_t> low, high;
    for (auto [bound, integer] : {std::pair(interval->low, &low), std::pair(interval->high, &high)}) {
      if (!bound)
        continue;
      *integer = q->quantize(*bound);
      // A bound beyond all integers cuts nothing off.
      bool isBeyond = integer == &low ? *bound <= q->dequantize(q->least()) : *bound >= q->dequantize(q->greatest());
      if (!isBeyond && q->dequantize(**integer) != *bound)
        return rewriter.notifyMatchFailure(op, "cuts off between two of the numbers");
    }
    Value x = interval->x.getDefiningOp<onnx::DequantizeLinearOp>().getX();
    rewriter.replaceOp(op, q->dequantize(rewriter, op->getLoc(), clipped(rewriter, op->getLoc(), x, *q, low, high)));
    return success();
  }
};

//===-- Up -----------------------------------------------------------------------------------===//

/// Whether what a quantization gives would be the same before `op`, and no other result or user of it needs it as it is.
bool canGoAbove(Operation *op) {
  if (!op || !op->hasOneUse())
    return false;
  return Interval::of(op) || !movedBy(op).empty();
}

/// Whether a value is a product of quantized numbers, behind operations that a quantization can go above.
bool leadsToProduct(Value value) {
  Operation *op = value.getDefiningOp();
  if (!value.hasOneUse())
    return false;
  if (multipliesQuantized(op))
    return true;
  if (!canGoAbove(op))
    return false;
  if (std::optional<Interval> interval = Interval::of(op))
    return leadsToProduct(interval->x);
  return llvm::any_of(movedBy(op), [](OpOperand *operand) { return leadsToProduct(operand->get()); });
}

struct HoistQuantize : OpRewritePattern<onnx::QuantizeLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::QuantizeLinearOp op, PatternRewriter &rewriter) const override {
    std::optional<Quantization> q = Quantization::of(op);
    Operation *producer = op.getX().getDefiningOp();
    if (!q || !producer || multipliesQuantized(producer) || !leadsToProduct(op.getX()))
      return rewriter.notifyMatchFailure(op, "follows no product");
    if (std::optional<Interval> interval = Interval::of(producer)) {
      if (!q->keepsOrder() || !canBeClipped(*q))
        return rewriter.notifyMatchFailure(op, "may change the order of numbers");
      auto quantize = [&](std::optional<double> bound) { return bound ? q->quantize(*bound) : std::nullopt; };
      Value x = q->quantize(rewriter, op.getLoc(), interval->x);
      rewriter.replaceOp(op, clipped(rewriter, op.getLoc(), x, *q, quantize(interval->low), quantize(interval->high)));
      return success();
    }
    if (choosesByOrder(producer) && !q->keepsOrder())
      return rewriter.notifyMatchFailure(op, "may change the order of numbers");
    SmallVector<OpOperand *> moved = movedBy(producer);
    SmallVector<Value> quantized = llvm::map_to_vector(
        moved, [&](OpOperand *operand) { return q->quantize(rewriter, op.getLoc(), operand->get()); });
    Operation *onIntegers = withElements(rewriter, producer, moved, quantized, q->stored);
    if (!onIntegers)
      return rewriter.notifyMatchFailure(op, "does not move elements of that type");
    rewriter.replaceOp(op, onIntegers->getResult(cast<OpResult>(op.getX()).getResultNumber()));
    return success();
  }
};

/// x = q * scale, exactly one of the numbers that QuantizeLinear rounds to: q comes back.
struct CancelPair : OpRewritePattern<onnx::QuantizeLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::QuantizeLinearOp op, PatternRewriter &rewriter) const override {
    std::optional<Quantization> after = Quantization::of(op), before = Quantization::ofDequantized(op.getX());
    if (!after || !before || !(*after == *before) || !after->keepsOrder())
      return rewriter.notifyMatchFailure(op, "does not undo a dequantization");
    rewriter.replaceOp(op, op.getX().getDefiningOp<onnx::DequantizeLinearOp>().getX());
    return success();
  }
};

struct MoveQuantization : impl::MoveQuantizationBase<MoveQuantization> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkDequantize, SinkBelowTranspose, SinkBelowInterval, NamePadding, HoistQuantize, CancelPair>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
