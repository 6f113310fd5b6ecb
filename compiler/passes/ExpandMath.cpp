// Writes elementary functions of f32 as arithmetic: they vectorize, give the same results on every machine, and need no
// libm.
//
//   %y = math.exp %x : vector<16xf32>   =>   arith and math.fma
//
// Errors, against double precision over all of f32, are below 4 units in the last place; infinities, NaN, denormals and
// large arguments give what C says. f16 and bf16 are computed as f32. f64 is left to libm. Nothing here branches: where
// a function has cases, all are computed and one is selected.
//
// Sources of polynomials: Cephes (S. Moshier, netlib.org/cephes, single precision: expf, logf, sinf, asinf, atanf); erf
// is N. Juffa's (stackoverflow.com/a/35148199, erff with fused multiply-add). What is reduced in double precision says
// so where it stands.
#include "passes/ExpandMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "passes/Passes.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_EXPANDMATH
#include "passes/Passes.h.inc"

namespace {

/// Arithmetic on scalars or vectors, short enough to write formulas in. Functions of f32 unless they say otherwise.
class Formula {
public:
  Formula(OpBuilder &builder, Location loc, Type type, bool scales)
      : b(loc, builder), shape(dyn_cast<VectorType>(type)), scales(scales && (!shape || shape.getRank() == 1)) {}

  Type like(Type element) { return shape ? Type(shape.clone(element)) : element; }
  Type f32() { return like(b.getF32Type()); }
  Type f64() { return like(b.getF64Type()); }
  Type i32() { return like(b.getI32Type()); }
  Type i64() { return like(b.getI64Type()); }

  Value constant(Type type, TypedAttr scalar) {
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, Attribute(scalar)));
    return arith::ConstantOp::create(b, scalar);
  }
  Value f(float value) { return constant(f32(), b.getF32FloatAttr(value)); }
  Value d(double value) { return constant(f64(), b.getF64FloatAttr(value)); }
  Value i(int32_t value) { return constant(i32(), b.getI32IntegerAttr(value)); }
  Value l(int64_t value) { return constant(i64(), b.getI64IntegerAttr(value)); }

  Value add(Value x, Value y) {
    return isFloat(x) ? Value(arith::AddFOp::create(b, x, y)) : Value(arith::AddIOp::create(b, x, y));
  }
  Value sub(Value x, Value y) {
    return isFloat(x) ? Value(arith::SubFOp::create(b, x, y)) : Value(arith::SubIOp::create(b, x, y));
  }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, x, y, z); }
  Value neg(Value x) { return arith::NegFOp::create(b, x); }
  Value abs(Value x) { return math::AbsFOp::create(b, x); }
  Value sqrt(Value x) { return math::SqrtOp::create(b, x); }
  Value copySign(Value x, Value sign) { return math::CopySignOp::create(b, x, sign); }
  Value nearest(Value x) { return math::RoundEvenOp::create(b, x); }
  Value bitAnd(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value shiftLeft(Value x, Value y) { return arith::ShLIOp::create(b, x, y); }
  Value shiftRight(Value x, Value y) { return arith::ShRSIOp::create(b, x, y); }
  Value bits(Value x) { return arith::BitcastOp::create(b, like(isDouble(x) ? b.getI64Type() : b.getI32Type()), x); }
  Value fromBits(Value x) {
    return arith::BitcastOp::create(b, getElementTypeOrSelf(x.getType()).isInteger(64) ? f64() : f32(), x);
  }
  Value toDouble(Value x) { return arith::ExtFOp::create(b, f64(), x); }
  Value toSingle(Value x) { return arith::TruncFOp::create(b, f32(), x); }
  Value narrow(Value x) { return arith::TruncIOp::create(b, i32(), x); }
  Value toFloat(Value x) { return arith::SIToFPOp::create(b, f32(), x); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) { return arith::CmpFOp::create(b, predicate, x, y); }
  /// False if either is NaN.
  Value less(Value x, Value y) { return compare(arith::CmpFPredicate::OLT, x, y); }
  Value greater(Value x, Value y) { return compare(arith::CmpFPredicate::OGT, x, y); }
  Value equal(Value x, Value y) {
    return isFloat(x) ? compare(arith::CmpFPredicate::OEQ, x, y)
                      : Value(arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, y));
  }
  Value both(Value p, Value q) { return arith::AndIOp::create(b, p, q); }
  Value either(Value p, Value q) { return arith::OrIOp::create(b, p, q); }
  /// NaN stays NaN.
  Value atMost(Value x, float limit) { return select(greater(x, f(limit)), f(limit), x); }
  Value atLeast(Value x, float limit) { return select(less(x, f(limit)), f(limit), x); }
  /// c[0] x^n + c[1] x^(n-1) + ... + c[n]
  Value polynomial(Value x, ArrayRef<float> c) {
    Value result = f(c.front());
    for (float next : c.drop_front())
      result = fma(result, x, f(next));
    return result;
  }
  Value polynomialOfDouble(Value x, ArrayRef<double> c) {
    Value result = d(c.front());
    for (double next : c.drop_front())
      result = fma(result, x, d(next));
    return result;
  }

  /// 2^n for -126 <= n <= 127, without conversions.
  Value powerOfTwo(Value n) { return fromBits(shiftLeft(add(n, i(127)), i(23))); }
  /// x 2^n for -252 <= n <= 254. Where the machine has no instruction for it the power of two is applied in two halves, as
  /// neither the largest results nor the denormal ones fit into one.
  Value scaled(Value x, Value n) {
    if (scales)
      return LLVM::CallIntrinsicOp::create(b, x.getType(), b.getStringAttr("llvm.ldexp"), ValueRange{x, n})
          .getResults();
    Value half = shiftRight(n, i(1));
    return mul(mul(x, powerOfTwo(half)), powerOfTwo(sub(n, half)));
  }

