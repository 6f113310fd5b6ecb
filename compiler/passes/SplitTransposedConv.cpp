// Writes transposed convolutions as convolutions, which spread no zeros between the elements, and have integer operators
// where numbers are quantized.
//
//   %y = onnx.ConvTranspose(%x, %w)              =>   %c = onnx.Conv(%x, %v)           a channel for each phase
//          {strides = [2, 2], pads = ...}             %d = onnx.DepthToSpace(%c)       side by side
//                                                     %y = onnx.Slice(%d, ...)         what pads cut off
//
// With a stride of s, element u = j * s + p of the whole result (before pads cut it) takes of the filter's elements every
// s-th, from p on:
//
//   y[j * s + p] = sum over a of x[j - a] * w[a * s + p]
//
// So each of the s phases p of an axis is a convolution with a filter of its own, of ceil(k / s) elements (W. Shi et al., "Is
// the deconvolution layer the same as a convolutional layer?", 2016). The filters are made of the constant one, before it is
// dequantized if it is, by operations that FoldConstants computes; what is missing at their ends is filled up with zeros.
//
// Left as they are: strides that differ, dilations, an output_shape, and results that reach beyond the last phase.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "onnx/Constants.h"
#include "onnx/Lowering.h"
#include "passes/Passes.h"
#include "passes/Quantization.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_SPLITTRANSPOSEDCONV
#include "passes/Passes.h.inc"

namespace {

int64_t numberAt(std::optional<ArrayRef<int64_t>> list, size_t i) { return list && !list->empty() ? (*list)[i] : 0; }

/// Operations that move elements.
class Mover {
public:
  Mover(PatternRewriter &b, Location loc) : b(b), loc(loc) {}

  Value list(ArrayRef<int64_t> values) { return onnx::createConstant(b, loc, b.getI64TensorAttr(values)); }
  static Type typeOf(Value like, ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, getElementTypeOrSelf(like.getType()));
  }
  Value reshape(Value value, ArrayRef<int64_t> shape) {
    return onnx::ReshapeOp::create(b, loc, TypeRange(typeOf(value, shape)), ValueRange{value, list(shape)}).getResult();
  }
  Value transpose(Value value, ArrayRef<int64_t> order) {
    auto shape = cast<RankedTensorType>(value.getType()).getShape();
    SmallVector<int64_t> to = llvm::map_to_vector(order, [&](int64_t from) { return shape[from]; });
    return onnx::TransposeOp::create(b, loc, TypeRange(typeOf(value, to)), ValueRange(value),
                                     ArrayRef(b.getNamedAttr("perm", b.getDenseI64ArrayAttr(order))))
        .getResult();
  }
  /// A slice of the last two axes.
  Value slice(Value value, Type type, ArrayRef<int64_t> starts, ArrayRef<int64_t> ends, int64_t step) {
    Value from = list(starts), to = list(ends), axes = list({2, 3}), steps = list({step, step});
    return onnx::SliceOp::create(b, loc, type, value, from, to, axes, steps).getResult();
  }
  /// Each element of a list, `times` times.
  Value repeated(Value value, int64_t count, int64_t times) {
    Value columns = reshape(value, {count, 1});
    Value rows = onnx::ExpandOp::create(b, loc, TypeRange(typeOf(value, {count, times})),
                                        ValueRange{columns, list({count, times})})
                     .getResult();
    return reshape(rows, {count * times});
  }

private:
  PatternRewriter &b;
  Location loc;
};

/// A constant filter [c, f / groups, k, k].
struct Filter {
  Value numbers; ///< the constant
  RankedTensorType type;
  Attribute zero;                           ///< the number that stands for 0
  onnx::DequantizeLinearOp dequantize = {}; ///< of numbers of 8 bits; null for floats

  static std::optional<Filter> of(Value value, int64_t groups) {
    auto op = value.getDefiningOp<onnx::DequantizeLinearOp>();
    Value numbers = op ? op.getX() : value;
    auto type = dyn_cast<RankedTensorType>(numbers.getType());
    if (!type || !type.hasStaticShape() || type.getRank() != 4 || !onnx::constantValue(numbers))
      return std::nullopt;
    Type element = type.getElementType();
    if (!op)
      return isa<FloatType>(element) ? std::optional(Filter{numbers, type, FloatAttr::get(element, 0)}) : std::nullopt;
    if (op.getBlockSize() != 0 || !isa<IntegerType>(element) || type.getElementTypeBitWidth() != 8)
      return std::nullopt;
    bool isPerFilter = groups == 1 && onnx::normalizedAxis(op.getAxis(), 4) == 1;
    for (Value parameter : {op.getXScale(), op.getXZeroPoint()}) {
      auto own = parameter ? dyn_cast<RankedTensorType>(parameter.getType()) : RankedTensorType();
      if (parameter && !isSingle(parameter) &&
          (!isPerFilter || !own || own.getShape() != ArrayRef<int64_t>(type.getDimSize(1))))
        return std::nullopt;
    }
    std::optional<int64_t> zero = zeroOf(op);
    if (!zero)
      return std::nullopt;
    return Filter{numbers, type, IntegerAttr::get(element, *zero), op};
  }

