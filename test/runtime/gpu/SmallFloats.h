// Floats of 16 bits, as GPUs round them.
#pragma once
#include <cstdint>

namespace emulated {

/// Of exponents of so many bits: 5 for f16, 8 for bf16.
constexpr int halfExponentBits = 5, brainExponentBits = 8;

/// The bits of the nearest one, of two as near the even one.
uint16_t toSmall(double value, int exponentBits);
double fromSmall(uint64_t bits, int exponentBits);

} // namespace emulated
