// Operators that compute each element of the result from the elements at the same place in the operands, with numpy
// broadcasting.
#include "onnx/ops/Elementwise.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Shape ------------------------------------------------------------------===//

FailureOr<Extents> shapeOfFirst(Operation *op, Known &known) { return Extents(known.extents(op->getOperand(0))); }

FailureOr<Extents> broadcastExtents(Operation *op, Known &known) {
  Extents result;
  for (Value operand : op->getOperands()) {
    std::optional<Extents> common = known.math.broadcast(result, known.extents(operand));
    if (!common)
      return op->emitOpError("expects operands that broadcast, got ") << op->getOperandTypes();
    result = std::move(*common);
  }
  return result;
}

FailureOr<Facts> shapeOfElementwise(Operation *op, Known &known, ElementArithmetic arithmetic) {
  FailureOr<Extents> extents = broadcastExtents(op, known);
  if (failed(extents))
    return failure();
  if (!arithmetic || !Lowering::element(op->getResult(0)).isInteger())
    return Facts(std::move(*extents));
  std::optional<Extents> elements = tellElements(*extents, [&](ArrayRef<int64_t> index) {
    Extents parts;
    for (Value operand : op->getOperands()) {
      parts.push_back(known.element(operand, index));
      if (!parts.back())
        return Extent();
    }
    return arithmetic(known.math, parts);
  });
  return Facts(std::move(*extents), std::move(elements));
}

//===-- Shape arithmetic ---------------------------------------------------------===//

using Parts = ArrayRef<Extent>;

static Extent truth(ExtentMath &math, std::optional<bool> value) { return value ? math.constant(*value) : Extent(); }
static std::optional<bool> isTrue(Extent e) {
  std::optional<int64_t> value = ExtentMath::asConstant(e);
  return value ? std::optional<bool>(*value != 0) : std::nullopt;
}

/// a < b for all values of the symbols; none where that depends on them.
static std::optional<bool> isLess(ExtentMath &math, Extent a, Extent b) {
  if (math.isNonNegative(math.sub(a, b)))
    return false;
  if (math.isNonNegative(math.sub(math.sub(b, a), math.constant(1))))
    return true;
  return std::nullopt;
}

static std::optional<bool> isEqual(ExtentMath &math, Extent a, Extent b) {
  if (math.isEqual(a, b))
    return true;
  if (isLess(math, a, b) == true || isLess(math, b, a) == true)
    return false;
  return std::nullopt;
}

static std::optional<bool> negated(std::optional<bool> value) {
  return value ? std::optional<bool>(!*value) : std::nullopt;
}

template <Extent (ExtentMath::*operation)(Extent, Extent)> Extent folded(ExtentMath &math, Parts parts) {
  Extent result = parts.front();
  for (Extent part : parts.drop_front())
    result = (math.*operation)(result, part);
  return result;
}

