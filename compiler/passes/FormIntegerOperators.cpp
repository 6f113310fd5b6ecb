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
// that many terms nothing becomes of a longer sum. The weights are constants of 8 bits, or of 4 that are held in 8; those of a
// matrix product may be computed by the run, as in an attention.
//
// Of x with 16 bits, the upper and the lower halves are multiplied by themselves, and what follows computes with floats:
//
//   sum of (x - z) * w  =  256 * sum of (upper half of x - that of z) * w  +  sum of (lower half of x - that of z) * w
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

  /// The integers of the left-hand side, of 8 or 16 bits.
  static std::optional<Factor> left(Value value) {
    std::optional<Quantization> own = Quantization::ofDequantized(value);
    if (!own || (own->stored.getWidth() != 8 && own->stored.getWidth() != 16))
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

  /// A right-hand side of 8 bits that the run computes, as of an attention, with one scale for all.
  static std::optional<Factor> computed(Value value) {
    std::optional<Factor> factor = left(value);
    return factor && !factor->hasHalves() ? factor : std::nullopt;
  }

  bool hasHalves() const { return element.getWidth() == 16; }

  /// The greatest distance of an integer, or of a half of it, from its zero point.
  int64_t reach() const {
    int64_t width = element.getWidth();
    if (hasHalves())
      return UINT8_MAX;
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

  /// `times` is what the bias is multiplied with, and the products are not.
  static Bias of(Value value, const Factor &left, const Factor &right, double times = 1) {
    if (!value)
      return {};
    auto op = value.getDefiningOp<onnx::DequantizeLinearOp>();
    std::optional<ElementsAttr> elements = op ? onnx::constantValue(op.getX()) : std::nullopt;
    if (left.hasHalves() || !elements || !elements->getElementType().isInteger(32) || !elementOf(op.getY()).isF32() ||
        op.getBlockSize() != 0 || (op.getXZeroPoint() && onnx::constantNumber(op.getXZeroPoint()) != 0.0) ||
        !liesAlongColumns(op) || !isInUnitOf(op.getXScale(), times, left, right))
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

  /// Whether a scale, multiplied, is the product of the two, but for how that was rounded.
  static bool isInUnitOf(Value scale, double times, const Factor &left, const Factor &right) {
    auto own = floatsOf(scale), ofLeft = floatsOf(left.scale), ofRight = floatsOf(right.scale);
    if (!own || !ofLeft || !ofRight || ofLeft->empty() || ofRight->empty() || own->empty() ||
        (own->size() != 1 && ofRight->size() != 1 && own->size() != ofRight->size()))
      return false;
    for (size_t i = 0; i < std::max(own->size(), ofRight->size()); ++i) {
      double unit = double(ofLeft->front()) * (*ofRight)[ofRight->size() == 1 ? 0 : i];
      if (!(std::abs(times * (*own)[own->size() == 1 ? 0 : i] - unit) <= 1e-6 * std::abs(unit)))
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

/// Integers of 8 bits that a left-hand side is the sum of, times powers of 2.
struct Part {
  Value q, zeroPoint, scale;
};

class Builder {
public:
  Builder(PatternRewriter &b, Operation *op) : b(b), loc(op->getLoc()) {}

  Value castTo(Value value, Type to) {
    return onnx::CastOp::create(b, loc, TypeRange(withElement(value.getType(), to)), ValueRange(value),
                                ArrayRef(b.getNamedAttr("to", b.getI64IntegerAttr(onnx::elementTypeNumber(to)))))
        .getResult();
  }
  Value number(Attribute value) {
    auto type = RankedTensorType::get({}, cast<TypedAttr>(value).getType());
    return onnx::createConstant(b, loc, DenseElementsAttr::get(type, value));
  }

  /// Weights as integers of 8 bits, and their zero point.
  Value eight(Value value) {
    auto element = cast<IntegerType>(elementOf(value));
    return element.getWidth() == 8 ? value
                                   : castTo(value, IntegerType::get(b.getContext(), 8, element.getSignedness()));
  }
  /// The zero point, which is 0 where none is said.
  Value zeroOf(const Factor &factor) { return factor.zeroPoint ? eight(factor.zeroPoint) : zero(factor.element); }
  Value zero(IntegerType element) {
    auto type = RankedTensorType::get({}, IntegerType::get(b.getContext(), 8, element.getSignedness()));
    return onnx::createConstant(b, loc, cast<ElementsAttr>(b.getZeroAttr(type)));
  }
  /// The left-hand side itself, or its halves.
  SmallVector<Part> partsOf(const Factor &left) {
    if (!left.hasHalves())
      return {{left.q, zeroOf(left), left.scale}};
    auto [upper, lower] = halvesOf(left.q, left.element);
    Value zero = left.zeroPoint ? left.zeroPoint : number(b.getIntegerAttr(left.element, 0));
    auto [upperZero, lowerZero] = halvesOf(zero, left.element);
    return {{upper, upperZero, multiplied(left.scale, number(b.getF32FloatAttr(256)))}, {lower, lowerZero, left.scale}};
  }
  /// Of 16 bits as numbers from 0 on, of which signed ones are -32768 and those after it.
  std::pair<Value, Value> halvesOf(Value q, IntegerType element) {
    Value wide = castTo(q, b.getI32Type());
    if (!element.isUnsigned())
      wide = added(wide, number(b.getI32IntegerAttr(-INT16_MIN)));
    Type byte = IntegerType::get(b.getContext(), 8, IntegerType::Unsigned);
    Value upper =
        onnx::DivOp::create(b, loc, TypeRange(wide.getType()), ValueRange{wide, number(b.getI32IntegerAttr(256))})
            .getResult();
    Value lower = onnx::BitwiseAndOp::create(b, loc, TypeRange(wide.getType()),
                                             ValueRange{wide, number(b.getI32IntegerAttr(255))})
                      .getResult();
    return {castTo(upper, byte), castTo(lower, byte)};
  }
  /// Of scales; one may be of no axis.
  Value multiplied(Value x, Value y) {
    auto left = cast<RankedTensorType>(x.getType()), right = cast<RankedTensorType>(y.getType());
    return onnx::MulOp::create(b, loc, TypeRange(right.getRank() >= left.getRank() ? right : left), ValueRange{x, y})
        .getResult();
  }
  /// The sum of what parts contribute, from which `sums` makes integers; in units that lie along an axis.
  Value dequantized(const Product &product, int64_t axis, Type type, llvm::function_ref<Value(const Part &)> sums) {
    Value total;
    for (const Part &part : partsOf(product.left)) {
      Value unit = multiplied(part.scale, product.right.scale);
      Value real = onnx::DequantizeLinearOp::create(b, loc, TypeRange(type), ValueRange{sums(part), unit},
                                                    ArrayRef(b.getNamedAttr("axis", b.getI64IntegerAttr(axis))))
                       .getResult();
      total = total ? added(total, real) : real;
    }
    return total;
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
    onnx::QuantizeLinearOp quantize = product.left.hasHalves() ? nullptr : onlyQuantization(op.getY());
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
    Value filterQ = make.eight(right->q), zeroOfRight = make.zeroOf(*right);
    Value result = make.dequantized(product, 1, type, [&](const Part &part) -> Value {
      Value sums = onnx::ConvIntegerOp::create(rewriter, op.getLoc(), type.clone(rewriter.getI32Type()), part.q,
                                               filterQ, part.zeroPoint, zeroOfRight, op.getAutoPadAttr(),
                                               op.getDilationsAttr(), op.getGroupAttr(), op.getKernelShapeAttr(),
                                               op.getPadsAttr(), op.getStridesAttr());
      if (!product.bias.integers)
        return sums;
      return make.added(sums, make.alongChannels(product.bias.integers, filter.getDimSize(0), type.getRank()));
    });
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
    if (!right)
      right = Factor::computed(op.getB());
    if (!left || !right)
      return rewriter.notifyMatchFailure(op, "does not multiply quantized numbers");
    Product product{*left, *right, {}};
    if (!product.fits(typeOfB.getDimSize(typeOfB.getRank() - 2)))
      return rewriter.notifyMatchFailure(op, "has sums that may exceed 32 bits");
    Builder make(rewriter, op);
    onnx::QuantizeLinearOp quantize = left->hasHalves() ? nullptr : onlyQuantization(op.getY());
    if (quantize) {
      rewriter.setInsertionPoint(quantize);
      std::optional<Quantization> y = Quantization::of(quantize);
      Value operands[] = {
          left->q,      left->scale,         make.zeroOf(*left), make.eight(right->q),
          right->scale, make.zeroOf(*right), y->scale,           y->zeroPoint ? y->zeroPoint : make.zero(y->stored)};
      rewriter.replaceOpWithNewOp<onnx::QLinearMatMulOp>(quantize, quantize->getResultTypes(), operands);
      rewriter.eraseOp(op);
      return success();
    }
    Value rightQ = make.eight(right->q), zeroOfRight = make.zeroOf(*right);
    rewriter.replaceOp(op, make.dequantized(product, -1, type, [&](const Part &part) -> Value {
      return onnx::MatMulIntegerOp::create(rewriter, op.getLoc(), type.clone(rewriter.getI32Type()), part.q, rightQ,
                                           part.zeroPoint, zeroOfRight);
    }));
    return success();
  }
};

struct FromGemm : OpRewritePattern<onnx::GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(onnx::GemmOp op, PatternRewriter &rewriter) const override {
    std::optional<Factor> left = Factor::left(op.getA()), right = Factor::right(op.getB(), op.getTransB() ? 0 : 1);
    if (!left || !right)
      return rewriter.notifyMatchFailure(op, "does not multiply quantized numbers by quantized constants");
    float alpha = op.getAlpha().convertToFloat(), beta = op.getBeta().convertToFloat();
    if (!std::isnormal(alpha))
      return rewriter.notifyMatchFailure(op, "multiplies the products by nothing");
    Value c = beta == 0 ? Value() : op.getC();
    Product product{*left, *right, Bias::of(c, *left, *right, double(beta) / alpha)};
    if (!product.fits(cast<RankedTensorType>(right->q.getType()).getDimSize(op.getTransB() ? 1 : 0)))
      return rewriter.notifyMatchFailure(op, "has sums that may exceed 32 bits");
    Builder make(rewriter, op);
    onnx::QuantizeLinearOp quantize = left->hasHalves() ? nullptr : onlyQuantization(op.getY());
    bool isQuantized = quantize && !product.bias.floats;
    std::optional<Quantization> y = isQuantized ? Quantization::of(quantize) : std::nullopt;
    if (isQuantized)
      rewriter.setInsertionPoint(quantize);
    Value rightQ = make.eight(right->q), zeroOfRight = make.zeroOf(*right);
    Value zeroOfY = !isQuantized ? Value() : y->zeroPoint ? y->zeroPoint : make.zero(y->stored);
    Value result;
    for (const Part &part : make.partsOf(*left)) {
      Value sum = onnx::MicrosoftQGemmOp::create(
          rewriter, op.getLoc(), isQuantized ? quantize.getY().getType() : op.getY().getType(), part.q, part.scale,
          part.zeroPoint, rightQ, right->scale, zeroOfRight, product.bias.integers, isQuantized ? y->scale : Value(),
          zeroOfY, op.getAlphaAttr(), op.getTransAAttr(), op.getTransBAttr());
      result = result ? make.added(result, sum) : sum;
    }
    if (isQuantized) {
      rewriter.replaceOp(quantize, result);
      rewriter.eraseOp(op);
      return success();
    }
    if (Value floats = product.bias.floats) {
      if (beta != 1)
        floats = onnx::MulOp::create(rewriter, op.getLoc(), TypeRange(floats.getType()),
                                     ValueRange{floats, make.number(rewriter.getF32FloatAttr(beta))})
                     .getResult();
      result = make.added(result, floats);
    }
    rewriter.replaceOp(op, result);
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
