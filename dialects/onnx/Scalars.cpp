#include "onnx/Scalars.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "onnx/Onnx.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Types ------------------------------------------------------------------===//

static bool isSmallFloat(Type element) {
  auto real = dyn_cast<FloatType>(element);
  return real && real.getWidth() <= 8;
}

Type storageType(Type element) {
  if (isSmallFloat(element))
    return IntegerType::get(element.getContext(), 8);
  if (auto integer = dyn_cast<IntegerType>(element))
    return IntegerType::get(element.getContext(), std::max(integer.getWidth(), 8u));
  if (isa<StringType>(element))
    return mlc::StringType::get(element.getContext());
  return element;
}

Type computeType(Type element) {
  if (element.isInteger(1))
    return element;
  if (auto real = dyn_cast<FloatType>(element); real && real.getWidth() < 32)
    return Float32Type::get(element.getContext());
  return storageType(element);
}

Type loweredType(Type type) {
  if (isa<SequenceType, OptionalType, MapType>(type))
    return mlc::SequenceType::get(type.getContext());
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? Type(tensor.clone(storageType(tensor.getElementType()))) : type;
}

TypedAttr numberAttr(OpBuilder &b, double value, Type type) {
  if (auto real = dyn_cast<FloatType>(type))
    return b.getFloatAttr(real, value);
  if (isa<IndexType>(type))
    return b.getIndexAttr((int64_t)value);
  return b.getIntegerAttr(
      type, APInt(type.getIntOrFloatBitWidth(), (int64_t)value, /*isSigned=*/true, /*implicitTrunc=*/true));
}

Value Scalars::constant(double value, Type type) const {
  return arith::ConstantOp::create(b, loc, numberAttr(b, value, type));
}

//===-- Load and store -----------------------------------------------------------===//

Value loadScalar(OpBuilder &b, Location loc, Value stored, Type element) {
  if (element.isInteger(1)) {
    Value zero = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, stored, zero);
  }
  if (isSmallFloat(element))
    return decodeSmallFloat({b, loc, element}, stored, cast<FloatType>(element));
  Type compute = computeType(element);
  return compute == stored.getType() ? stored : Value(arith::ExtFOp::create(b, loc, compute, stored));
}

Value storeScalar(OpBuilder &b, Location loc, Value computed, Type element, Narrowing narrowing) {
  if (isSmallFloat(element))
    return encodeSmallFloat({b, loc, element}, computed, cast<FloatType>(element), narrowing);
  Type storage = storageType(element);
  if (computed.getType() == storage)
    return computed;
  if (element.isInteger(1))
    return arith::ExtUIOp::create(b, loc, storage, computed);
  return arith::TruncFOp::create(b, loc, storage, computed);
}

//===-- Cast ---------------------------------------------------------------------===//

/// A float as a signed integer of 32 or 64 bits; the least one where it does not fit, as x86 has it.
static Value toSigned(const Scalars &s, Value value, unsigned width) {
  Type target = s.b.getIntegerType(width);
  double limit = width == 32 ? 0x1p31 : 0x1p63;
  Value least = s.constant(-limit, value.getType());
  Value fits = s.make<arith::AndIOp>(
      s.make<arith::CmpFOp>(arith::CmpFPredicate::OGE, value, least),
      s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, value, s.constant(limit, value.getType())));
  return s.make<arith::FPToSIOp>(target, s.make<arith::SelectOp>(fits, value, least));
}

static Value floatToInteger(const Scalars &s, Value value, IntegerType to) {
  unsigned width = to.getWidth();
  if (to.isUnsigned() && width == 64) {
    // Half of the range is beyond what the signed conversion reaches.
    Value half = s.constant(0x1p63, value.getType());
    Value isUpper = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGE, value, half);
    Value lower = s.make<arith::SelectOp>(isUpper, s.make<arith::SubFOp>(value, half), value);
    Value integer = toSigned(s, lower, 64);
    Value topBit = arith::ConstantOp::create(s.b, s.loc, s.b.getI64IntegerAttr(INT64_MIN));
    return s.make<arith::SelectOp>(isUpper, s.make<arith::XOrIOp>(integer, topBit), integer);
  }
  Value integer = toSigned(s, value, width == 64 || (to.isUnsigned() && width == 32) ? 64 : 32);
  return integer.getType() == s.b.getIntegerType(width) ? integer
                                                        : s.make<arith::TruncIOp>(s.b.getIntegerType(width), integer);
}

/// An integer with only the low `to` bits kept, in the compute type of `to`.
static Value integerToInteger(const Scalars &s, Value value, Type from, IntegerType to) {
  unsigned have = value.getType().getIntOrFloatBitWidth();
  auto extend = [&](Value narrow, Type wide, bool asUnsigned) {
    return asUnsigned ? s.make<arith::ExtUIOp>(wide, narrow) : s.make<arith::ExtSIOp>(wide, narrow);
  };
  if (have > to.getWidth())
    value = s.make<arith::TruncIOp>(s.b.getIntegerType(to.getWidth()), value);
  else if (have < to.getWidth())
    return extend(value, computeType(to), isUnsigned(from));
  Type compute = computeType(to);
  return value.getType() == compute ? value : extend(value, compute, to.isUnsigned());
}