static Extent addExtents(ExtentMath &math, Parts parts) {
  Extent result = parts.front();
  for (Extent part : parts.drop_front())
    result = math.add(result, part);
  return result;
}
static Extent subtractExtents(ExtentMath &math, Parts parts) { return math.sub(parts[0], parts[1]); }
static Extent multiplyExtents(ExtentMath &math, Parts parts) { return math.mul(parts[0], parts[1]); }
static Extent divideExtents(ExtentMath &math, Parts parts) {
  // A division that may be by zero is left to the run, where it is guarded.
  if (!math.isNonNegative(math.sub(parts[1], math.constant(1)))) {
    std::optional<int64_t> divisor = ExtentMath::asConstant(parts[1]);
    if (!divisor || *divisor == 0)
      return Extent();
  }
  return math.truncDiv(parts[0], parts[1]);
}
static Extent negateExtent(ExtentMath &math, Parts parts) { return math.sub(math.constant(0), parts[0]); }
static Extent magnitude(ExtentMath &math, Parts parts) {
  return math.isNonNegative(parts[0]) ? parts[0] : math.max(parts[0], math.sub(math.constant(0), parts[0]));
}
static Extent equalExtents(ExtentMath &math, Parts parts) { return truth(math, isEqual(math, parts[0], parts[1])); }
static Extent lessExtents(ExtentMath &math, Parts parts) { return truth(math, isLess(math, parts[0], parts[1])); }
static Extent greaterExtents(ExtentMath &math, Parts parts) { return truth(math, isLess(math, parts[1], parts[0])); }
static Extent lessOrEqualExtents(ExtentMath &math, Parts parts) {
  return truth(math, negated(isLess(math, parts[1], parts[0])));
}
static Extent greaterOrEqualExtents(ExtentMath &math, Parts parts) {
  return truth(math, negated(isLess(math, parts[0], parts[1])));
}
static Extent notExtent(ExtentMath &math, Parts parts) { return truth(math, negated(isTrue(parts[0]))); }
static Extent andExtents(ExtentMath &math, Parts parts) {
  std::optional<bool> a = isTrue(parts[0]), b = isTrue(parts[1]);
  if (a == false || b == false)
    return math.constant(0);
  return truth(math, a && b ? std::optional<bool>(true) : std::nullopt);
}
static Extent orExtents(ExtentMath &math, Parts parts) {
  std::optional<bool> a = isTrue(parts[0]), b = isTrue(parts[1]);
  if (a == true || b == true)
    return math.constant(1);
  return truth(math, a && b ? std::optional<bool>(false) : std::nullopt);
}
static Extent whereExtents(ExtentMath &math, Parts parts) {
  if (math.isEqual(parts[1], parts[2]))
    return parts[1];
  std::optional<bool> condition = isTrue(parts[0]);
  return condition ? parts[*condition ? 1 : 2] : Extent();
}

//===-- Lower ------------------------------------------------------------------===//

FailureOr<Value> lowerElementwise(Operation *op, Lowering &l, ElementwiseBody body) {
  return l.elementwise(op->getResult(0), op->getOperands(), body);
}

//===-- Bodies: numbers ----------------------------------------------------------===//

Value add(Scalars &s, ValueRange args) { return arithmetic<arith::AddFOp, arith::AddIOp>(s, args); }
Value subtract(Scalars &s, ValueRange args) { return arithmetic<arith::SubFOp, arith::SubIOp>(s, args); }
Value multiply(Scalars &s, ValueRange args) { return arithmetic<arith::MulFOp, arith::MulIOp>(s, args); }
Value larger(Scalars &s, ValueRange args) {
  return arithmetic<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(s, args);
}
Value smaller(Scalars &s, ValueRange args) {
  return arithmetic<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(s, args);
}

namespace {
/// A divisor by which any number can be divided, and why it may not be the one that was asked for.
struct SafeDivisor {
  Value value, isZero;
  Value isMinusOne; ///< null for unsigned integers

  SafeDivisor(Scalars &s, Value divisor, bool isUnsigned) {
    Value one = s.constant(1, divisor.getType());
    isZero = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, divisor, s.constant(0, divisor.getType()));
    value = s.make<arith::SelectOp>(isZero, one, divisor);
    if (isUnsigned)
      return;
    isMinusOne = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, divisor, s.constant(-1, divisor.getType()));
    value = s.make<arith::SelectOp>(isMinusOne, one, value);
  }
};
} // namespace

Value divideIntegers(Scalars &s, Value a, Value b, bool isUnsigned) {
  SafeDivisor divisor(s, b, isUnsigned);
  Value zero = s.constant(0, a.getType());
  if (isUnsigned)
    return s.make<arith::SelectOp>(divisor.isZero, zero, s.make<arith::DivUIOp>(a, divisor.value));
  Value quotient = s.make<arith::DivSIOp>(a, divisor.value);
  quotient = s.make<arith::SelectOp>(divisor.isMinusOne, s.make<arith::SubIOp>(zero, a), quotient);
  return s.make<arith::SelectOp>(divisor.isZero, zero, quotient);
}

Value remainderOfIntegers(Scalars &s, Value a, Value b, bool isUnsigned) {
  // Divided by one, what is left is 0: right for -1 as well.
  SafeDivisor divisor(s, b, isUnsigned);
  Value rest = isUnsigned ? s.make<arith::RemUIOp>(a, divisor.value) : s.make<arith::RemSIOp>(a, divisor.value);
  return s.make<arith::SelectOp>(divisor.isZero, a, rest);
}

