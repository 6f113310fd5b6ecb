// Vector instructions on floats. Where an instruction only comes near the result, so do we.
#include "Lanes.h"

namespace gcn {

namespace {

/// Division: the denominator or numerator, so scaled that what follows neither overflows nor loses bits, and whether the
/// quotient has to be scaled back.
template <typename Value> void divisionScale(Wave &wave, const Instruction &instruction) {
  constexpr bool isDouble = sizeof(Value) == 8;
  constexpr int step = isDouble ? 128 : 64, far = isDouble ? 768 : 96, tiny = isDouble ? 53 : 23;
  withMask(wave, instruction.operands.at(1), [&](uint32_t lane) {
    const Value chosen = wave.in<Value>(instruction, 0, lane), denominator = wave.in<Value>(instruction, 1, lane),
                numerator = wave.in<Value>(instruction, 2, lane);
    const bool isDenominator = std::memcmp(&chosen, &denominator, sizeof(Value)) == 0,
               isNumerator = std::memcmp(&chosen, &numerator, sizeof(Value)) == 0;
    Value result = chosen;
    bool scales = false;
    if (numerator == 0 || denominator == 0) {
      result = std::numeric_limits<Value>::quiet_NaN();
    } else if (exponentOf(numerator) - exponentOf(denominator) >= far) {
      scales = true;
      if (isDenominator)
        result = std::ldexp(chosen, step);
    } else if (isDenormal(denominator)) {
      result = std::ldexp(chosen, step);
    } else if (isDenormal(Value(1) / denominator) && isDenormal(numerator / denominator)) {
      scales = true;
      if (isDenominator)
        result = std::ldexp(chosen, step);
    } else if (isDenormal(Value(1) / denominator)) {
      result = std::ldexp(chosen, -step);
    } else if (isDenormal(numerator / denominator)) {
      scales = true;
      if (isNumerator)
        result = std::ldexp(chosen, step);
    } else if (exponentOf(numerator) <= tiny) {
      result = std::ldexp(chosen, step);
    }
    wave.out(instruction, lane, result);
    return scales;
  });
}

template <typename Value> void divisionFma(Wave &wave, const Instruction &instruction) {
  constexpr int step = sizeof(Value) == 8 ? 128 : 64, middle = sizeof(Value) == 8 ? 1023 : 127;
  const uint64_t scales = wave.mask(vcc);
  forEachLane(wave, [&](uint32_t lane) {
    const Value c = wave.in<Value>(instruction, 2, lane);
    Value result = std::fma(wave.in<Value>(instruction, 0, lane), wave.in<Value>(instruction, 1, lane), c);
    if (scales >> lane & 1)
      result = std::ldexp(result, exponentOf(c) > middle ? step : -step);
    wave.out(instruction, lane, result);
  });
}

template <typename Value> Value divisionFixup(Value quotient, Value denominator, Value numerator) {
  const bool isNegative = std::signbit(numerator) != std::signbit(denominator);
  const Value infinity = std::numeric_limits<Value>::infinity();
  auto withSign = [&](Value x) { return isNegative ? -std::fabs(x) : std::fabs(x); };
  if (std::isnan(numerator))
    return numerator;
  if (std::isnan(denominator))
    return denominator;
  if ((numerator == 0 && denominator == 0) || (std::isinf(numerator) && std::isinf(denominator)))
    return -std::numeric_limits<Value>::quiet_NaN();
  if (denominator == 0 || std::isinf(numerator))
    return withSign(infinity);
  if (std::isinf(denominator) || numerator == 0)
    return withSign(0);
  return withSign(quotient);
}

/// Halves that are computed as floats: what is rounded twice comes out the same, but for sums of products.
template <auto f> Half asFloat1(Half x) { return toHalf(f(toFloat(x))); }
template <auto f> Half asFloat2(Half x, Half y) { return toHalf(f(toFloat(x), toFloat(y))); }
template <auto f> Half asFloat3(Half x, Half y, Half z) { return toHalf(f(toFloat(x), toFloat(y), toFloat(z))); }
float middleNumber(float a, float b, float c) {
  return a != a || b != b || c != c ? minNumber(minNumber(a, b), c) : middleOf(a, b, c);
}

const Entry entries[] = {
    // Floats. Where an instruction only comes near the result, so do we.
    {"v_add_f32", each<[](F a, F b) { return a + b; }>},
    {"v_sub_f32", each<[](F a, F b) { return a - b; }>},
    {"v_subrev_f32", each<[](F a, F b) { return b - a; }>},
    {"v_mul_f32", each<[](F a, F b) { return a * b; }>},
    {"v_fma_f32", each<[](F a, F b, F c) { return std::fma(a, b, c); }>},
    {"v_fmac_f32", update<[](F a, F b, F c) { return std::fma(a, b, c); }>},
    {"v_fmaak_f32", each<[](F a, F b, F k) { return std::fma(a, b, k); }>},
    {"v_fmamk_f32", each<[](F a, F k, F b) { return std::fma(a, k, b); }>},
    {"v_mad_f32", each<[](F a, F b, F c) { return a * b + c; }>},
    {"v_mac_f32", update<[](F a, F b, F c) { return a * b + c; }>},
    {"v_madak_f32", each<[](F a, F b, F k) { return a * b + k; }>},
    {"v_madmk_f32", each<[](F a, F k, F b) { return a * k + b; }>},
    {"v_max_f32", each<maxNumber<F>>},
    {"v_min_f32", each<minNumber<F>>},
    {"v_maximum_f32", each<maximum>},
    {"v_minimum_f32", each<minimum>},
    {"v_max3_f32", each<[](F a, F b, F c) { return maxNumber(maxNumber(a, b), c); }>},
    {"v_min3_f32", each<[](F a, F b, F c) { return minNumber(minNumber(a, b), c); }>},
    {"v_maximum3_f32", each<[](F a, F b, F c) { return maximum(maximum(a, b), c); }>},
    {"v_minimum3_f32", each<[](F a, F b, F c) { return minimum(minimum(a, b), c); }>},
    {"v_maxmin_f32", each<[](F a, F b, F c) { return minNumber(maxNumber(a, b), c); }>},
    {"v_minmax_f32", each<[](F a, F b, F c) { return maxNumber(minNumber(a, b), c); }>},
    {"v_maximumminimum_f32", each<[](F a, F b, F c) { return minimum(maximum(a, b), c); }>},
    {"v_minimummaximum_f32", each<[](F a, F b, F c) { return maximum(minimum(a, b), c); }>},
    {"v_med3_f32", each<middleNumber>},
    {"v_rcp_f32", each<[](F x) { return 1 / x; }>},
    {"v_rcp_iflag_f32", each<[](F x) { return 1 / x; }>},
    {"v_s_rcp_f32", each<[](F x) { return 1 / x; }>},
    {"v_rsq_f32", each<[](F x) { return F(1 / std::sqrt(D(x))); }>},
    {"v_sqrt_f32", each<[](F x) { return std::sqrt(x); }>},
    {"v_s_sqrt_f32", each<[](F x) { return std::sqrt(x); }>},
    {"v_exp_f32", each<[](F x) { return std::exp2(x); }>},
    {"v_log_f32", each<[](F x) { return std::log2(x); }>},
    {"v_floor_f32", each<[](F x) { return std::floor(x); }>},
    {"v_ceil_f32", each<[](F x) { return std::ceil(x); }>},
    {"v_trunc_f32", each<[](F x) { return std::trunc(x); }>},
    {"v_rndne_f32", each<[](F x) { return std::nearbyint(x); }>},
    {"v_fract_f32", each<[](F x) { return std::min(x - std::floor(x), 0x1.fffffep-1f); }>},
    {"v_ldexp_f32", each<[](F x, S n) { return std::ldexp(x, std::clamp(n, -2000, 2000)); }>},
    {"v_frexp_mant_f32", each<[](F x) {
       int n;
       return std::isfinite(x) ? std::frexp(x, &n) : x;
     }>},
    {"v_frexp_exp_i32_f32", each<[](F x) {
       int n = 0;
       if (std::isfinite(x))
         std::frexp(x, &n);
       return S(n);
     }>},
    {"v_div_scale_f32", divisionScale<F>, 2},
    {"v_div_fmas_f32", divisionFma<F>},
    {"v_div_fixup_f32", each<divisionFixup<F>>},
    {"v_add_f64", each<[](D a, D b) { return a + b; }>},
    {"v_mul_f64", each<[](D a, D b) { return a * b; }>},
    {"v_fma_f64", each<[](D a, D b, D c) { return std::fma(a, b, c); }>},
    {"v_fmac_f64", update<[](D a, D b, D c) { return std::fma(a, b, c); }>},
    {"v_max_f64", each<maxNumber<D>>},
    {"v_min_f64", each<minNumber<D>>},
    {"v_maximum_f64", each<[](D a, D b) { return a != a   ? a
                                                 : b != b ? b
                                                          : maxNumber(a, b); }>},
    {"v_minimum_f64", each<[](D a, D b) { return a != a   ? a
                                                 : b != b ? b
                                                          : minNumber(a, b); }>},
    {"v_rcp_f64", each<[](D x) { return 1 / x; }>},
    {"v_rsq_f64", each<[](D x) { return 1 / std::sqrt(x); }>},
    {"v_sqrt_f64", each<[](D x) { return std::sqrt(x); }>},
    {"v_floor_f64", each<[](D x) { return std::floor(x); }>},
    {"v_ceil_f64", each<[](D x) { return std::ceil(x); }>},
    {"v_trunc_f64", each<[](D x) { return std::trunc(x); }>},
    {"v_rndne_f64", each<[](D x) { return std::nearbyint(x); }>},
    {"v_fract_f64", each<[](D x) { return std::min(x - std::floor(x), 0x1.fffffffffffffp-1); }>},
    {"v_ldexp_f64", each<[](D x, S n) { return std::ldexp(x, std::clamp(n, -5000, 5000)); }>},
    {"v_frexp_mant_f64", each<[](D x) {
       int n;
       return std::isfinite(x) ? std::frexp(x, &n) : x;
     }>},
    {"v_frexp_exp_i32_f64", each<[](D x) {
       int n = 0;
       if (std::isfinite(x))
         std::frexp(x, &n);
       return S(n);
     }>},
    {"v_div_scale_f64", divisionScale<D>, 2},
    {"v_div_fmas_f64", divisionFma<D>},
    {"v_div_fixup_f64", each<divisionFixup<D>>},

    {"v_add_f16", each<asFloat2<[](F a, F b) { return a + b; }>>},
    {"v_sub_f16", each<asFloat2<[](F a, F b) { return a - b; }>>},
    {"v_subrev_f16", each<asFloat2<[](F a, F b) { return b - a; }>>},
    {"v_mul_f16", each<asFloat2<[](F a, F b) { return a * b; }>>},
    {"v_fma_f16", each<fmaOfHalves>},
    {"v_fmac_f16", update<fmaOfHalves>},
    {"v_fmaak_f16", each<fmaOfHalves>},
    {"v_fmamk_f16", each<[](H a, H k, H b) { return fmaOfHalves(a, k, b); }>},
    {"v_max_f16", each<asFloat2<maxNumber<F>>>},
    {"v_min_f16", each<asFloat2<minNumber<F>>>},
    {"v_maximum_f16", each<asFloat2<maximum>>},
    {"v_minimum_f16", each<asFloat2<minimum>>},
    {"v_max3_f16", each<asFloat3<[](F a, F b, F c) { return maxNumber(maxNumber(a, b), c); }>>},
    {"v_min3_f16", each<asFloat3<[](F a, F b, F c) { return minNumber(minNumber(a, b), c); }>>},
    {"v_med3_f16", each<asFloat3<middleNumber>>},
    {"v_rcp_f16", each<asFloat1<[](F x) { return 1 / x; }>>},
    {"v_sqrt_f16", each<asFloat1<[](F x) { return std::sqrt(x); }>>},
    {"v_rsq_f16", each<asFloat1<[](F x) { return 1 / std::sqrt(x); }>>},
    {"v_floor_f16", each<asFloat1<[](F x) { return std::floor(x); }>>},
    {"v_ceil_f16", each<asFloat1<[](F x) { return std::ceil(x); }>>},
    {"v_trunc_f16", each<asFloat1<[](F x) { return std::trunc(x); }>>},
    {"v_rndne_f16", each<asFloat1<[](F x) { return std::nearbyint(x); }>>},
    {"v_ldexp_f16", each<[](H x, int16_t n) { return toHalf(std::ldexp(toFloat(x), n)); }>},
    {"v_div_fixup_f16", each<[](H q, H d, H n) { return toHalf(divisionFixup(toFloat(q), toFloat(d), toFloat(n))); }>},
};

} // namespace

std::span<const Entry> floats() { return entries; }

} // namespace gcn