Value castScalar(const Scalars &s, Value value, Type from, Type to) {
  Type source = computeType(from), target = computeType(to);
  if (from == to)
    return value;
  if (to.isInteger(1)) {
    Value zero = s.constant(0, source);
    if (isFloat(from))
      return s.make<arith::CmpFOp>(arith::CmpFPredicate::UNE, value, zero);
    return s.make<arith::CmpIOp>(arith::CmpIPredicate::ne, value, zero);
  }
  if (isFloat(from) && isFloat(to)) {
    if (source == target)
      return value;
    bool widens = source.getIntOrFloatBitWidth() < target.getIntOrFloatBitWidth();
    return widens ? s.make<arith::ExtFOp>(target, value) : s.make<arith::TruncFOp>(target, value);
  }
  if (isFloat(from)) {
    auto integer = cast<IntegerType>(to);
    Value converted = floatToInteger(s, value, integer);
    return converted.getType() == target ? converted : integerToInteger(s, converted, from, integer);
  }
  if (isFloat(to))
    return isUnsigned(from) ? s.make<arith::UIToFPOp>(target, value) : s.make<arith::SIToFPOp>(target, value);
  return integerToInteger(s, value, from, cast<IntegerType>(to));
}

//===-- Floats of 8 bits and fewer -------------------------------------------------===//

namespace {
/// Numbers about a format s|exponent|mantissa, and arithmetic on bit patterns.
struct SmallFloat {
  unsigned mantissa; ///< bits
  unsigned signBit;
  int bias;
  int largest;       ///< the largest finite number, as bits
  int infinity;      ///< -1: none
  int nan;           ///< -1: none
  bool unsignedZero; ///< the pattern of -0 is NaN

  static SmallFloat of(FloatType format) {
    if (isa<Float8E4M3FNType>(format))
      return {3, 7, 7, 0x7E, -1, 0x7F, false};
    if (isa<Float8E5M2Type>(format))
      return {2, 7, 15, 0x7B, 0x7C, 0x7F, false};
    if (isa<Float8E4M3FNUZType>(format))
      return {3, 7, 8, 0x7F, -1, 0x80, true};
    if (isa<Float8E5M2FNUZType>(format))
      return {2, 7, 16, 0x7F, -1, 0x80, true};
    if (isa<Float6E2M3FNType>(format))
      return {3, 5, 1, 0x1F, -1, -1, false};
    if (isa<Float6E3M2FNType>(format))
      return {2, 5, 3, 0x1F, -1, -1, false};
    assert(isa<Float4E2M1FNType>(format) && "all others are handled by themselves");
    return {1, 3, 1, 0x7, -1, -1, false};
  }
};

struct Bits {
  const Scalars &s;
  Type i32 = s.b.getI32Type(), f32 = s.b.getF32Type();
  Value number(int64_t value) const { return s.constant(value, i32); }
  Value asBits(Value real) const { return s.make<arith::BitcastOp>(i32, real); }
  Value asReal(Value bits) const { return s.make<arith::BitcastOp>(f32, bits); }
  Value shiftLeft(Value value, int by) const { return s.make<arith::ShLIOp>(value, number(by)); }
  Value shiftRight(Value value, int by) const { return s.make<arith::ShRUIOp>(value, number(by)); }
  Value mask(Value value, int64_t bits) const { return s.make<arith::AndIOp>(value, number(bits)); }
  Value equal(Value a, int64_t b) const { return s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, a, number(b)); }
  Value above(Value a, int64_t b) const { return s.make<arith::CmpIOp>(arith::CmpIPredicate::sgt, a, number(b)); }
  Value choose(Value condition, Value yes, Value no) const { return s.make<arith::SelectOp>(condition, yes, no); }
};
} // namespace

static constexpr int64_t f32NaN = 0x7FC00000, f32Infinity = 0x7F800000;

/// Powers of two: the exponent of an f32, with the least one a subnormal.
static Value decodeExponent(const Bits &bits, Value wide) {
  Value power = bits.choose(bits.equal(wide, 0), bits.number(0x00400000), bits.shiftLeft(wide, 23));
  return bits.asReal(bits.choose(bits.equal(wide, 0xFF), bits.number(f32NaN), power));
}