static Value divide(Scalars &s, ValueRange args) {
  if (isFloat(s.element))
    return scalar<arith::DivFOp>(s, args);
  return divideIntegers(s, args[0], args[1], isUnsigned(s.element));
}

/// The remainder with the sign of the divisor, or with `truncates` the sign of the dividend.
static Value modulo(ModOp op, Scalars &s, ValueRange args) {
  Value a = args[0], b = args[1];
  bool truncates = op.getFmod() != 0, isReal = isFloat(s.element);
  Value rest = isReal ? s.make<arith::RemFOp>(a, b) : remainderOfIntegers(s, a, b, isUnsigned(s.element));
  if (truncates || isUnsigned(s.element))
    return rest;
  Value zero = s.constant(0);
  auto less = [&](Value x, Value y) {
    return isReal ? s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, x, y)
                  : s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, x, y);
  };
  Value isNotZero = isReal ? s.make<arith::CmpFOp>(arith::CmpFPredicate::ONE, rest, zero)
                           : s.make<arith::CmpIOp>(arith::CmpIPredicate::ne, rest, zero);
  Value signsDiffer = s.make<arith::XOrIOp>(less(rest, zero), less(b, zero));
  return s.make<arith::SelectOp>(s.make<arith::AndIOp>(isNotZero, signsDiffer), add(s, {rest, b}), rest);
}

template <ElementwiseBody body> Value folded(Scalars &s, ValueRange args) {
  Value result = args.front();
  for (Value next : args.drop_front())
    result = body(s, {result, next});
  return result;
}

static Value mean(Scalars &s, ValueRange args) {
  return s.make<arith::DivFOp>(folded<add>(s, args), s.constant(args.size()));
}

static Value negate(Scalars &s, ValueRange args) {
  return isFloat(s.element) ? scalar<arith::NegFOp>(s, args) : s.make<arith::SubIOp>(s.constant(0), args[0]);
}

static Value absolute(Scalars &s, ValueRange args) {
  if (isUnsigned(s.element))
    return args[0];
  return isFloat(s.element) ? scalar<math::AbsFOp>(s, args) : scalar<math::AbsIOp>(s, args);
}

static Value reciprocal(Scalars &s, ValueRange args) { return s.make<arith::DivFOp>(s.constant(1), args[0]); }

static Value sign(Scalars &s, ValueRange args) {
  Value x = args[0], zero = s.constant(0), one = s.constant(1), minusOne = s.constant(-1);
  if (isFloat(s.element)) {
    // Zeros and NaN stay as they are.
    Value isPositive = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, x, zero);
    Value isNegative = s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, x, zero);
    return s.make<arith::SelectOp>(isPositive, one, s.make<arith::SelectOp>(isNegative, minusOne, x));
  }
  if (isUnsigned(s.element))
    return s.make<arith::MinUIOp>(x, one);
  return s.make<arith::MaxSIOp>(s.make<arith::MinSIOp>(x, one), minusOne);
}

//===-- Bodies: powers -----------------------------------------------------------===//

