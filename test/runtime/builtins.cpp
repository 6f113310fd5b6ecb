// Conversions to and from 16-bit floats, against a search for the nearest number in exact arithmetic.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#if defined(__clang__)
extern "C" {
float __extendhfsf2(_Float16);
_Float16 __truncsfhf2(float);
_Float16 __truncdfhf2(double);
__bf16 __truncsfbf2(float);
__bf16 __truncdfbf2(double);
float __powisf2(float, int);
double __powidf2(double, int);
}

template <typename To, typename From> static To bitsAs(From value) {
  To result;
  static_assert(sizeof result == sizeof value);
  memcpy(&result, &value, sizeof result);
  return result;
}

/// The value of a 16-bit float by its definition.
static double valueOf(uint16_t bits, int fractionBits) {
  const int exponentBits = 15 - fractionBits, bias = (1 << (exponentBits - 1)) - 1;
  const int exponent = bits >> fractionBits & ((1 << exponentBits) - 1), fraction = bits & ((1 << fractionBits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponentBits) - 1)
    return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0)
    return sign * std::ldexp(fraction, 1 - bias - fractionBits);
  return sign * std::ldexp(fraction + (1 << fractionBits), exponent - bias - fractionBits);
}

TEST_CASE("every half becomes the float of its value") {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float got = __extendhfsf2(bitsAs<_Float16>(uint16_t(bits)));
    const double expected = valueOf(uint16_t(bits), 10);
    wrong += std::isnan(expected) ? !std::isnan(got) : got != expected || std::signbit(got) != std::signbit(expected);
  }
  CHECK(wrong == 0);
}

/// Every number of the format, its neighbours, and what lies in the middle, which must go to the even one.
template <typename Round> static int countWrong(int fractionBits, Round round) {
  const uint16_t infinity = uint16_t(0x7FFF >> fractionBits << fractionBits);
  int wrong = 0;
  for (uint32_t bits = 0; bits < infinity; ++bits) {
    const double low = valueOf(uint16_t(bits), fractionBits);
    // Beyond the largest number the next one is where it would be if exponents went on.
    const double high = bits + 1 < infinity ? valueOf(uint16_t(bits + 1), fractionBits)
                                            : 2 * low - valueOf(uint16_t(bits - 1), fractionBits);
    const double middle = (low + high) / 2;
    const uint16_t even = uint16_t(bits & 1 ? bits + 1 : bits);
    for (uint16_t sign : {0, 0x8000}) {
      const double s = sign ? -1 : 1;
      wrong += round(s * low) != (sign | bits);
      wrong += round(s * middle) != (sign | even);
      wrong += round(s * std::nextafter(float(middle), 0.f)) != (sign | bits) && float(middle) == middle;
      wrong +=
          round(s * std::nextafter(float(middle), float(high) * 2)) != (sign | (bits + 1)) && float(middle) == middle;
    }
  }
  wrong += round(std::numeric_limits<double>::infinity()) != infinity;
  wrong += round(-std::numeric_limits<double>::infinity()) != (0x8000 | infinity);
  wrong += round(1e30 * 1e9) != infinity; // larger than any
  wrong += round(-1e-300) != 0x8000 && round(-1e-45) != 0x8000;
  wrong += !std::isnan(valueOf(round(std::numeric_limits<double>::quiet_NaN()), fractionBits));
  return wrong;
}

TEST_CASE("floats and doubles are rounded to the nearest half") {
  CHECK(countWrong(10, [](double value) { return bitsAs<uint16_t>(__truncsfhf2(float(value))); }) == 0);
  CHECK(countWrong(10, [](double value) { return bitsAs<uint16_t>(__truncdfhf2(value)); }) == 0);
}

TEST_CASE("floats and doubles are rounded to the nearest bfloat") {
  CHECK(countWrong(7, [](double value) { return bitsAs<uint16_t>(__truncsfbf2(float(value))); }) == 0);
  CHECK(countWrong(7, [](double value) { return bitsAs<uint16_t>(__truncdfbf2(value)); }) == 0);
}

TEST_CASE("doubles are rounded once") {
  // Through a float this would first become the middle of two halves, then the even one.
  const double value = 1 + 0x1p-11 + 0x1p-40;
  CHECK(bitsAs<uint16_t>(__truncdfhf2(value)) == 0x3C01);
  CHECK(bitsAs<uint16_t>(__truncsfhf2(float(value))) == 0x3C00);
}

TEST_CASE("whole powers") {
  CHECK(__powidf2(3, 5) == 243);
  CHECK(__powidf2(2, -3) == 0.125);
  CHECK(__powidf2(7, 0) == 1);
  CHECK(__powisf2(-2, 3) == -8);
  CHECK(__powidf2(1, std::numeric_limits<int>::min()) == 1);
}
#endif