private:
  static bool isFloat(Value x) { return isa<FloatType>(getElementTypeOrSelf(x.getType())); }
  static bool isDouble(Value x) { return getElementTypeOrSelf(x.getType()).isF64(); }

  ImplicitLocOpBuilder b;
  VectorType shape;
  bool scales;
};

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float ln2High = 0.693359375f,
                ln2Low = -2.12194440e-4f; // Cephes: the first has few bits, so that n * ln2High is exact
constexpr float log2e = 1.44269504f;

//===-- Exponentials -------------------------------------------------------------===//

/// (e^r - 1 - r) / r^2, for |r| <= ln 2 / 2
Value tailOfExponential(Formula &m, Value r) {
  return m.polynomial(
      r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f});
}

/// e^r
Value exponentialOfReduced(Formula &m, Value r) { return m.fma(m.fma(tailOfExponential(m, r), r, m.f(1)), r, m.f(1)); }

/// x = n ln 2 + r, |r| <= ln 2 / 2
struct Reduced {
  Value n, r; ///< n as i32
};

/// For |x| < 2^21. The sum with 1.5 * 2^23 rounds to an integer, which then stands in the low bits: no conversion that
/// NaN could upset.
Reduced reduceExponent(Formula &m, Value x) {
  Value magic = m.f(12582912.0f);
  Value shifted = m.fma(x, m.f(log2e), magic);
  Value n = m.sub(shifted, magic);
  Value r = m.fma(n, m.f(-ln2Low), m.fma(n, m.f(-ln2High), x));
  return {m.sub(m.bits(shifted), m.bits(magic)), r};
}

/// 2^more e^x
Value expScaled(Formula &m, Value x, int more) {
  auto [n, r] = reduceExponent(m, m.atLeast(m.atMost(x, 89.5f), -104.5f));
  return m.scaled(exponentialOfReduced(m, r), more ? m.add(n, m.i(more)) : n);
}

Value exp(Formula &m, Value x) { return expScaled(m, x, 0); }