/// Integer powers by squaring; overflow wraps around. A negative exponent gives 1/x^|n| rounded towards zero: 1, -1 or
/// 0.
static Value powerOfIntegers(Scalars &s, Value base, Value exponent, bool isUnsignedExponent) {
  Type type = base.getType(), wide = s.b.getI64Type();
  if (exponent.getType() != wide)
    exponent = isUnsignedExponent ? s.make<arith::ExtUIOp>(wide, exponent) : s.make<arith::ExtSIOp>(wide, exponent);
  Value zero = s.constant(0, wide), one = s.constant(1, wide);
  auto loop = scf::WhileOp::create(
      s.b, s.loc, TypeRange{type, type, wide}, ValueRange{s.constant(1, type), base, exponent},
      [&](OpBuilder &b, Location loc, ValueRange state) {
        Value isLeft = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, state[2], zero);
        scf::ConditionOp::create(b, loc, isLeft, state);
      },
      [&](OpBuilder &b, Location loc, ValueRange state) {
        Value odd = arith::TruncIOp::create(b, loc, b.getI1Type(), state[2]);
        Value product = arith::MulIOp::create(b, loc, state[0], state[1]);
        Value next = arith::SelectOp::create(b, loc, odd, product, state[0]);
        Value square = arith::MulIOp::create(b, loc, state[1], state[1]);
        scf::YieldOp::create(b, loc, ValueRange{next, square, arith::ShRUIOp::create(b, loc, state[2], one)});
      });
  if (isUnsignedExponent)
    return loop.getResult(0);
  auto equals = [&](Value x, double number) {
    return s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, x, s.constant(number, x.getType()));
  };
  Value isOdd = s.make<arith::TruncIOp>(s.b.getI1Type(), exponent);
  Value ofMinusOne = s.make<arith::SelectOp>(isOdd, base, s.constant(1, type));
  Value inverse = s.make<arith::SelectOp>(equals(base, 1), base,
                                          s.make<arith::SelectOp>(equals(base, -1), ofMinusOne, s.constant(0, type)));
  Value isNegative = s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, exponent, zero);
  return s.make<arith::SelectOp>(isNegative, inverse, loop.getResult(0));
}

/// Small whole exponents as multiplications, the square root as what it is; null for others.
static Value powerByConstant(Scalars &s, Value x, double exponent) {
  if (exponent == 1)
    return x;
  if (exponent == 0.5)
    return s.make<math::SqrtOp>(x);
  if (exponent != 2 && exponent != 3)
    return nullptr;
  Value square = multiply(s, {x, x});
  return exponent == 2 ? square : multiply(s, {square, x});
}

static FailureOr<Value> lowerPow(PowOp op, Lowering &l) {
  Type base = Lowering::element(op.getX()), exponentType = Lowering::element(op.getY());
  std::optional<double> exponent = constantNumber(op.getY());
  bool isSimple =
      exponent && (*exponent == 1 || *exponent == 2 || *exponent == 3 || (*exponent == 0.5 && isFloat(base)));
  if (isSimple)
    return l.elementwise(op.getZ(), op.getX(),
                         [&](Scalars &s, ValueRange args) { return powerByConstant(s, args[0], *exponent); });
  return l.elementwise(op.getZ(), {op.getX(), op.getY()}, [&](Scalars &s, ValueRange args) -> Value {
    if (!isFloat(base) && !isFloat(exponentType))
      return powerOfIntegers(s, args[0], args[1], isUnsigned(exponentType));
    // An integer raised to a real power, or a power that f32 cannot hold, goes through f64.
    bool needsDouble = !isFloat(base) || computeType(base).isF64() || computeType(exponentType).isF64();
    Type type = needsDouble ? Type(s.b.getF64Type()) : Type(s.b.getF32Type());
    Value power = s.make<math::PowFOp>(castScalar(s, args[0], base, type), castScalar(s, args[1], exponentType, type));
    return castScalar(s, power, type, base);
  });
}

//===-- Bodies: bits, comparisons, choices -----------------------------------------===//

/// A shift by the width or more, or by a negative number, leaves only copies of what is shifted in: zeros, or the sign.
static Value shift(BitShiftOp op, Scalars &s, ValueRange args) {
  bool keepsSign = op.getDirection() == "RIGHT" && !isUnsigned(s.element);
  Value last = s.constant(args[0].getType().getIntOrFloatBitWidth() - 1);
  Value fits = s.make<arith::CmpIOp>(arith::CmpIPredicate::ule, args[1], last);
  Value by = s.make<arith::SelectOp>(fits, args[1], last);
  if (keepsSign)
    return s.make<arith::ShRSIOp>(args[0], by);
  Value shifted =
      op.getDirection() == "LEFT" ? s.make<arith::ShLIOp>(args[0], by) : s.make<arith::ShRUIOp>(args[0], by);
  return s.make<arith::SelectOp>(fits, shifted, s.constant(0));
}

static Value complement(Scalars &s, ValueRange args) { return s.make<arith::XOrIOp>(args[0], s.constant(-1)); }

