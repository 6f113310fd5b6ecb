// Turns products of dequantized numbers into operators on integers.
//
//   %x = onnx.DequantizeLinear(%qx, sx, zx)       =>   %q = onnx.QLinearConv(%qx, sx, zx, %qw, sw, zw, sy, zy, %qb)
//   %w = onnx.DequantizeLinear(%qw, sw, zw)
//   %b = onnx.DequantizeLinear(%qb, sx * sw)
//   %y = onnx.Conv(%x, %w, %b)
//   %q = onnx.QuantizeLinear(%y, sy, zy)
//
// and likewise QLinearMatMul of MatMul, QGemm of Gemm. Where the result is not quantized at once, or the bias is a float,
// the sum stays one of integers, and what follows computes with floats:
//
//   %s = onnx.ConvInteger(%qx, %qw, zx, zw)
//   %f = onnx.DequantizeLinear(%s, sx * sw)
//   %y = onnx.Add(%f, %b)
//
// Sums of integers are exact, where those of floats depend on the order. Their 32 bits must hold whatever x there is: of
// that many terms nothing becomes of a longer sum. The weights are constants of 8 bits, or of 4 that are held in 8.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "onnx/Constants.h"
#include "onnx/Lowering.h"
#include "passes/Passes.h"
#include "passes/Quantization.h"
#include <cmath>
#include <cstring>

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_FORMINTEGEROPERATORS
#include "passes/Passes.h.inc"

namespace {

Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

//===-- Operands ---------------------------------------------------------------------------===//

/// What is dequantized: integers, and what they stand for. Weights may have a scale for each column.
struct Factor {
  Value q, scale, zeroPoint;
  IntegerType element;
  int64_t count = 1; ///< of scales

  /// The integers of the left-hand side, of 8 bits.
  static std::optional<Factor> left(Value value) {
    std::optional<Quantization> own = Quantization::ofDequantized(value);
    if (!own || own->stored.getWidth() != 8)
      return std::nullopt;
    return Factor{value.getDefiningOp<onnx::DequantizeLinearOp>().getX(), own->scale, own->zeroPoint, own->stored};
  }

  /// Constant weights of 8 bits or fewer, with one scale for all or one for each index along `axis`.
  static std::optional<Factor> right(Value value, int64_t axis) {
    auto op = value.getDefiningOp<onnx::DequantizeLinearOp>();
    auto type = op ? dyn_cast<RankedTensorType>(op.getX().getType()) : RankedTensorType();
    if (!type || !type.hasStaticShape() || !onnx::constantValue(op.getX()) || op.getBlockSize() != 0 ||
        !elementOf(op.getY()).isF32() || !elementOf(op.getXScale()).isF32())
      return std::nullopt;
    auto element = dyn_cast<IntegerType>(type.getElementType());
    auto scale = dyn_cast<RankedTensorType>(op.getXScale().getType());
    if (!element || element.getWidth() > 8 || !scale || !scale.hasStaticShape())
      return std::nullopt;
    Factor factor{op.getX(), op.getXScale(), op.getXZeroPoint(), element, scale.getNumElements()};
    bool isPerColumn = scale.getRank() == 1 && onnx::normalizedAxis(op.getAxis(), type.getRank()) == axis &&
                       factor.count == type.getDimSize(axis);
    bool zeroFits =
        !factor.zeroPoint || factor.zeroPoint.getType() == scale.clone(element) || isSingle(factor.zeroPoint);
    if ((!isSingle(factor.scale) && !isPerColumn) || !zeroFits)
      return std::nullopt;
    return factor;
  }