  /// The zero point of all filters.
  static std::optional<int64_t> zeroOf(onnx::DequantizeLinearOp op) {
    std::optional<ElementsAttr> zeros = op.getXZeroPoint() ? onnx::constantValue(op.getXZeroPoint()) : std::nullopt;
    if (!op.getXZeroPoint())
      return 0;
    if (!zeros)
      return std::nullopt;
    std::vector<char> storage;
    ArrayRef<char> bytes = onnx::bytesOf(*zeros, storage);
    if (bytes.empty() || !llvm::all_equal(bytes))
      return std::nullopt;
    bool isUnsigned = cast<IntegerType>(zeros->getElementType()).isUnsigned();
    return isUnsigned ? int64_t(uint8_t(bytes[0])) : int64_t(int8_t(bytes[0]));
  }
};

struct SplitPhases : OpRewritePattern<onnx::ConvTransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::ConvTransposeOp op, PatternRewriter &rewriter) const override {
    auto x = dyn_cast<RankedTensorType>(op.getX().getType()), y = dyn_cast<RankedTensorType>(op.getY().getType());
    int64_t groups = op.getGroup();
    std::optional<Filter> filter = Filter::of(op.getW(), groups);
    if (!x || !y || x.getRank() != 4 || !filter)
      return rewriter.notifyMatchFailure(op, "has no constant filter of two axes");
    bool isDilated = op.getDilations() && llvm::any_of(*op.getDilations(), [](int64_t by) { return by != 1; });
    bool isShaped = op.getOutputShape() && !op.getOutputShape()->empty();
    int64_t stride = op.getStrides() && !op.getStrides()->empty() ? op.getStrides()->front() : 1;
    if (isDilated || isShaped || op.getAutoPad().starts_with("SAME") ||
        (op.getStrides() && !llvm::all_equal(*op.getStrides())) || filter->type.getDimSize(0) % groups != 0)
      return rewriter.notifyMatchFailure(op, "has a form that is no convolution of phases");
    int64_t filters = filter->type.getDimSize(1), phases = stride * stride;
    SmallVector<int64_t> reach, starts, ends, pads;
    for (int64_t axis = 0; axis < 2; ++axis) {
      int64_t kernel = filter->type.getDimSize(2 + axis);
      reach.push_back(llvm::divideCeil(kernel, stride));
      bool isPadded = op.getAutoPad() != "VALID";
      starts.push_back(isPadded ? numberAt(op.getPads(), axis) : 0);
      int64_t beyond = reach[axis] * stride - kernel - numberAt(op.getOutputPadding(), axis) +
                       (isPadded ? numberAt(op.getPads(), 2 + axis) : 0);
      if (starts[axis] < 0 || beyond < 0)
        return rewriter.notifyMatchFailure(op, "has a result beyond that of the filters");
      ends.push_back(beyond == 0 ? INT64_MAX : -beyond);
    }
    for (int64_t side = 0; side < 2; ++side)
      llvm::append_range(pads, llvm::map_range(reach, [](int64_t elements) { return elements - 1; }));

    Mover move(rewriter, op.getLoc());
    Value weights =
        dequantized(*filter, phasesOf(*filter, move, rewriter, groups, stride, reach), move, rewriter, phases);
    Value bias = op.getB() ? repeatedBias(op.getB(), move, rewriter, groups * filters, phases) : Value();