template <arith::CmpFPredicate real, arith::CmpIPredicate sign, arith::CmpIPredicate noSign>
Value compare(Scalars &s, ValueRange args) {
  if (isFloat(s.element))
    return s.make<arith::CmpFOp>(real, args[0], args[1]);
  return s.make<arith::CmpIOp>(isUnsigned(s.element) ? noSign : sign, args[0], args[1]);
}
static Value isEqualBody(Scalars &s, ValueRange args) {
  if (!isa<StringType>(s.element))
    return compare<arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq, arith::CmpIPredicate::eq>(s, args);
  Type i64 = s.b.getI64Type();
  Value equal = ServiceOp::create(s.b, s.loc, TypeRange(i64), "string_equal", args).getResult();
  return s.make<arith::CmpIOp>(arith::CmpIPredicate::ne, equal, s.constant(0, i64));
}
static constexpr auto isLessBody =
    compare<arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, arith::CmpIPredicate::ult>;
static constexpr auto isGreaterBody =
    compare<arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt, arith::CmpIPredicate::ugt>;
static constexpr auto isLessOrEqualBody =
    compare<arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle, arith::CmpIPredicate::ule>;
static constexpr auto isGreaterOrEqualBody =
    compare<arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge, arith::CmpIPredicate::uge>;

static Value isNaN(Scalars &s, ValueRange args) {
  return s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, args[0], args[0]);
}

static Value isInfinite(IsInfOp op, Scalars &s, Value x) {
  Value infinity = s.constant(std::numeric_limits<double>::infinity());
  if (!op.getDetectNegative() && !op.getDetectPositive())
    return s.constant(0, s.b.getI1Type());
  if (op.getDetectNegative() && op.getDetectPositive())
    x = s.make<math::AbsFOp>(x);
  else if (op.getDetectNegative())
    x = s.make<arith::NegFOp>(x);
  return s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, x, infinity);
}

static Value where(Scalars &s, ValueRange args) { return s.make<arith::SelectOp>(args[0], args[1], args[2]); }

//===-- Bodies: activations --------------------------------------------------------===//

static Value times(Scalars &s, Value x, double factor) { return s.make<arith::MulFOp>(x, s.constant(factor)); }
static Value plus(Scalars &s, Value x, double term) { return s.make<arith::AddFOp>(x, s.constant(term)); }
static Value isAbove(Scalars &s, Value x, double bound) {
  return s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, x, s.constant(bound));
}
static Value isBelow(Scalars &s, Value x, double bound) {
  return s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, x, s.constant(bound));
}
static Value choose(Scalars &s, Value condition, Value yes, Value no) {
  return s.make<arith::SelectOp>(condition, yes, no);
}
static double number(const APFloat &value) { return value.convertToFloat(); }

static Value relu(Scalars &s, ValueRange args) { return larger(s, {args[0], s.constant(0)}); }

Value sigmoid(Scalars &s, ValueRange args) {
  Value exp = s.make<math::ExpOp>(s.make<arith::NegFOp>(args[0]));
  return s.make<arith::DivFOp>(s.constant(1), plus(s, exp, 1));
}

/// log(1 + exp(x)) without overflow: max(x, 0) + log(1 + exp(-|x|)).
static Value softplus(Scalars &s, ValueRange args) {
  Value decay = s.make<math::ExpOp>(s.make<arith::NegFOp>(s.make<math::AbsFOp>(args[0])));
  return s.make<arith::AddFOp>(relu(s, args), s.make<math::Log1pOp>(decay));
}

static Value softsign(Scalars &s, ValueRange args) {
  return s.make<arith::DivFOp>(args[0], plus(s, s.make<math::AbsFOp>(args[0]), 1));
}

static Value mish(Scalars &s, ValueRange args) {
  return s.make<arith::MulFOp>(args[0], s.make<math::TanhOp>(softplus(s, args)));
}

