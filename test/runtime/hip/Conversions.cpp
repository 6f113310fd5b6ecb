// Vector instructions that make a number of another type.
#include "Lanes.h"

namespace gcn {

namespace {

template <typename To, typename From> To toInteger(From x) {
  if (x != x)
    return 0;
  const From limit = std::ldexp(From(1), std::is_signed_v<To> ? 8 * int(sizeof(To)) - 1 : 8 * int(sizeof(To)));
  return x >= limit                                       ? std::numeric_limits<To>::max()
         : x <= (std::is_signed_v<To> ? -limit : From(0)) ? std::numeric_limits<To>::min()
                                                          : To(x);
}

const Entry entries[] = {
    {"v_cvt_f32_i32", each<[](S x) { return F(x); }>},
    {"v_cvt_f32_u32", each<[](U x) { return F(x); }>},
    {"v_cvt_i32_f32", each<toInteger<S, F>>},
    {"v_cvt_u32_f32", each<toInteger<U, F>>},
    {"v_cvt_f64_i32", each<[](S x) { return D(x); }>},
    {"v_cvt_f64_u32", each<[](U x) { return D(x); }>},
    {"v_cvt_i32_f64", each<toInteger<S, D>>},
    {"v_cvt_u32_f64", each<toInteger<U, D>>},
    {"v_cvt_f32_f64", each<[](D x) { return F(x); }>},
    {"v_cvt_f64_f32", each<[](F x) { return D(x); }>},
    {"v_cvt_f16_f32", each<[](F x) { return toHalf(x); }>},
    {"v_cvt_f32_f16", each<toFloat>},
    {"v_cvt_f16_i16", each<[](int16_t x) { return toHalf(x); }>},
    {"v_cvt_f16_u16", each<[](W x) { return toHalf(x); }>},
    {"v_cvt_i16_f16", each<[](H x) { return toInteger<int16_t, F>(toFloat(x)); }>},
    {"v_cvt_u16_f16", each<[](H x) { return toInteger<W, F>(toFloat(x)); }>},
    {"v_cvt_f32_ubyte0", each<[](U x) { return F(x & 255); }>},
    {"v_cvt_f32_ubyte1", each<[](U x) { return F(x >> 8 & 255); }>},
    {"v_cvt_f32_ubyte2", each<[](U x) { return F(x >> 16 & 255); }>},
    {"v_cvt_f32_ubyte3", each<[](U x) { return F(x >> 24); }>},
    {"v_cvt_pk_bf16_f32", each<[](F a, F b) { return U(toBrain(a)) | U(toBrain(b)) << 16; }>},
    {"v_cvt_i32_i16", each<[](int16_t x) { return S(x); }>},
    {"v_cvt_u32_u16", each<[](W x) { return U(x); }>},
};

} // namespace

std::span<const Entry> conversions() { return entries; }

} // namespace gcn
