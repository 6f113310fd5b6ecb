// Vector instructions on integers. Shifts take as many bits of their amount as matter.
#include "Lanes.h"

namespace gcn {

namespace {

template <bool isSubtraction, bool isReversed, bool hasCarry>
void addWithCarry(Wave &wave, const Instruction &instruction) {
  const uint64_t carries =
      hasCarry ? wave.mask(instruction.operands.size() > 4 ? instruction.operands[4].index : uint16_t(vcc)) : 0;
  withMask(wave, instruction.operands.at(1), [&](uint32_t lane) {
    uint64_t a = wave.in<uint32_t>(instruction, 0, lane), b = wave.in<uint32_t>(instruction, 1, lane),
             carry = carries >> lane & 1;
    if (isReversed)
      std::swap(a, b);
    const uint64_t result = isSubtraction ? a - b - carry : a + b + carry;
    wave.out(instruction, lane, uint32_t(result));
    return result >> 32 & 1;
  });
}

template <typename Factor, typename Sum> void multiplyAddWide(Wave &wave, const Instruction &instruction) {
  withMask(wave, instruction.operands.at(1), [&](uint32_t lane) {
    const Sum product = Sum(wave.in<Factor>(instruction, 0, lane)) * Sum(wave.in<Factor>(instruction, 1, lane));
    const auto sum = wave.in<uint64_t>(instruction, 2, lane);
    const uint64_t result = uint64_t(product) + sum;
    wave.out(instruction, lane, result);
    return result < sum;
  });
}

int32_t signExtended24(uint32_t x) { return int32_t(x << 8) >> 8; }
uint32_t low24(uint32_t x) { return x & 0xffffff; }

/// Bytes of two registers, or what their sign says, by a selector for each.
uint32_t permuted(uint32_t a, uint32_t b, uint32_t selectors) {
  const uint64_t all = uint64_t(a) << 32 | b;
  uint32_t result = 0;
  for (int i = 0; i < 32; i += 8) {
    const uint32_t selector = selectors >> i & 255;
    const uint32_t byte = selector < 8     ? uint32_t(all >> (8 * selector)) & 255
                          : selector < 12  ? (all >> (16 * (selector - 8) + 15) & 1 ? 255 : 0)
                          : selector == 12 ? 0
                                           : 255;
    result |= byte << i;
  }
  return result;
}

const Entry entries[] = {
    {"v_add_u32", each<[](U a, U b) { return a + b; }>},
    {"v_sub_u32", each<[](U a, U b) { return a - b; }>},
    {"v_subrev_u32", each<[](U a, U b) { return b - a; }>},
    {"v_add_co_u32", addWithCarry<false, false, false>, 2},
    {"v_sub_co_u32", addWithCarry<true, false, false>, 2},
    {"v_subrev_co_u32", addWithCarry<true, true, false>, 2},
    {"v_addc_co_u32", addWithCarry<false, false, true>, 2},
    {"v_subb_co_u32", addWithCarry<true, false, true>, 2},
    {"v_subbrev_co_u32", addWithCarry<true, true, true>, 2},
    {"v_add3_u32", each<[](U a, U b, U c) { return a + b + c; }>},
    {"v_lshl_add_u32", each<[](U a, U b, U c) { return (a << (b & 31)) + c; }>},
    {"v_add_lshl_u32", each<[](U a, U b, U c) { return (a + b) << (c & 31); }>},
    {"v_lshl_add_u64", each<[](L a, U b, L c) { return (a << (b & 7)) + c; }>},
    {"v_add_nc_u64", each<[](L a, L b) { return a + b; }>},
    {"v_sub_nc_u64", each<[](L a, L b) { return a - b; }>},
    {"v_xad_u32", each<[](U a, U b, U c) { return (a ^ b) + c; }>},
    {"v_mul_lo_u32", each<[](U a, U b) { return a * b; }>},
    {"v_mul_hi_u32", each<[](U a, U b) { return U(L(a) * b >> 32); }>},
    {"v_mul_hi_i32", each<[](S a, S b) { return U(int64_t(a) * b >> 32); }>},
    {"v_mul_u32_u24", each<[](U a, U b) { return low24(a) * low24(b); }>},
    {"v_mul_i32_i24", each<[](U a, U b) { return U(int64_t(signExtended24(a)) * signExtended24(b)); }>},
    {"v_mul_hi_u32_u24", each<[](U a, U b) { return U(L(low24(a)) * low24(b) >> 32); }>},
    {"v_mul_hi_i32_i24", each<[](U a, U b) { return U(int64_t(signExtended24(a)) * signExtended24(b) >> 32); }>},
    {"v_mad_u32_u24", each<[](U a, U b, U c) { return low24(a) * low24(b) + c; }>},
    {"v_mad_i32_i24", each<[](U a, U b, U c) { return U(int64_t(signExtended24(a)) * signExtended24(b)) + c; }>},
    {"v_mad_u32_u16", each<[](W a, W b, U c) { return U(a) * b + c; }>},
    {"v_mad_i32_i16", each<[](int16_t a, int16_t b, U c) { return U(int32_t(a) * b) + c; }>},
    {"v_mad_u64_u32", multiplyAddWide<U, L>, 2},
    {"v_mad_i64_i32", multiplyAddWide<S, int64_t>, 2},
    {"v_min_u32", each<[](U a, U b) { return std::min(a, b); }>},
    {"v_max_u32", each<[](U a, U b) { return std::max(a, b); }>},
    {"v_min_i32", each<[](S a, S b) { return std::min(a, b); }>},
    {"v_max_i32", each<[](S a, S b) { return std::max(a, b); }>},
    {"v_min3_u32", each<[](U a, U b, U c) { return std::min({a, b, c}); }>},
    {"v_max3_u32", each<[](U a, U b, U c) { return std::max({a, b, c}); }>},
    {"v_min3_i32", each<[](S a, S b, S c) { return std::min({a, b, c}); }>},
    {"v_max3_i32", each<[](S a, S b, S c) { return std::max({a, b, c}); }>},
    {"v_med3_u32", each<[](U a, U b, U c) { return middleOf(a, b, c); }>},
    {"v_med3_i32", each<[](S a, S b, S c) { return middleOf(a, b, c); }>},
    {"v_maxmin_u32", each<[](U a, U b, U c) { return std::min(std::max(a, b), c); }>},
    {"v_minmax_u32", each<[](U a, U b, U c) { return std::max(std::min(a, b), c); }>},
    {"v_maxmin_i32", each<[](S a, S b, S c) { return std::min(std::max(a, b), c); }>},
    {"v_minmax_i32", each<[](S a, S b, S c) { return std::max(std::min(a, b), c); }>},
    {"v_and_b32", each<[](U a, U b) { return a & b; }>},
    {"v_or_b32", each<[](U a, U b) { return a | b; }>},
    {"v_xor_b32", each<[](U a, U b) { return a ^ b; }>},
    {"v_xnor_b32", each<[](U a, U b) { return ~(a ^ b); }>},
    {"v_not_b32", each<[](U x) { return ~x; }>},
    {"v_and_or_b32", each<[](U a, U b, U c) { return (a & b) | c; }>},
    {"v_or3_b32", each<[](U a, U b, U c) { return a | b | c; }>},
    {"v_xor3_b32", each<[](U a, U b, U c) { return a ^ b ^ c; }>},
    {"v_lshl_or_b32", each<[](U a, U b, U c) { return (a << (b & 31)) | c; }>},
    {"v_lshlrev_b32", each<[](U a, U b) { return b << (a & 31); }>},
    {"v_lshrrev_b32", each<[](U a, U b) { return b >> (a & 31); }>},
    {"v_ashrrev_i32", each<[](U a, S b) { return b >> (a & 31); }>},
    {"v_lshlrev_b64", each<[](U a, L b) { return b << (a & 63); }>},
    {"v_lshrrev_b64", each<[](U a, L b) { return b >> (a & 63); }>},
    {"v_ashrrev_i64", each<[](U a, int64_t b) { return b >> (a & 63); }>},
    {"v_bfe_u32", each<[](U x, U first, U length) { return x >> (first & 31) & ((1u << (length & 31)) - 1); }>},
    {"v_bfe_i32", each<[](S x, U first, U length) {
       length &= 31;
       return length == 0 ? 0 : S(U(x >> (first & 31)) << (32 - length)) >> (32 - length);
     }>},
    {"v_bfi_b32", each<[](U mask, U a, U b) { return (mask & a) | (~mask & b); }>},
    {"v_bfm_b32", each<[](U length, U first) { return ((1u << (length & 31)) - 1) << (first & 31); }>},
    {"v_bfrev_b32", each<[](U x) { return U(__builtin_bitreverse32(x)); }>},
    {"v_bcnt_u32_b32", each<[](U x, U y) { return U(std::popcount(x)) + y; }>},
    {"v_ffbh_u32", each<[](U x) { return x ? U(std::countl_zero(x)) : ~0u; }>},
    {"v_ffbl_b32", each<[](U x) { return x ? U(std::countr_zero(x)) : ~0u; }>},
    {"v_ffbh_i32", each<[](S x) { return x == 0 || x == -1 ? ~0u : U(std::countl_zero(U(x < 0 ? ~x : x))); }>},
    {"v_alignbit_b32", each<[](U a, U b, U c) { return U((L(a) << 32 | b) >> (c & 31)); }>},
    {"v_alignbyte_b32", each<[](U a, U b, U c) { return U((L(a) << 32 | b) >> (8 * (c & 3))); }>},
    {"v_perm_b32", each<permuted>},

    {"v_add_u16", each<[](W a, W b) { return W(a + b); }>},
    {"v_sub_u16", each<[](W a, W b) { return W(a - b); }>},
    {"v_subrev_u16", each<[](W a, W b) { return W(b - a); }>},
    {"v_mul_lo_u16", each<[](W a, W b) { return W(U(a) * b); }>},
    {"v_mad_u16", each<[](W a, W b, W c) { return W(U(a) * b + c); }>},
    {"v_mad_i16", each<[](W a, W b, W c) { return W(U(a) * b + c); }>},
    {"v_min_u16", each<[](W a, W b) { return std::min(a, b); }>},
    {"v_max_u16", each<[](W a, W b) { return std::max(a, b); }>},
    {"v_min_i16", each<[](int16_t a, int16_t b) { return std::min(a, b); }>},
    {"v_max_i16", each<[](int16_t a, int16_t b) { return std::max(a, b); }>},
    {"v_min3_u16", each<[](W a, W b, W c) { return std::min({a, b, c}); }>},
    {"v_max3_u16", each<[](W a, W b, W c) { return std::max({a, b, c}); }>},
    {"v_med3_u16", each<[](W a, W b, W c) { return middleOf(a, b, c); }>},
    {"v_min3_i16", each<[](int16_t a, int16_t b, int16_t c) { return std::min({a, b, c}); }>},
    {"v_max3_i16", each<[](int16_t a, int16_t b, int16_t c) { return std::max({a, b, c}); }>},
    {"v_med3_i16", each<[](int16_t a, int16_t b, int16_t c) { return middleOf(a, b, c); }>},
    {"v_and_b16", each<[](W a, W b) { return W(a & b); }>},
    {"v_or_b16", each<[](W a, W b) { return W(a | b); }>},
    {"v_xor_b16", each<[](W a, W b) { return W(a ^ b); }>},
    {"v_not_b16", each<[](W x) { return W(~x); }>},
    {"v_lshlrev_b16", each<[](W a, W b) { return W(b << (a & 15)); }>},
    {"v_lshrrev_b16", each<[](W a, W b) { return W(b >> (a & 15)); }>},
    {"v_ashrrev_i16", each<[](W a, int16_t b) { return int16_t(b >> (a & 15)); }>},
};

} // namespace

std::span<const Entry> integers() { return entries; }

} // namespace gcn
