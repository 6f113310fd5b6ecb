#include "SmallFloats.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace emulated {

uint16_t toSmall(double value, int exponentBits) {
  const int mantissaBits = 15 - exponentBits, bias = (1 << (exponentBits - 1)) - 1;
  const uint64_t sign = std::signbit(value) ? 0x8000 : 0;
  const uint64_t infinity = uint64_t((1 << exponentBits) - 1) << mantissaBits;
  if (std::isnan(value))
    return 0x7fff; // what GPUs give
  double magnitude = std::fabs(value);
  if (magnitude == 0)
    return uint16_t(sign);
  int exponent;
  std::frexp(magnitude, &exponent); // magnitude = m * 2^exponent, 1/2 <= m < 1
  const int unit = std::max(exponent - 1, 1 - bias) - mantissaBits;
  const double rounded = std::nearbyint(std::ldexp(magnitude, -unit)); // units in the last place
  const auto number = uint64_t(rounded);
  const uint64_t bits = number + (uint64_t(unit + mantissaBits + bias - 1) << mantissaBits);
  // A carry into the exponent is right as it is; so is a denormal, whose exponent counts as 1.
  return uint16_t(sign | (rounded >= std::ldexp(1, mantissaBits + 2) || bits >= infinity ? infinity : bits));
}

double fromSmall(uint64_t bits, int exponentBits) {
  const int mantissaBits = 15 - exponentBits, bias = (1 << (exponentBits - 1)) - 1;
  const uint64_t mantissa = bits & ((1u << mantissaBits) - 1);
  const int exponent = int(bits >> mantissaBits & ((1u << exponentBits) - 1));
  double value;
  if (exponent == (1 << exponentBits) - 1)
    value = mantissa ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    value = std::ldexp(double(mantissa), 1 - bias - mantissaBits);
  else
    value = std::ldexp(double(mantissa | uint64_t(1) << mantissaBits), exponent - bias - mantissaBits);
  return bits & 0x8000 ? -value : value;
}

} // namespace emulated