  /// The greatest distance of an integer from its zero point.
  int64_t reach() const {
    int64_t width = element.getWidth();
    if (std::optional<double> zero = zeroPoint ? onnx::constantNumber(zeroPoint) : 0) {
      int64_t least = element.isUnsigned() ? 0 : llvm::minIntN(width),
              greatest = element.isUnsigned() ? int64_t(llvm::maxUIntN(width)) : llvm::maxIntN(width);
      return std::max(greatest - int64_t(*zero), int64_t(*zero) - least);
    }
    return (int64_t(1) << width) - 1;
  }
};

std::optional<SmallVector<float>> floatsOf(Value value) {
  std::optional<ElementsAttr> elements = onnx::constantValue(value);
  if (!elements || !elements->getElementType().isF32())
    return std::nullopt;
  std::vector<char> storage;
  ArrayRef<char> bytes = onnx::bytesOf(*elements, storage);
  SmallVector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

/// What is added to the products: integers in their unit, or floats.
struct Bias {
  Value integers, floats;
  int64_t reach = 0; ///< of the integers

  static Bias of(Value value, const Factor &left, const Factor &right) {
    if (!value)
      return {};
    auto op = value.getDefiningOp<onnx::DequantizeLinearOp>();
    std::optional<ElementsAttr> elements = op ? onnx::constantValue(op.getX()) : std::nullopt;
    if (!elements || !elements->getElementType().isInteger(32) || !elementOf(op.getY()).isF32() ||
        op.getBlockSize() != 0 || (op.getXZeroPoint() && onnx::constantNumber(op.getXZeroPoint()) != 0.0) ||
        !liesAlongColumns(op) || !isInUnitOf(op.getXScale(), left, right))
      return {nullptr, value};
    Bias bias{op.getX(), nullptr};
    std::vector<char> storage;
    ArrayRef<char> bytes = onnx::bytesOf(*elements, storage);
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      int32_t number;
      std::memcpy(&number, bytes.data() + i, 4);
      bias.reach = std::max(bias.reach, std::abs(int64_t(number)));
    }
    return bias;
  }

  /// Whether the scales are those of the sums' channels, which are the last axis of a bias.
  static bool liesAlongColumns(onnx::DequantizeLinearOp op) {
    int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
    return isSingle(op.getXScale()) || onnx::normalizedAxis(op.getAxis(), rank) == rank - 1;
  }

  /// Whether a scale is the product of the two, but for how that was rounded.
  static bool isInUnitOf(Value scale, const Factor &left, const Factor &right) {
    auto own = floatsOf(scale), ofLeft = floatsOf(left.scale), ofRight = floatsOf(right.scale);
    if (!own || !ofLeft || !ofRight || ofLeft->empty() || ofRight->empty() || own->empty() ||
        (own->size() != 1 && own->size() != ofRight->size()))
      return false;
    for (size_t i = 0; i < std::max(own->size(), ofRight->size()); ++i) {
      double unit = double(ofLeft->front()) * (*ofRight)[ofRight->size() == 1 ? 0 : i];
      if (!(std::abs((*own)[own->size() == 1 ? 0 : i] - unit) <= 1e-6 * std::abs(unit)))
        return false;
    }
    return true;
  }
};

//===-- Rewriting ------------------------------------------------------------------------------===//

/// A product of quantized numbers, as it is found: `terms` in each sum.
struct Product {
  Factor left, right;
  Bias bias;

  bool fits(int64_t terms) const {
    int64_t term = left.reach() * right.reach();
    return terms >= 0 && terms <= (INT32_MAX - std::min<int64_t>(bias.reach, INT32_MAX)) / std::max<int64_t>(term, 1);
  }
};

class Builder {
public:
  Builder(PatternRewriter &b, Operation *op) : b(b), loc(op->getLoc()) {}