Value exp2(Formula &m, Value x) {
  x = m.atLeast(m.atMost(x, 129.0f), -151.0f);
  Value whole = m.nearest(x);
  Value magic = m.f(12582912.0f);
  Value n = m.sub(m.bits(m.add(whole, magic)), m.bits(magic));
  return m.scaled(exponentialOfReduced(m, m.mul(m.sub(x, whole), m.f(0.693147181f))), n);
}

/// 2^n (e^r - 1) + (2^n - 1), at half the scale: 2^128 is no number.
Value expm1(Formula &m, Value x) {
  Value limited = m.atLeast(m.atMost(x, 89.0f), -20.0f);
  auto [n, r] = reduceExponent(m, limited);
  Value less = m.fma(m.mul(r, r), tailOfExponential(m, r), r); // e^r - 1
  Value scale = m.powerOfTwo(m.sub(n, m.i(1)));
  Value half = m.fma(scale, less, m.sub(scale, m.f(0.5f)));
  // A denormal would be lost in the scaling.
  return m.select(m.less(m.abs(x), m.f(1e-30f)), x, m.add(half, half));
}

Value tanh(Formula &m, Value x) {
  Value magnitude = m.atMost(m.abs(x), 10.0f);
  Value e = expm1(m, m.add(magnitude, magnitude));
  return m.copySign(m.div(e, m.add(e, m.f(2))), x);
}

Value sinh(Formula &m, Value x) {
  Value magnitude = m.abs(x);
  Value e = expm1(m, m.atMost(magnitude, 2.0f));
  Value small = m.mul(m.add(e, m.div(e, m.add(e, m.f(1)))), m.f(0.5f));
  Value half = expScaled(m, magnitude, -1);
  Value large = m.sub(half, m.div(m.f(0.25f), half));
  return m.copySign(m.select(m.less(magnitude, m.f(1)), small, large), x);
}

Value cosh(Formula &m, Value x) {
  Value half = expScaled(m, m.abs(x), -1);
  return m.add(half, m.div(m.f(0.25f), half));
}

//===-- Logarithms ---------------------------------------------------------------===//

/// x = 2^exponent (1 + fraction), and log(1 + fraction) as fraction + correction.
struct Split {
  Value exponent, fraction, correction;
};

Split splitLogarithm(Formula &m, Value x) {
  Value isSmall = m.less(x, m.f(1.17549435e-38f));
  Value scaled = m.select(isSmall, m.mul(x, m.f(8388608.0f)), x);
  // The mantissa lies between sqrt(1/2) and sqrt(2).
  Value offset = m.sub(m.bits(scaled), m.i(0x3f3504f3));
  Value exponent = m.add(m.shiftRight(offset, m.i(23)), m.select(isSmall, m.i(-23), m.i(0)));
  Value mantissa = m.fromBits(m.add(m.bitAnd(offset, m.i(0x007fffff)), m.i(0x3f3504f3)));
  Value r = m.sub(mantissa, m.f(1)), square = m.mul(r, r);
  Value tail =
      m.polynomial(r, {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                       -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f});
  return {m.toFloat(exponent), r, m.fma(m.mul(square, r), tail, m.mul(square, m.f(-0.5f)))};
}

/// What a logarithm is where there is no finite one.
Value logarithmLimits(Formula &m, Value x, Value result) {
  result = m.select(m.equal(x, m.f(infinity)), x, result);
  result = m.select(m.equal(x, m.f(0)), m.f(-infinity), result);
  return m.select(m.compare(arith::CmpFPredicate::ULT, x, m.f(0)), m.f(NAN), result);
}

Value log(Formula &m, Value x) {
  Split split = splitLogarithm(m, x);
  Value low = m.fma(split.exponent, m.f(ln2Low), split.correction);
  return logarithmLimits(m, x, m.fma(split.exponent, m.f(ln2High), m.add(split.fraction, low)));
}