/// max(0, min(1, alpha * x + beta))
static Value ramp(Scalars &s, Value x, double alpha, double beta) {
  Value line = plus(s, times(s, x, alpha), beta);
  return s.make<arith::MaximumFOp>(s.make<arith::MinimumFOp>(line, s.constant(1)), s.constant(0));
}
static Value hardSigmoid(HardSigmoidOp op, Scalars &s, Value x) {
  return ramp(s, x, number(op.getAlpha()), number(op.getBeta()));
}
static Value hardSwish(Scalars &s, ValueRange args) {
  return s.make<arith::MulFOp>(args[0], ramp(s, args[0], 1.0 / 6, 0.5));
}

static Value swish(SwishOp op, Scalars &s, Value x) {
  return s.make<arith::MulFOp>(x, sigmoid(s, times(s, x, number(op.getAlpha()))));
}

static Value leakyRelu(LeakyReluOp op, Scalars &s, Value x) {
  return choose(s, isBelow(s, x, 0), times(s, x, number(op.getAlpha())), x);
}

static Value thresholdedRelu(ThresholdedReluOp op, Scalars &s, Value x) {
  return choose(s, isAbove(s, x, number(op.getAlpha())), x, s.constant(0));
}

static Value elu(EluOp op, Scalars &s, Value x) {
  return choose(s, isBelow(s, x, 0), times(s, s.make<math::ExpM1Op>(x), number(op.getAlpha())), x);
}

static Value selu(SeluOp op, Scalars &s, Value x) {
  Value negative = times(s, s.make<math::ExpM1Op>(x), number(op.getAlpha()));
  return times(s, choose(s, isAbove(s, x, 0), x, negative), number(op.getGamma()));
}

/// max(0, x) + min(0, alpha * (exp(x / alpha) - 1))
static Value celu(CeluOp op, Scalars &s, Value x) {
  Value alpha = s.constant(number(op.getAlpha()));
  Value grown = s.make<arith::MulFOp>(alpha, s.make<math::ExpM1Op>(s.make<arith::DivFOp>(x, alpha)));
  return s.make<arith::AddFOp>(s.make<arith::MaximumFOp>(x, s.constant(0)),
                               s.make<arith::MinimumFOp>(grown, s.constant(0)));
}

/// 0.5 * x * (1 + erf(x / sqrt(2))), or with tanh(sqrt(2/pi) * (x + 0.044715 * x^3)) in place of erf.
static Value gelu(GeluOp op, Scalars &s, Value x) {
  Value bend;
  if (op.getApproximate() == "tanh") {
    Value cube = s.make<arith::MulFOp>(s.make<arith::MulFOp>(x, x), x);
    Value inner = s.make<arith::AddFOp>(x, times(s, cube, 0.044715));
    bend = s.make<math::TanhOp>(times(s, inner, 0.7978845608028654));
  } else {
    bend = s.make<math::ErfOp>(times(s, x, 0.7071067811865476));
  }
  return s.make<arith::MulFOp>(times(s, x, 0.5), plus(s, bend, 1));
}

/// Moves numbers outside of [-lambd, lambd] by the bias towards (or from) zero; those inside become 0.
static Value shrink(ShrinkOp op, Scalars &s, Value x) {
  double lambda = number(op.getLambd()), bias = number(op.getBias());
  // Integers as well are compared and moved as reals.
  Type element = s.element, real = isFloat(element) ? element : Type(s.b.getF64Type());
  Scalars reals{s.b, s.loc, real};
  Value value = castScalar(s, x, element, real);
  Value above = choose(reals, isAbove(reals, value, lambda), plus(reals, value, -bias), reals.constant(0));
  return castScalar(s, choose(reals, isBelow(reals, value, -lambda), plus(reals, value, bias), above), real, element);
}

//===-- Operators with operands of their own kind ------------------------------------===//

/// An operand of one element, as a tensor of rank 0, whatever its rank.
static FailureOr<Value> scalarOperand(Lowering &l, Value operand, StringRef name) {
  for (auto [axis, extent] : llvm::enumerate(l.known.extents(operand))) {
    if (ExtentMath::isConstant(extent, 1))
      continue;
    if (std::optional<int64_t> fixed = ExtentMath::asConstant(extent))
      return l.op->emitOpError("expects ") << name << " with one element, got " << operand.getType();
    Value actual = l.index(l.materialize(extent));
    Value isOne = arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::eq, actual, l.index(1));
    l.check(isOne, "expects " + name + " with one element, got extent %0 on axis " + Twine(axis), actual);
  }
  return l.reshape(l(operand), {});
}