  /// Weights as integers of 8 bits, and their zero point.
  Value eight(Value value) {
    auto element = cast<IntegerType>(elementOf(value));
    if (element.getWidth() == 8)
      return value;
    Type wide = IntegerType::get(b.getContext(), 8, element.getSignedness());
    return onnx::CastOp::create(b, loc, TypeRange(withElement(value.getType(), wide)), ValueRange(value),
                                ArrayRef(b.getNamedAttr("to", b.getI64IntegerAttr(onnx::elementTypeNumber(wide)))))
        .getResult();
  }
  /// The zero point, which is 0 where none is said.
  Value zeroOf(const Factor &factor) { return factor.zeroPoint ? eight(factor.zeroPoint) : zero(factor.element); }
  Value zero(IntegerType element) {
    auto type = RankedTensorType::get({}, IntegerType::get(b.getContext(), 8, element.getSignedness()));
    return onnx::createConstant(b, loc, cast<ElementsAttr>(b.getZeroAttr(type)));
  }
  /// The unit of the sums.
  Value unitOf(const Product &product) {
    auto left = cast<RankedTensorType>(product.left.scale.getType()),
         right = cast<RankedTensorType>(product.right.scale.getType());
    Type type = right.getRank() >= left.getRank() ? right : left;
    return onnx::MulOp::create(b, loc, TypeRange(type), ValueRange{product.left.scale, product.right.scale})
        .getResult();
  }
  Value dequantized(Value sums, const Product &product, int64_t axis, Type type) {
    return onnx::DequantizeLinearOp::create(b, loc, TypeRange(type), ValueRange{sums, unitOf(product)},
                                            ArrayRef(b.getNamedAttr("axis", b.getI64IntegerAttr(axis))))
        .getResult();
  }
  Value added(Value x, Value y) {
    return onnx::AddOp::create(b, loc, TypeRange(x.getType()), ValueRange{x, y}).getResult();
  }
  /// A bias for each channel, as it is added to N x C x spatial axes.
  Value alongChannels(Value bias, int64_t channels, int64_t rank) {
    SmallVector<int64_t> shape(rank, 1);
    shape[1] = channels;
    Value extents = onnx::createConstant(b, loc, b.getI64TensorAttr(shape));
    return onnx::ReshapeOp::create(b, loc, TypeRange(RankedTensorType::get(shape, elementOf(bias))),
                                   ValueRange{bias, extents})
        .getResult();
  }

  PatternRewriter &b;
  Location loc;
};

/// The quantization to 8 bits that all of a result's users are one of; null if something else needs the floats.
onnx::QuantizeLinearOp onlyQuantization(Value result) {
  if (!result.hasOneUse())
    return nullptr;
  auto op = dyn_cast<onnx::QuantizeLinearOp>(*result.getUsers().begin());
  std::optional<Quantization> q = op ? Quantization::of(op) : std::nullopt;
  return q && q->stored.getWidth() == 8 ? op : nullptr;
}

struct FromConv : OpRewritePattern<onnx::ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::ConvOp op, PatternRewriter &rewriter) const override {
    std::optional<Factor> left = Factor::left(op.getX()), right = Factor::right(op.getW(), 0);
    auto type = dyn_cast<RankedTensorType>(op.getY().getType());
    if (!left || !right || !type)
      return rewriter.notifyMatchFailure(op, "does not multiply quantized numbers by quantized constants");
    Product product{*left, *right, Bias::of(op.getB(), *left, *right)};
    auto filter = cast<RankedTensorType>(right->q.getType());
    if (!product.fits(ShapedType::getNumElements(filter.getShape().drop_front())))
      return rewriter.notifyMatchFailure(op, "has sums that may exceed 32 bits");
    Builder make(rewriter, op);
    onnx::QuantizeLinearOp quantize = onlyQuantization(op.getY());
    if (quantize && !product.bias.floats) {
      rewriter.setInsertionPoint(quantize);
      std::optional<Quantization> y = Quantization::of(quantize);
      SmallVector<Value> operands = {
          left->q,      left->scale,         make.zeroOf(*left), make.eight(right->q),
          right->scale, make.zeroOf(*right), y->scale,           y->zeroPoint ? y->zeroPoint : make.zero(y->stored)};
      if (product.bias.integers)
        operands.push_back(product.bias.integers);
      rewriter.replaceOpWithNewOp<onnx::QLinearConvOp>(quantize, quantize->getResultTypes(), operands, op->getAttrs());
      rewriter.eraseOp(op);
      return success();
    }
    Value filterQ = make.eight(right->q), zeroOfLeft = make.zeroOf(*left), zeroOfRight = make.zeroOf(*right);
    Value sums =
        onnx::ConvIntegerOp::create(rewriter, op.getLoc(), type.clone(rewriter.getI32Type()), left->q, filterQ,
                                    zeroOfLeft, zeroOfRight, op.getAutoPadAttr(), op.getDilationsAttr(),
                                    op.getGroupAttr(), op.getKernelShapeAttr(), op.getPadsAttr(), op.getStridesAttr());
    if (product.bias.integers)
      sums = make.added(sums, make.alongChannels(product.bias.integers, filter.getDimSize(0), type.getRank()));
    Value result = make.dequantized(sums, product, 1, type);
    if (product.bias.floats)
      result = make.added(result, make.alongChannels(product.bias.floats, filter.getDimSize(0), type.getRank()));
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct FromMatMul : OpRewritePattern<onnx::MatMulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::MatMulOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getY().getType()),
         typeOfB = dyn_cast<RankedTensorType>(op.getB().getType());
    if (!type || !typeOfB || typeOfB.getRank() < 2)
      return rewriter.notifyMatchFailure(op, "is no product of matrices of known rank");
    std::optional<Factor> left = Factor::left(op.getA()), right = Factor::right(op.getB(), typeOfB.getRank() - 1);
    if (!left || !right)
      return rewriter.notifyMatchFailure(op, "does not multiply quantized numbers by quantized constants");
    Product product{*left, *right, {}};
    if (!product.fits(typeOfB.getDimSize(typeOfB.getRank() - 2)))
      return rewriter.notifyMatchFailure(op, "has sums that may exceed 32 bits");
    Builder make(rewriter, op);
    if (onnx::QuantizeLinearOp quantize = onlyQuantization(op.getY())) {
      rewriter.setInsertionPoint(quantize);
      std::optional<Quantization> y = Quantization::of(quantize);
      Value operands[] = {
          left->q,      left->scale,         make.zeroOf(*left), make.eight(right->q),
          right->scale, make.zeroOf(*right), y->scale,           y->zeroPoint ? y->zeroPoint : make.zero(y->stored)};
      rewriter.replaceOpWithNewOp<onnx::QLinearMatMulOp>(quantize, quantize->getResultTypes(), operands);
      rewriter.eraseOp(op);
      return success();
    }
    Value rightQ = make.eight(right->q), zeroOfLeft = make.zeroOf(*left), zeroOfRight = make.zeroOf(*right);
    Value sums = onnx::MatMulIntegerOp::create(rewriter, op.getLoc(), type.clone(rewriter.getI32Type()), left->q,
                                               rightQ, zeroOfLeft, zeroOfRight);
    rewriter.replaceOp(op, make.dequantized(sums, product, -1, type));
    return success();
  }
};