/// log(1 + fraction) * factor + exponent * scale
Value logOfBase(Formula &m, Value x, float factorHigh, float factorLow, float scaleHigh, float scaleLow) {
  Split split = splitLogarithm(m, x);
  Value low = m.mul(split.correction, m.f(factorHigh));
  low = m.fma(split.fraction, m.f(factorLow), low);
  low = m.fma(split.exponent, m.f(scaleLow), low);
  low = m.fma(split.fraction, m.f(factorHigh), low);
  return logarithmLimits(m, x, m.fma(split.exponent, m.f(scaleHigh), low));
}
Value log2(Formula &m, Value x) { return logOfBase(m, x, 1.44269502f, 1.92596303e-8f, 1, 0); }
Value log10(Formula &m, Value x) { return logOfBase(m, x, 0.434294492f, -1.01e-8f, 0.301025391f, 4.6050390e-6f); }

/// log(u) with u = 1 + x rounded, plus what the rounding lost (W. Kahan).
Value log1p(Formula &m, Value x) {
  Value u = m.add(x, m.f(1));
  // Twice the logarithm would be lost at infinity and -1: there the sum is exact enough.
  Value correction = m.div(m.sub(x, m.sub(u, m.f(1))), u);
  Value isExact = m.either(m.equal(x, m.f(infinity)), m.equal(u, m.f(0)));
  Value result = m.add(log(m, u), m.select(isExact, m.f(0), correction));
  return m.select(m.less(m.abs(x), m.f(1e-8f)), x, result);
}

Value asinh(Formula &m, Value x) {
  Value a = m.abs(x), square = m.mul(a, a);
  Value small = log1p(m, m.add(a, m.div(square, m.add(m.sqrt(m.add(square, m.f(1))), m.f(1)))));
  Value large = m.add(log(m, a), m.f(0.693147181f));
  return m.copySign(m.select(m.greater(a, m.f(1e9f)), large, small), x);
}

Value acosh(Formula &m, Value x) {
  Value t = m.sub(x, m.f(1));
  Value small = log1p(m, m.add(t, m.sqrt(m.fma(t, t, m.add(t, t)))));
  Value large = m.add(log(m, x), m.f(0.693147181f));
  Value result = m.select(m.greater(x, m.f(1e9f)), large, small);
  return m.select(m.less(x, m.f(1)), m.f(NAN), result);
}

Value atanh(Formula &m, Value x) {
  Value a = m.abs(x);
  Value result = m.mul(log1p(m, m.div(m.add(a, a), m.sub(m.f(1), a))), m.f(0.5f));
  result = m.select(m.less(a, m.f(1e-5f)), a, result);
  return m.copySign(result, x);
}

//===-- The error function -------------------------------------------------------===//

Value erf(Formula &m, Value x) {
  Value t = m.atMost(m.abs(x), 10.0f), s = m.mul(t, t);
  Value r = m.fma(m.f(-1.72853470e-5f), t, m.f(3.83197126e-4f));
  Value u = m.fma(m.f(-3.88396438e-3f), t, m.f(2.42546219e-2f));
  r = m.fma(r, s, u);
  r = m.fma(r, t, m.f(-1.06777877e-1f));
  r = m.fma(r, t, m.f(-6.34846687e-1f));
  r = m.fma(r, t, m.f(-1.28717512e-1f));
  r = m.fma(r, t, m.neg(t));
  Value large = m.copySign(m.sub(m.f(1), exp(m, r)), x);
  Value p = m.polynomial(
      s, {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f});
  return m.select(m.greater(t, m.f(0.927734375f)), large, m.fma(p, x, x));
}

//===-- Trigonometry -------------------------------------------------------------===//

/// The quarter turn that an angle is in, and the angle from its middle, |r| <= pi/4.
struct Quadrant {
  Value number, angle;
};