static Value encodeExponent(const Bits &bits, Value value, Narrowing narrowing) {
  Value pattern = bits.asBits(value), magnitude = bits.mask(pattern, 0x7FFFFFFF);
  Value floor = bits.shiftRight(magnitude, 23), rest = bits.mask(magnitude, 0x7FFFFF);
  // A subnormal f32 has no implied 1: 2^-127 is its upper half.
  Value half = bits.number(0x400000);
  auto increment = [&](Value condition) { return bits.s.make<arith::ExtUIOp>(bits.i32, condition); };
  Value isSubnormal = bits.equal(floor, 0);
  Value up = increment(bits.choose(isSubnormal, bits.above(rest, 0x400000), bits.above(rest, 0)));
  // Ties away from zero: the next power of two.
  Value nearest = increment(bits.choose(isSubnormal, bits.above(rest, 0x5FFFFF),
                                        bits.s.make<arith::CmpIOp>(arith::CmpIPredicate::sge, rest, half)));
  Value rounded = floor;
  if (narrowing.round == Narrowing::Up)
    rounded = bits.s.make<arith::AddIOp>(floor, up);
  if (narrowing.round == Narrowing::Nearest)
    rounded = bits.s.make<arith::AddIOp>(floor, nearest);
  Value tooLarge = bits.above(rounded, 0xFE);
  Value result = bits.choose(tooLarge, bits.number(narrowing.saturate ? 0xFE : 0xFF), rounded);
  if (!narrowing.saturate)
    result = bits.choose(bits.equal(magnitude, 0), bits.number(0xFF), result);
  return bits.choose(bits.above(magnitude, f32Infinity), bits.number(0xFF), result);
}

Value decodeSmallFloat(const Scalars &s, Value stored, FloatType format) {
  Bits bits{s};
  Value wide = s.make<arith::ExtUIOp>(bits.i32, stored);
  if (isa<Float8E8M0FNUType>(format))
    return decodeExponent(bits, wide);
  SmallFloat small = SmallFloat::of(format);

  // With exponent and mantissa moved to where f32 has them, only the bias differs: a multiplication corrects it,
  // subnormals included.
  Value magnitude = bits.mask(wide, (1 << small.signBit) - 1);
  Value scaled = s.make<arith::MulFOp>(bits.asReal(bits.shiftLeft(magnitude, 23 - small.mantissa)),
                                       s.constant(std::ldexp(1.0, 127 - small.bias), bits.f32));
  Value sign = bits.shiftLeft(bits.shiftRight(wide, small.signBit), 31);
  Value result = bits.asBits(scaled);
  if (small.infinity >= 0)
    result = bits.choose(bits.equal(magnitude, small.infinity), bits.number(f32Infinity), result);
  if (small.unsignedZero) {
    result = bits.choose(bits.equal(wide, small.nan), bits.number(f32NaN), result);
  } else if (small.nan >= 0) {
    int last = small.infinity >= 0 ? small.infinity : small.largest;
    result = bits.choose(bits.above(magnitude, last), bits.number(f32NaN), result);
  }
  return bits.asReal(s.make<arith::OrIOp>(result, sign));
}

Value encodeSmallFloat(const Scalars &s, Value value, FloatType format, Narrowing narrowing) {
  Bits bits{s};
  Type i8 = s.b.getI8Type();
  if (isa<Float8E8M0FNUType>(format))
    return s.make<arith::TruncIOp>(i8, encodeExponent(bits, value, narrowing));
  SmallFloat small = SmallFloat::of(format);
  int dropped = 23 - small.mantissa;

  Value pattern = bits.asBits(value), magnitude = bits.mask(pattern, 0x7FFFFFFF);
  // Normal numbers: round to nearest even on the bits, then correct the bias.
  Value odd = bits.mask(bits.shiftRight(magnitude, dropped), 1);
  Value half = s.make<arith::AddIOp>(odd, bits.number((1 << (dropped - 1)) - 1));
  Value rounded = bits.shiftRight(s.make<arith::AddIOp>(magnitude, half), dropped);
  Value normal = s.make<arith::SubIOp>(rounded, bits.number((127 - small.bias) << small.mantissa));
  // Subnormal numbers: adding a power of two whose last place is the least subnormal makes the addition round.
  Value magic = s.constant(std::ldexp(1.0, 23 + 1 - small.bias - (int)small.mantissa), bits.f32);
  Value sum = s.make<arith::AddFOp>(bits.asReal(magnitude), magic);
  Value subnormal = s.make<arith::SubIOp>(bits.asBits(sum), bits.asBits(magic));
  Value leastNormal = s.constant(std::ldexp(1.0, 1 - small.bias), bits.f32);
  Value isSubnormal = s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, bits.asReal(magnitude), leastNormal);
  Value result = bits.choose(isSubnormal, subnormal, normal);

  bool hasNaN = small.nan >= 0;
  int beyond = narrowing.saturate || !hasNaN ? small.largest : small.infinity >= 0 ? small.infinity : small.nan;
  result = bits.choose(bits.above(result, small.largest), bits.number(beyond), result);
  Value isNaN = bits.above(magnitude, f32Infinity);
  result = bits.choose(isNaN, bits.number(hasNaN ? small.nan : small.largest), result);

  Value sign = bits.shiftLeft(bits.shiftRight(pattern, 31), small.signBit);
  Value isSigned = s.make<arith::OrIOp>(result, sign);
  if (small.unsignedZero)
    isSigned = bits.choose(bits.equal(result, 0), result, isSigned);
  if (!hasNaN)
    isSigned = bits.choose(isNaN, bits.number(1 << small.signBit), isSigned);
  return s.make<arith::TruncIOp>(i8, isSigned);
}

} // namespace mlc::onnx
