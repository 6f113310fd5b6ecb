// Numbers as AMD's instructions compute with them.
#pragma once
#include "../gpu/SmallFloats.h"
#include <algorithm>
#include <bit>
#include <cmath>

namespace gcn {

/// f16, as it is in registers.
struct Half {
  uint16_t bits;
};

inline float toFloat(Half half) { return float(emulated::fromSmall(half.bits, emulated::halfExponentBits)); }
inline Half toHalf(double value) { return {emulated::toSmall(value, emulated::halfExponentBits)}; }
inline uint16_t toBrain(float value) { return emulated::toSmall(value, emulated::brainExponentBits); }
inline float fromBrain(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

inline Half fmaOfHalves(Half a, Half b, Half c) {
  return toHalf(std::fma(double(toFloat(a)), double(toFloat(b)), double(toFloat(c))));
}

template <typename Value> int exponentOf(Value x) {
  if constexpr (sizeof(Value) == 4)
    return int(std::bit_cast<uint32_t>(x) >> 23 & 255);
  else
    return int(std::bit_cast<uint64_t>(x) >> 52 & 2047);
}
template <typename Value> bool isDenormal(Value x) { return x != 0 && exponentOf(x) == 0; }

template <typename Value> Value middleOf(Value a, Value b, Value c) {
  return std::max(std::min(a, b), std::min(std::max(a, b), c));
}

/// Of a number and a NaN, the number; -0 is less than 0.
template <typename Value> Value maxNumber(Value a, Value b) {
  if (a == b)
    return std::signbit(a) ? b : a;
  return std::fmax(a, b);
}
template <typename Value> Value minNumber(Value a, Value b) {
  if (a == b)
    return std::signbit(a) ? a : b;
  return std::fmin(a, b);
}
inline float maximum(float a, float b) { return a != a ? a : b != b ? b : maxNumber(a, b); }
inline float minimum(float a, float b) { return a != a ? a : b != b ? b : minNumber(a, b); }
} // namespace gcn