/// Exact for all of f32: 2/pi in pieces of 28 bits makes products with x's 24 bits that double precision holds exactly;
/// of each only what is left of whole turns counts.
Quadrant reduceAngle(Formula &m, Value x) {
  // 2/pi = 0.A2F9836E 4E441529 FC2757D1 F534DDC0 DB629599 3C439041 FE5163AB... in base 16.
  static constexpr struct {
    uint32_t bits;
    int exponent;
  } pieces[] = {{0xA2F9836, -28},  {0xE4E4415, -56},  {0x29FC275, -84}, {0x7D1F534, -112},
                {0xDDC0DB6, -140}, {0x295993C, -168}, {0x439041F, -196}};
  Value wide = m.toDouble(x), turns;
  for (auto [bits, exponent] : pieces) {
    Value product = m.mul(wide, m.d(std::ldexp((double)bits, exponent)));
    Value rest = m.fma(m.nearest(m.mul(product, m.d(0.25))), m.d(-4), product);
    turns = turns ? m.add(turns, rest) : rest;
  }
  Value magic = m.d(6755399441055744.0); // 1.5 * 2^52
  Value shifted = m.add(turns, magic);
  Value angle = m.mul(m.sub(turns, m.sub(shifted, magic)), m.d(1.57079632679489661923));
  return {m.narrow(m.bits(shifted)), m.toSingle(angle)};
}

Value sineNearZero(Formula &m, Value r) {
  Value square = m.mul(r, r);
  Value p = m.polynomial(square, {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f});
  return m.fma(m.mul(square, r), p, r);
}

Value cosineNearZero(Formula &m, Value r) {
  Value square = m.mul(r, r);
  Value p = m.polynomial(square, {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f});
  return m.fma(m.mul(square, square), p, m.fma(square, m.f(-0.5f), m.f(1)));
}

/// sin(x + shift quarter turns)
Value sine(Formula &m, Value x, int shift) {
  Quadrant quadrant = reduceAngle(m, x);
  Value number = shift ? m.add(quadrant.number, m.i(shift)) : quadrant.number;
  Value isOdd = m.equal(m.bitAnd(number, m.i(1)), m.i(1));
  Value result = m.select(isOdd, cosineNearZero(m, quadrant.angle), sineNearZero(m, quadrant.angle));
  Value isNegative = m.equal(m.bitAnd(number, m.i(2)), m.i(2));
  return m.select(isNegative, m.neg(result), result);
}

Value sin(Formula &m, Value x) {
  // Near zero it is x itself, down to its sign; products with denormals would lose bits.
  return m.select(m.less(m.abs(x), m.f(1e-4f)), x, sine(m, x, 0));
}
Value cos(Formula &m, Value x) { return sine(m, x, 1); }

Value tan(Formula &m, Value x) {
  Quadrant quadrant = reduceAngle(m, x);
  Value s = sineNearZero(m, quadrant.angle), c = cosineNearZero(m, quadrant.angle);
  Value isOdd = m.equal(m.bitAnd(quadrant.number, m.i(1)), m.i(1));
  Value result = m.div(m.select(isOdd, m.neg(c), s), m.select(isOdd, s, c));
  return m.select(m.less(m.abs(x), m.f(1e-4f)), x, result);
}

/// asin of 0 <= t <= 1/2, whose square is given.
Value arcsineNearZero(Formula &m, Value t, Value square) {
  Value p =
      m.polynomial(square, {4.2163199048e-2f, 2.4181311049e-2f, 4.5470025998e-2f, 7.4953002686e-2f, 1.6666752422e-1f});
  return m.fma(m.mul(t, square), p, t);
}

Value asin(Formula &m, Value x) {
  Value a = m.abs(x), isLarge = m.greater(a, m.f(0.5f));
  Value z = m.fma(a, m.f(-0.5f), m.f(0.5f));
  Value square = m.select(isLarge, z, m.mul(a, a));
  Value r = arcsineNearZero(m, m.select(isLarge, m.sqrt(z), a), square);
  return m.copySign(m.select(isLarge, m.fma(r, m.f(-2), m.f(1.57079633f)), r), x);
}