    SmallVector<int64_t> result = {x.getDimSize(0), groups * filters * phases},
                         spread = {x.getDimSize(0), groups * filters};
    for (int64_t axis = 0; axis < 2; ++axis) {
      int64_t extent = x.getDimSize(2 + axis);
      bool isDynamic = ShapedType::isDynamic(extent);
      result.push_back(isDynamic ? extent : extent + reach[axis] - 1);
      spread.push_back(isDynamic ? extent : (extent + reach[axis] - 1) * stride);
    }
    SmallVector<Value> factors = {op.getX(), weights};
    if (bias)
      factors.push_back(bias);
    Value value = onnx::ConvOp::create(rewriter, op.getLoc(), TypeRange(Mover::typeOf(op.getX(), result)), factors,
                                       ArrayRef({rewriter.getNamedAttr("group", rewriter.getI64IntegerAttr(groups)),
                                                 rewriter.getNamedAttr("pads", rewriter.getDenseI64ArrayAttr(pads))}))
                      .getResult();
    if (stride > 1)
      value = onnx::DepthToSpaceOp::create(
                  rewriter, op.getLoc(), TypeRange(Mover::typeOf(value, spread)), ValueRange(value),
                  ArrayRef({rewriter.getNamedAttr("blocksize", rewriter.getI64IntegerAttr(stride)),
                            rewriter.getNamedAttr("mode", rewriter.getStringAttr("CRD"))}))
                  .getResult();
    rewriter.replaceOp(op, move.slice(value, y, starts, ends, 1));
    return success();
  }

  static NamedAttribute axisAttr(PatternRewriter &b, int64_t axis) {
    return b.getNamedAttr("axis", b.getI64IntegerAttr(axis));
  }

  /// The filters of all phases, [f * s * s, c / groups, ceil(k / s)...], turned around.
  static Value phasesOf(Filter filter, Mover &move, PatternRewriter &b, int64_t groups, int64_t stride,
                        ArrayRef<int64_t> reach) {
    ArrayRef<int64_t> from = filter.type.getShape();
    int64_t high = reach[0] * stride, wide = reach[1] * stride;
    Location loc = filter.numbers.getLoc();
    auto zeroType = RankedTensorType::get({}, filter.type.getElementType());
    Value zero = onnx::createConstant(b, loc, DenseElementsAttr::get(zeroType, filter.zero));
    Value whole =
        onnx::PadOp::create(b, loc, Mover::typeOf(filter.numbers, {from[0], from[1], high, wide}), filter.numbers,
                            move.list({0, 0, 0, 0, 0, 0, high - from[2], wide - from[3]}), zero, Value())
            .getResult();
    int64_t channels = from[0] / groups;
    Value split = move.reshape(whole, {groups, channels, from[1], reach[0], stride, reach[1], stride});
    Value ordered = move.transpose(split, {0, 2, 4, 6, 1, 3, 5});
    Value filters = move.reshape(ordered, {groups * from[1] * stride * stride, channels, reach[0], reach[1]});
    return move.slice(filters, filters.getType(), {-1, -1}, {INT64_MIN, INT64_MIN}, -1);
  }

  /// The filters of all phases as floats.
  static Value dequantized(Filter filter, Value numbers, Mover &move, PatternRewriter &b, int64_t phases) {
    onnx::DequantizeLinearOp op = filter.dequantize;
    if (!op)
      return numbers;
    SmallVector<Value> operands = {numbers};
    for (Value parameter : {op.getXScale(), op.getXZeroPoint()})
      if (parameter)
        operands.push_back(isSingle(parameter) ? parameter
                                               : move.repeated(parameter, filter.type.getDimSize(1), phases));
    auto shape = cast<RankedTensorType>(numbers.getType()).getShape();
    return onnx::DequantizeLinearOp::create(b, op.getLoc(), TypeRange(Mover::typeOf(op.getY(), shape)), operands,
                                            ArrayRef(axisAttr(b, 0)))
        .getResult();
  }

  static Value repeatedBias(Value bias, Mover &move, PatternRewriter &b, int64_t filters, int64_t phases) {
    auto op = bias.getDefiningOp<onnx::DequantizeLinearOp>();
    if (!op || op.getBlockSize() != 0)
      return move.repeated(bias, filters, phases);
    SmallVector<Value> operands = {move.repeated(op.getX(), filters, phases)};
    for (Value parameter : {op.getXScale(), op.getXZeroPoint()})
      if (parameter)
        operands.push_back(isSingle(parameter) ? parameter : move.repeated(parameter, filters, phases));
    return onnx::DequantizeLinearOp::create(b, op.getLoc(), TypeRange(Mover::typeOf(bias, {filters * phases})),
                                            operands, ArrayRef(axisAttr(b, 0)))
        .getResult();
  }
};

struct SplitTransposedConv : impl::SplitTransposedConvBase<SplitTransposedConv> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SplitPhases>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