static FailureOr<Value> lowerClip(ClipOp op, Lowering &l) {
  SmallVector<Value> operands = {l.broadcastable(op.getInput(), l.known.extents(op.getOutput()))};
  Type element = Lowering::element(op.getInput());
  for (auto [bound, name] : {std::pair(op.getMin(), "min"), std::pair(op.getMax(), "max")}) {
    if (!bound)
      continue;
    FailureOr<Value> scalar = scalarOperand(l, bound, name);
    if (failed(scalar))
      return failure();
    operands.push_back(*scalar);
  }
  SmallVector<Type> elements(operands.size(), element);
  return l.elementwise(l.extents(op.getOutput()), element, operands, elements, [&](Scalars &s, ValueRange args) {
    Value result = args[0];
    if (op.getMin())
      result = larger(s, {result, args[1]});
    if (op.getMax())
      result = smaller(s, {result, args.back()});
    return result;
  });
}

/// The slope is broadcast to X, and not the other way.
static FailureOr<Extents> shapeOfPRelu(PReluOp op, Known &known) {
  Extents result(known.extents(op.getX()));
  ArrayRef<Extent> slope = known.extents(op.getSlope());
  bool fits = slope.size() <= result.size();
  for (size_t i = 1; fits && i <= slope.size(); ++i) {
    std::optional<int64_t> own = ExtentMath::asConstant(slope[slope.size() - i]),
                           common = ExtentMath::asConstant(result[result.size() - i]);
    fits = !own || *own == 1 || !common || *own == *common;
  }
  if (!fits)
    return op.emitOpError("expects a slope that broadcasts to X, got ") << op->getOperandTypes();
  return result;
}

static Value prelu(Scalars &s, ValueRange args) {
  Value isNegative = isLessBody(s, {args[0], s.constant(0)});
  return s.make<arith::SelectOp>(isNegative, multiply(s, args), args[0]);
}

//===-- Table ------------------------------------------------------------------===//

template <typename Op> static SmallVector<OpOperand *> everyOperand(Op op) {
  return llvm::map_to_vector(op->getOpOperands(), [](OpOperand &operand) { return &operand; });
}