Value acos(Formula &m, Value x) {
  Value a = m.abs(x), isLarge = m.greater(a, m.f(0.5f));
  Value z = m.fma(a, m.f(-0.5f), m.f(0.5f));
  Value square = m.select(isLarge, z, m.mul(a, a));
  Value r = arcsineNearZero(m, m.select(isLarge, m.sqrt(z), a), square);
  Value twice = m.add(r, r);
  Value large = m.select(m.less(x, m.f(0)), m.sub(m.f(3.14159265f), twice), twice);
  // pi/2 in two parts: the result is near it.
  Value small = m.sub(m.f(1.57079637f), m.add(m.copySign(r, x), m.f(4.37113883e-8f)));
  return m.select(isLarge, large, small);
}

Value atan(Formula &m, Value x) {
  Value a = m.abs(x);
  Value isLarge = m.greater(a, m.f(2.414213562f)), isMiddle = m.greater(a, m.f(0.4142135624f));
  Value numerator = m.select(isLarge, m.f(-1), m.select(isMiddle, m.sub(a, m.f(1)), a));
  Value denominator = m.select(isLarge, a, m.select(isMiddle, m.add(a, m.f(1)), m.f(1)));
  Value start = m.select(isLarge, m.f(1.57079633f), m.select(isMiddle, m.f(0.785398163f), m.f(0)));
  Value t = m.div(numerator, denominator), square = m.mul(t, t);
  Value p = m.polynomial(square, {8.05374449538e-2f, -1.38776856032e-1f, 1.99777106478e-1f, -3.33329491539e-1f});
  return m.copySign(m.add(start, m.fma(m.mul(square, t), p, t)), x);
}

//===-- Powers -------------------------------------------------------------------===//

/// |x|^y = 2^(y log2 |x|), in double precision: an error in the logarithm is multiplied by up to 150.
Value powerOfMagnitude(Formula &m, Value magnitude, Value y) {
  // log2: 2 atanh((u - 1) / (u + 1)) / ln 2, the mantissa u between sqrt(1/2) and sqrt(2).
  Value wide = m.toDouble(magnitude);
  Value offset = m.sub(m.bits(wide), m.l(0x3fe6a09e667f3bcd));
  Value exponent = m.toDouble(m.toFloat(m.narrow(m.shiftRight(offset, m.l(52)))));
  Value u = m.fromBits(m.add(m.bitAnd(offset, m.l(0x000fffffffffffff)), m.l(0x3fe6a09e667f3bcd)));
  Value t = m.div(m.sub(u, m.d(1)), m.add(u, m.d(1))), square = m.mul(t, t);
  // 2 / ln 2 * (1 + t^2/3 + t^4/5 + ...), |t| < 0.172: the next term is below 2^-45.
  SmallVector<double> series;
  for (int k = 15; k >= 1; k -= 2)
    series.push_back(2.885390081777926815 / k);
  Value logarithm = m.fma(t, m.polynomialOfDouble(square, series), exponent);
  Value product = m.mul(m.toDouble(y), logarithm);
  product = m.select(m.greater(product, m.d(200)), m.d(200), product);
  product = m.select(m.less(product, m.d(-200)), m.d(-200), product);
  Value magic = m.d(6755399441055744.0);
  Value shifted = m.add(product, magic);
  Value r = m.mul(m.sub(product, m.sub(shifted, magic)), m.d(0.693147180559945309));
  Value exponential = m.polynomialOfDouble(r, {1. / 40320, 1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 0.5, 1, 1});
  Value scale = m.fromBits(m.shiftLeft(m.add(m.sub(m.bits(shifted), m.bits(magic)), m.l(1023)), m.l(52)));
  return m.toSingle(m.mul(exponential, scale));
}

