// Conversions that LLVM calls by name where the processor has no instruction for them. They usually come from a
// compiler's own library, which a compiled model does without. Linked only where used.
#include <stdint.h>
#include <string.h>

namespace {

template <typename To, typename From> To bitsAs(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  memcpy(&result, &value, sizeof result);
  return result;
}

/// `value` / 2^`shift`, halves to even.
uint64_t shiftRounded(uint64_t value, uint32_t shift) {
  if (shift > 63)
    return 0;
  if (shift == 0)
    return value;
  const uint64_t kept = value >> shift, dropped = value & ((uint64_t(1) << shift) - 1),
                 half = uint64_t(1) << (shift - 1);
  return kept + (dropped > half || (dropped == half && (kept & 1)));
}

/// Rounds a binary64 to a format of 16 bits with `fractionBits` of them for the fraction; once, to nearest even.
template <uint32_t fractionBits> uint16_t roundTo16(double value) {
  constexpr uint32_t exponentBits = 15 - fractionBits;
  constexpr int32_t bias = (1 << (exponentBits - 1)) - 1;
  constexpr uint16_t infinity = ((1 << exponentBits) - 1) << fractionBits;

  const uint64_t bits = bitsAs<uint64_t>(value);
  const uint16_t sign = uint16_t(bits >> 48 & 0x8000);
  const uint64_t fraction = bits & ((uint64_t(1) << 52) - 1);
  const int32_t exponent = int32_t(bits >> 52 & 0x7FF);
  if (exponent == 0x7FF) // infinite, or a NaN, which stays one and becomes quiet
    return sign | infinity |
           (fraction ? uint16_t(1 << (fractionBits - 1)) | uint16_t(fraction >> (52 - fractionBits)) : 0);
  if (exponent == 0)
    return sign; // smaller than half of the smallest number here

  const int32_t rebased = exponent - 1023 + bias;
  const uint64_t significand = fraction | uint64_t(1) << 52;
  constexpr uint32_t surplus = 52 - fractionBits;
  // The leading 1 adds itself to the exponent's place below; without it (denormal) there is nothing to take away. A
  // carry out of the fraction goes into the exponent, where it belongs.
  if (rebased <= 0)
    return sign | uint16_t(shiftRounded(significand, surplus + uint32_t(1 - rebased)));
  const uint64_t rounded = (uint64_t(rebased - 1) << fractionBits) + shiftRounded(significand, surplus);
  return sign | (rounded >= infinity ? infinity : uint16_t(rounded));
}

float widenHalf(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16;
  const uint32_t exponent = bits >> 10 & 0x1F, fraction = bits & 0x3FF;
  if (exponent == 0x1F)
    return bitsAs<float>(sign | 0x7F800000 | fraction << 13 | (fraction ? 0x400000 : 0));
  if (exponent)
    return bitsAs<float>(sign | (exponent + 127 - 15) << 23 | fraction << 13);
  const float magnitude = float(fraction) * 0x1p-24f; // exact
  return sign ? -magnitude : magnitude;
}

} // namespace

extern "C" {
float __extendhfsf2(_Float16 value) { return widenHalf(bitsAs<uint16_t>(value)); }
_Float16 __truncsfhf2(float value) { return bitsAs<_Float16>(roundTo16<10>(value)); }
_Float16 __truncdfhf2(double value) { return bitsAs<_Float16>(roundTo16<10>(value)); }
#if defined(__clang__) || __GNUC__ >= 13
__bf16 __truncsfbf2(float value) { return bitsAs<__bf16>(roundTo16<7>(value)); }
__bf16 __truncdfbf2(double value) { return bitsAs<__bf16>(roundTo16<7>(value)); }
#endif

float __powisf2(float base, int32_t exponent) {
  float result = 1;
  for (uint32_t rest = exponent < 0 ? 0u - uint32_t(exponent) : uint32_t(exponent); rest; rest >>= 1, base *= base)
    if (rest & 1)
      result *= base;
  return exponent < 0 ? 1 / result : result;
}

double __powidf2(double base, int32_t exponent) {
  double result = 1;
  for (uint32_t rest = exponent < 0 ? 0u - uint32_t(exponent) : uint32_t(exponent); rest; rest >>= 1, base *= base)
    if (rest & 1)
      result *= base;
  return exponent < 0 ? 1 / result : result;
}
}