void addElementwiseRules(Rules &rules) {
  // Numbers
  elementwise<AddOp>(rules, add, addExtents);
  elementwise<SubOp>(rules, subtract, subtractExtents);
  elementwise<MulOp>(rules, multiply, multiplyExtents);
  elementwise<DivOp>(rules, divide, divideExtents);
  elementwise<SumOp>(rules, folded<add>);
  elementwise<MeanOp>(rules, mean);
  elementwise<MaxOp>(rules, folded<larger>, folded<&ExtentMath::max>).movesByOrder(everyOperand<MaxOp>);
  elementwise<MinOp>(rules, folded<smaller>, folded<&ExtentMath::min>).movesByOrder(everyOperand<MinOp>);
  elementwise<NegOp>(rules, negate, negateExtent);
  elementwise<AbsOp>(rules, absolute, magnitude);
  elementwise<SignOp>(rules, sign);
  elementwise<ReciprocalOp>(rules, reciprocal);
  rules.op<ModOp>()
      .shape([](ModOp op, Known &known) { return broadcastExtents(op, known); })
      .lower([](ModOp op, Lowering &l) -> FailureOr<Value> {
        return l.elementwise(op.getC(), op->getOperands(),
                             [&](Scalars &s, ValueRange args) { return modulo(op, s, args); });
      });
  rules.op<PowOp>().shape([](PowOp op, Known &known) { return broadcastExtents(op, known); }).lower(lowerPow);

  // Functions
  elementwise<SqrtOp>(rules, scalar<math::SqrtOp>);
  elementwise<ExpOp>(rules, scalar<math::ExpOp>);
  elementwise<LogOp>(rules, scalar<math::LogOp>);
  elementwise<ErfOp>(rules, scalar<math::ErfOp>);
  elementwise<CeilOp>(rules, scalar<math::CeilOp>);
  elementwise<FloorOp>(rules, scalar<math::FloorOp>);
  elementwise<RoundOp>(rules, scalar<math::RoundEvenOp>);
  elementwise<SinOp>(rules, scalar<math::SinOp>);
  elementwise<CosOp>(rules, scalar<math::CosOp>);
  elementwise<TanOp>(rules, scalar<math::TanOp>);
  elementwise<AsinOp>(rules, scalar<math::AsinOp>);
  elementwise<AcosOp>(rules, scalar<math::AcosOp>);
  elementwise<AtanOp>(rules, scalar<math::AtanOp>);
  elementwise<SinhOp>(rules, scalar<math::SinhOp>);
  elementwise<CoshOp>(rules, scalar<math::CoshOp>);
  elementwise<TanhOp>(rules, scalar<math::TanhOp>);
  elementwise<AsinhOp>(rules, scalar<math::AsinhOp>);
  elementwise<AcoshOp>(rules, scalar<math::AcoshOp>);
  elementwise<AtanhOp>(rules, scalar<math::AtanhOp>);

  // Activations
  elementwise<ReluOp>(rules, relu);
  elementwise<SigmoidOp>(rules, sigmoid);
  elementwise<SoftplusOp>(rules, softplus);
  elementwise<SoftsignOp>(rules, softsign);
  elementwise<MishOp>(rules, mish);
  elementwise<HardSwishOp>(rules, hardSwish);
  parametrized<HardSigmoidOp>(rules, hardSigmoid);
  parametrized<SwishOp>(rules, swish);
  parametrized<LeakyReluOp>(rules, leakyRelu);
  parametrized<ThresholdedReluOp>(rules, thresholdedRelu);
  parametrized<EluOp>(rules, elu);
  parametrized<SeluOp>(rules, selu);
  parametrized<CeluOp>(rules, celu);
  parametrized<GeluOp>(rules, gelu);
  parametrized<ShrinkOp>(rules, shrink);
  rules.op<PReluOp>().shape(shapeOfPRelu).lower([](PReluOp op, Lowering &l) { return lowerElementwise(op, l, prelu); });
  rules.op<ClipOp>().shape([](ClipOp op, Known &known) { return shapeOfFirst(op, known); }).lower(lowerClip);

  // Bits, truth, choices
  elementwise<AndOp>(rules, scalar<arith::AndIOp>, andExtents);
  elementwise<OrOp>(rules, scalar<arith::OrIOp>, orExtents);
  elementwise<XorOp>(rules, scalar<arith::XOrIOp>);
  elementwise<NotOp>(rules, complement, notExtent);
  elementwise<BitwiseAndOp>(rules, scalar<arith::AndIOp>);
  elementwise<BitwiseOrOp>(rules, scalar<arith::OrIOp>);
  elementwise<BitwiseXorOp>(rules, scalar<arith::XOrIOp>);
  elementwise<BitwiseNotOp>(rules, complement);
  rules.op<BitShiftOp>()
      .shape([](BitShiftOp op, Known &known) { return broadcastExtents(op, known); })
      .lower([](BitShiftOp op, Lowering &l) -> FailureOr<Value> {
        return l.elementwise(op.getZ(), op->getOperands(),
                             [&](Scalars &s, ValueRange args) { return shift(op, s, args); });
      });
  elementwise<EqualOp>(rules, isEqualBody, equalExtents);
  elementwise<LessOp>(rules, isLessBody, lessExtents);
  elementwise<GreaterOp>(rules, isGreaterBody, greaterExtents);
  elementwise<LessOrEqualOp>(rules, isLessOrEqualBody, lessOrEqualExtents);
  elementwise<GreaterOrEqualOp>(rules, isGreaterOrEqualBody, greaterOrEqualExtents);
  elementwise<IsNaNOp>(rules, isNaN);
  parametrized<IsInfOp>(rules, isInfinite);
  elementwise<WhereOp>(rules, where, whereExtents).moves([](WhereOp op) {
    return SmallVector<OpOperand *>{&op.getXMutable(), &op.getYMutable()};
  });
}

} // namespace mlc::onnx