Value pow(Formula &m, Value x, Value y) {
  Value magnitude = m.abs(x), one = m.f(1), zero = m.f(0);
  Value result = powerOfMagnitude(m, magnitude, y);
  // Zero and infinity have no logarithm.
  Value isZero = m.equal(magnitude, zero), isInfinite = m.equal(magnitude, m.f(infinity));
  Value yIsNegative = m.less(y, zero);
  Value atZero = m.select(yIsNegative, m.f(infinity), zero), atInfinity = m.select(yIsNegative, zero, m.f(infinity));
  result = m.select(isZero, atZero, m.select(isInfinite, atInfinity, result));
  // Of negative numbers only whole powers, of which the odd are negative. All above 2^24 are even.
  Value isWhole = m.equal(m.nearest(y), y);
  Value halfOfY = m.mul(y, m.f(0.5f));
  Value isOdd = m.both(isWhole, m.compare(arith::CmpFPredicate::ONE, m.nearest(halfOfY), halfOfY));
  Value isSigned = m.less(m.copySign(one, x), zero);
  result = m.select(m.both(isSigned, isOdd), m.neg(result), result);
  Value isUndefined = m.both(m.both(m.less(x, zero), m.compare(arith::CmpFPredicate::UNE, m.nearest(y), y)),
                             m.compare(arith::CmpFPredicate::UNE, magnitude, m.f(infinity)));
  result = m.select(isUndefined, m.f(NAN), result);
  Value isNaN = m.compare(arith::CmpFPredicate::UNO, x, y);
  result = m.select(isNaN, m.f(NAN), result);
  // |x| = 1 and |y| infinite.
  result = m.select(m.both(m.equal(magnitude, one), m.equal(m.abs(y), m.f(infinity))), one, result);
  return m.select(m.either(m.equal(x, one), m.equal(y, zero)), one, result);
}

//===-- The pass -----------------------------------------------------------------===//

using Unary = Value (*)(Formula &, Value);
const llvm::StringMap<Unary> &unaryFunctions() {
  static const llvm::StringMap<Unary> table = {
      {"math.exp", exp},     {"math.exp2", exp2},   {"math.expm1", expm1}, {"math.tanh", tanh},   {"math.sinh", sinh},
      {"math.cosh", cosh},   {"math.log", log},     {"math.log2", log2},   {"math.log10", log10}, {"math.log1p", log1p},
      {"math.asinh", asinh}, {"math.acosh", acosh}, {"math.atanh", atanh}, {"math.erf", erf},     {"math.sin", sin},
      {"math.cos", cos},     {"math.tan", tan},     {"math.asin", asin},   {"math.acos", acos},   {"math.atan", atan}};
  return table;
}

/// x^2, x^3, sqrt(x) and so on; null for other exponents.
Value powerOfConstant(Formula &m, Value x, Value y) {
  APFloat exponent(0.0f);
  if (!matchPattern(y, m_ConstantFloat(&exponent)))
    return nullptr;
  float value = exponent.convertToFloat();
  if (value == 1)
    return x;
  if (value == -1)
    return m.div(m.f(1), x);
  if (value == 2)
    return m.mul(x, x);
  if (value == 3)
    return m.mul(m.mul(x, x), x);
  if (value == 4) {
    Value square = m.mul(x, x);
    return m.mul(square, square);
  }
  return nullptr;
}

} // namespace

bool canExpandMath(Operation *op) {
  if (op->getNumResults() != 1 || (!unaryFunctions().contains(op->getName().getStringRef()) && !isa<math::PowFOp>(op)))
    return false;
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  return element.isF32() || element.isF16() || element.isBF16();
}

namespace {

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (canExpandMath(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      expand(op);
  }

  void expand(Operation *op) {
    Type type = op->getResult(0).getType(), element = getElementTypeOrSelf(type);
    bool isHalf = !element.isF32();
    OpBuilder builder(op);
    Formula m(builder, op->getLoc(), type, scales);
    SmallVector<Value> operands(op->getOperands());
    if (isHalf)
      for (Value &operand : operands)
        operand = arith::ExtFOp::create(builder, op->getLoc(), m.f32(), operand);
    Value result;
    if (!isa<math::PowFOp>(op))
      result = unaryFunctions().at(op->getName().getStringRef())(m, operands[0]);
    else if (!(result = powerOfConstant(m, operands[0], operands[1])))
      result = pow(m, operands[0], operands[1]);
    if (isHalf)
      result = arith::TruncFOp::create(builder, op->getLoc(), type, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }
};

} // namespace
} // namespace mlc