struct FromGemm : OpRewritePattern<onnx::GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::GemmOp op, PatternRewriter &rewriter) const override {
    std::optional<Factor> left = Factor::left(op.getA()), right = Factor::right(op.getB(), op.getTransB() ? 0 : 1);
    if (!left || !right)
      return rewriter.notifyMatchFailure(op, "does not multiply quantized numbers by quantized constants");
    if (op.getAlpha().convertToFloat() != 1 || op.getBeta().convertToFloat() != 1)
      return rewriter.notifyMatchFailure(op, "scales its operands");
    Product product{*left, *right, Bias::of(op.getC(), *left, *right)};
    if (!product.fits(cast<RankedTensorType>(right->q.getType()).getDimSize(op.getTransB() ? 1 : 0)))
      return rewriter.notifyMatchFailure(op, "has sums that may exceed 32 bits");
    Builder make(rewriter, op);
    onnx::QuantizeLinearOp quantize = onlyQuantization(op.getY());
    bool isQuantized = quantize && !product.bias.floats;
    std::optional<Quantization> y = isQuantized ? Quantization::of(quantize) : std::nullopt;
    if (isQuantized)
      rewriter.setInsertionPoint(quantize);
    Value zeroOfLeft = make.zeroOf(*left), rightQ = make.eight(right->q), zeroOfRight = make.zeroOf(*right);
    Value zeroOfY = !isQuantized ? Value() : y->zeroPoint ? y->zeroPoint : make.zero(y->stored);
    Value result = onnx::MicrosoftQGemmOp::create(
        rewriter, op.getLoc(), isQuantized ? quantize.getY().getType() : op.getY().getType(), left->q, left->scale,
        zeroOfLeft, rightQ, right->scale, zeroOfRight, product.bias.integers, isQuantized ? y->scale : Value(), zeroOfY,
        op.getAlphaAttr(), op.getTransAAttr(), op.getTransBAttr());
    if (isQuantized) {
      rewriter.replaceOp(quantize, result);
      rewriter.eraseOp(op);
      return success();
    }
    rewriter.replaceOp(op, product.bias.floats ? make.added(result, product.bias.floats) : result);
    return success();
  }
};

struct FormIntegerOperators : impl::FormIntegerOperatorsBase<FormIntegerOperators> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FromConv, FromMatMul, FromGemm>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc
