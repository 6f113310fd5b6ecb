// Scalar instructions: what a wave computes once. Shifts take as many bits of their amount as matter.
#include "Lanes.h"

namespace gcn {

namespace {

template <typename Function> struct Signature;
template <typename Result, typename... Arguments> struct Signature<Result (*)(Arguments...)> {
  template <size_t... n>
  static Result call(Wave &wave, const Instruction &instruction, auto f, std::index_sequence<n...>) {
    return f(wave.scalar<Arguments>(instruction.operands.at(1 + n))...);
  }
  static constexpr size_t count = sizeof...(Arguments);
  using Type = Result;
};

/// The result of a function of the sources.
template <auto f> auto compute(Wave &wave, const Instruction &instruction) {
  using Of = Signature<decltype(+f)>;
  return Of::call(wave, instruction, f, std::make_index_sequence<Of::count>());
}

template <auto f> void plain(Wave &wave, const Instruction &instruction) {
  wave.setScalar(instruction.operands.at(0), compute<f>(wave, instruction));
}
/// ... which says whether it is not zero.
template <auto f> void tested(Wave &wave, const Instruction &instruction) {
  const auto result = compute<f>(wave, instruction);
  wave.setScalar(instruction.operands.at(0), result);
  wave.condition = result != 0;
}
/// A result and a condition.
template <auto f> void both(Wave &wave, const Instruction &instruction) {
  const auto [result, condition] = compute<f>(wave, instruction);
  wave.setScalar(instruction.operands.at(0), result);
  wave.condition = condition;
}

template <typename Value, bool isSubtraction> void addWithCarry(Wave &wave, const Instruction &instruction) {
  const uint64_t a = wave.scalar<uint32_t>(instruction.operands.at(1)),
                 b = wave.scalar<uint32_t>(instruction.operands.at(2));
  const uint64_t result = isSubtraction ? a - b - wave.condition : a + b + wave.condition;
  wave.condition = result >> 32 & 1;
  wave.setScalar(instruction.operands.at(0), uint32_t(result));
}

/// An operand and the constant of the instruction, which is one of 16 bits.
template <auto f> void withConstant(Wave &wave, const Instruction &instruction) {
  const auto constant = int16_t(instruction.operands.at(1).value);
  f(wave, instruction.operands.at(0), constant);
}

template <typename Value> void select(Wave &wave, const Instruction &instruction) {
  wave.setScalar(instruction.operands.at(0), wave.scalar<Value>(instruction.operands.at(wave.condition ? 1 : 2)));
}

template <typename Value> int32_t leadingZeros(Value x) { return x ? std::countl_zero(x) : -1; }
template <typename Value> int32_t trailingZeros(Value x) { return x ? std::countr_zero(x) : -1; }
/// Of bits that are as the sign; -1 where all are.
int32_t signBits(int32_t x) { return x == 0 || x == -1 ? -1 : std::countl_zero(uint32_t(x < 0 ? ~x : x)); }

struct WithCarry {
  uint32_t result;
  bool condition;
};
struct Extracted {
  uint64_t result;
  bool condition;
};

uint32_t bitfield(uint32_t x, uint32_t where) {
  const uint32_t first = where & 31, length = where >> 16 & 127;
  return length == 0 ? 0 : length >= 32 ? x >> first : x >> first & ((1u << length) - 1);
}
int32_t signedBitfield(int32_t x, uint32_t where) {
  const uint32_t length = where >> 16 & 127;
  if (length == 0)
    return 0;
  const uint32_t field = bitfield(uint32_t(x), where), shift = length >= 32 ? 0 : 32 - length;
  return int32_t(field << shift) >> shift;
}

const Entry entries[] = {
    {"s_mov_b32", plain<[](uint32_t x) { return x; }>},
    {"s_mov_b64", plain<[](uint64_t x) { return x; }>},
    {"s_movk_i32", withConstant<[](Wave &w, const Operand &to, int32_t k) { w.setScalar(to, uint32_t(k)); }>},
    {"s_addk_i32", withConstant<[](Wave &w, const Operand &to, int32_t k) {
       int32_t result;
       w.condition = __builtin_add_overflow(w.scalar<int32_t>(to), k, &result);
       w.setScalar(to, result);
     }>},
    {"s_mulk_i32", withConstant<[](Wave &w, const Operand &to, int32_t k) { w.setScalar(to, w.scalar<uint32_t>(to) * uint32_t(k)); }>},
    {"s_cmpk_eq_i32", withConstant<[](Wave &w, const Operand &x, int32_t k) { w.condition = w.scalar<int32_t>(x) == k; }>},
    {"s_cmpk_lg_i32", withConstant<[](Wave &w, const Operand &x, int32_t k) { w.condition = w.scalar<int32_t>(x) != k; }>},
    {"s_cmpk_gt_i32", withConstant<[](Wave &w, const Operand &x, int32_t k) { w.condition = w.scalar<int32_t>(x) > k; }>},
    {"s_cmpk_ge_i32", withConstant<[](Wave &w, const Operand &x, int32_t k) { w.condition = w.scalar<int32_t>(x) >= k; }>},
    {"s_cmpk_lt_i32", withConstant<[](Wave &w, const Operand &x, int32_t k) { w.condition = w.scalar<int32_t>(x) < k; }>},
    {"s_cmpk_le_i32", withConstant<[](Wave &w, const Operand &x, int32_t k) { w.condition = w.scalar<int32_t>(x) <= k; }>},
    {"s_cmpk_eq_u32", withConstant<[](Wave &w, const Operand &x, uint16_t k) { w.condition = w.scalar<uint32_t>(x) == k; }>},
    {"s_cmpk_lg_u32", withConstant<[](Wave &w, const Operand &x, uint16_t k) { w.condition = w.scalar<uint32_t>(x) != k; }>},
    {"s_cmpk_gt_u32", withConstant<[](Wave &w, const Operand &x, uint16_t k) { w.condition = w.scalar<uint32_t>(x) > k; }>},
    {"s_cmpk_ge_u32", withConstant<[](Wave &w, const Operand &x, uint16_t k) { w.condition = w.scalar<uint32_t>(x) >= k; }>},
    {"s_cmpk_lt_u32", withConstant<[](Wave &w, const Operand &x, uint16_t k) { w.condition = w.scalar<uint32_t>(x) < k; }>},
    {"s_cmpk_le_u32", withConstant<[](Wave &w, const Operand &x, uint16_t k) { w.condition = w.scalar<uint32_t>(x) <= k; }>},
    {"s_cmov_b32", [](Wave &w, const Instruction &i) { if (w.condition) w.setScalar(i.operands.at(0), w.scalar<uint32_t>(i.operands.at(1))); }},
    {"s_cmov_b64", [](Wave &w, const Instruction &i) { if (w.condition) w.setScalar(i.operands.at(0), w.scalar<uint64_t>(i.operands.at(1))); }},
    {"s_cselect_b32", select<uint32_t>},
    {"s_cselect_b64", select<uint64_t>},

    {"s_add_u32", both<[](uint32_t a, uint32_t b) { return WithCarry{a + b, a + b < a}; }>},
    {"s_sub_u32", both<[](uint32_t a, uint32_t b) { return WithCarry{a - b, a < b}; }>},
    {"s_addc_u32", addWithCarry<uint32_t, false>},
    {"s_subb_u32", addWithCarry<uint32_t, true>},
    {"s_add_i32", both<[](int32_t a, int32_t b) { int32_t r; const bool o = __builtin_add_overflow(a, b, &r); return WithCarry{uint32_t(r), o}; }>},
    {"s_sub_i32", both<[](int32_t a, int32_t b) { int32_t r; const bool o = __builtin_sub_overflow(a, b, &r); return WithCarry{uint32_t(r), o}; }>},
    {"s_add_nc_u64", plain<[](uint64_t a, uint64_t b) { return a + b; }>},
    {"s_sub_nc_u64", plain<[](uint64_t a, uint64_t b) { return a - b; }>},
    {"s_mul_u64", plain<[](uint64_t a, uint64_t b) { return a * b; }>},
    {"s_mul_i32", plain<[](uint32_t a, uint32_t b) { return a * b; }>},
    {"s_mul_hi_u32", plain<[](uint32_t a, uint32_t b) { return uint32_t(uint64_t(a) * b >> 32); }>},
    {"s_mul_hi_i32", plain<[](int32_t a, int32_t b) { return uint32_t(int64_t(a) * b >> 32); }>},
    {"s_min_i32", both<[](int32_t a, int32_t b) { return WithCarry{uint32_t(a < b ? a : b), a < b}; }>},
    {"s_max_i32", both<[](int32_t a, int32_t b) { return WithCarry{uint32_t(a > b ? a : b), a > b}; }>},
    {"s_min_u32", both<[](uint32_t a, uint32_t b) { return WithCarry{a < b ? a : b, a < b}; }>},
    {"s_max_u32", both<[](uint32_t a, uint32_t b) { return WithCarry{a > b ? a : b, a > b}; }>},
    {"s_abs_i32", tested<[](int32_t x) { return uint32_t(x < 0 ? 0u - uint32_t(x) : uint32_t(x)); }>},
    {"s_sext_i32_i8", plain<[](uint32_t x) { return uint32_t(int32_t(int8_t(x))); }>},
    {"s_sext_i32_i16", plain<[](uint32_t x) { return uint32_t(int32_t(int16_t(x))); }>},
    {"s_lshl1_add_u32", both<[](uint32_t a, uint32_t b) { const uint64_t r = (uint64_t(a) << 1) + b; return WithCarry{uint32_t(r), r >> 32 != 0}; }>},
    {"s_lshl2_add_u32", both<[](uint32_t a, uint32_t b) { const uint64_t r = (uint64_t(a) << 2) + b; return WithCarry{uint32_t(r), r >> 32 != 0}; }>},
    {"s_lshl3_add_u32", both<[](uint32_t a, uint32_t b) { const uint64_t r = (uint64_t(a) << 3) + b; return WithCarry{uint32_t(r), r >> 32 != 0}; }>},
    {"s_lshl4_add_u32", both<[](uint32_t a, uint32_t b) { const uint64_t r = (uint64_t(a) << 4) + b; return WithCarry{uint32_t(r), r >> 32 != 0}; }>},
    {"s_pack_ll_b32_b16", plain<[](uint32_t a, uint32_t b) { return (a & 0xffff) | b << 16; }>},
    {"s_pack_lh_b32_b16", plain<[](uint32_t a, uint32_t b) { return (a & 0xffff) | (b & 0xffff0000); }>},
    {"s_pack_hh_b32_b16", plain<[](uint32_t a, uint32_t b) { return a >> 16 | (b & 0xffff0000); }>},
    {"s_pack_hl_b32_b16", plain<[](uint32_t a, uint32_t b) { return a >> 16 | b << 16; }>},

    {"s_and_b32", tested<[](uint32_t a, uint32_t b) { return a & b; }>},
    {"s_and_b64", tested<[](uint64_t a, uint64_t b) { return a & b; }>},
    {"s_or_b32", tested<[](uint32_t a, uint32_t b) { return a | b; }>},
    {"s_or_b64", tested<[](uint64_t a, uint64_t b) { return a | b; }>},
    {"s_xor_b32", tested<[](uint32_t a, uint32_t b) { return a ^ b; }>},
    {"s_xor_b64", tested<[](uint64_t a, uint64_t b) { return a ^ b; }>},
    {"s_andn2_b32", tested<[](uint32_t a, uint32_t b) { return a & ~b; }>},
    {"s_andn2_b64", tested<[](uint64_t a, uint64_t b) { return a & ~b; }>},
    {"s_orn2_b32", tested<[](uint32_t a, uint32_t b) { return a | ~b; }>},
    {"s_orn2_b64", tested<[](uint64_t a, uint64_t b) { return a | ~b; }>},
    {"s_nand_b32", tested<[](uint32_t a, uint32_t b) { return ~(a & b); }>},
    {"s_nand_b64", tested<[](uint64_t a, uint64_t b) { return ~(a & b); }>},
    {"s_nor_b32", tested<[](uint32_t a, uint32_t b) { return ~(a | b); }>},
    {"s_nor_b64", tested<[](uint64_t a, uint64_t b) { return ~(a | b); }>},
    {"s_xnor_b32", tested<[](uint32_t a, uint32_t b) { return ~(a ^ b); }>},
    {"s_xnor_b64", tested<[](uint64_t a, uint64_t b) { return ~(a ^ b); }>},
    {"s_not_b32", tested<[](uint32_t x) { return ~x; }>},
    {"s_not_b64", tested<[](uint64_t x) { return ~x; }>},
    {"s_lshl_b32", tested<[](uint32_t a, uint32_t b) { return a << (b & 31); }>},
    {"s_lshl_b64", tested<[](uint64_t a, uint32_t b) { return a << (b & 63); }>},
    {"s_lshr_b32", tested<[](uint32_t a, uint32_t b) { return a >> (b & 31); }>},
    {"s_lshr_b64", tested<[](uint64_t a, uint32_t b) { return a >> (b & 63); }>},
    {"s_ashr_i32", tested<[](int32_t a, uint32_t b) { return a >> (b & 31); }>},
    {"s_ashr_i64", tested<[](int64_t a, uint32_t b) { return a >> (b & 63); }>},
    {"s_bfm_b32", plain<[](uint32_t a, uint32_t b) { return ((1u << (a & 31)) - 1) << (b & 31); }>},
    {"s_bfe_u32", tested<bitfield>},
    {"s_bfe_i32", tested<signedBitfield>},
    {"s_bfe_u64", tested<[](uint64_t x, uint32_t where) {
       const uint32_t length = where >> 16 & 127;
       return length == 0 ? 0 : length >= 64 ? x >> (where & 63) : x >> (where & 63) & ((uint64_t(1) << length) - 1);
     }>},
    {"s_brev_b32", plain<[](uint32_t x) { return __builtin_bitreverse32(x); }>},
    {"s_brev_b64", plain<[](uint64_t x) { return __builtin_bitreverse64(x); }>},
    {"s_bcnt1_i32_b32", tested<[](uint32_t x) { return uint32_t(std::popcount(x)); }>},
    {"s_bcnt1_i32_b64", tested<[](uint64_t x) { return uint32_t(std::popcount(x)); }>},
    {"s_ff1_i32_b32", plain<[](uint32_t x) { return trailingZeros(x); }>},
    {"s_ff1_i32_b64", plain<[](uint64_t x) { return trailingZeros(x); }>},
    {"s_flbit_i32_b32", plain<[](uint32_t x) { return leadingZeros(x); }>},
    {"s_flbit_i32_b64", plain<[](uint64_t x) { return leadingZeros(x); }>},
    {"s_flbit_i32", plain<signBits>},
    {"s_bitcmp0_b32", [](Wave &w, const Instruction &i) { w.condition = !(w.scalar<uint32_t>(i.operands.at(0)) >> (w.scalar<uint32_t>(i.operands.at(1)) & 31) & 1); }},
    {"s_bitcmp1_b32", [](Wave &w, const Instruction &i) { w.condition = w.scalar<uint32_t>(i.operands.at(0)) >> (w.scalar<uint32_t>(i.operands.at(1)) & 31) & 1; }},
    {"s_bitset0_b32", [](Wave &w, const Instruction &i) { w.setScalar(i.operands.at(0), w.scalar<uint32_t>(i.operands.at(0)) & ~(1u << (w.scalar<uint32_t>(i.operands.at(1)) & 31))); }},
    {"s_bitset1_b32", [](Wave &w, const Instruction &i) { w.setScalar(i.operands.at(0), w.scalar<uint32_t>(i.operands.at(0)) | 1u << (w.scalar<uint32_t>(i.operands.at(1)) & 31)); }},

    {"s_add_f32", plain<[](float a, float b) { return a + b; }>},
    {"s_sub_f32", plain<[](float a, float b) { return a - b; }>},
    {"s_mul_f32", plain<[](float a, float b) { return a * b; }>},
    {"s_min_num_f32", plain<[](float a, float b) { return std::fmin(a, b); }>},
    {"s_max_num_f32", plain<[](float a, float b) { return std::fmax(a, b); }>},
    {"s_minimum_f32", plain<[](float a, float b) { return a != a ? a : b != b ? b : std::fmin(a, b); }>},
    {"s_maximum_f32", plain<[](float a, float b) { return a != a ? a : b != b ? b : std::fmax(a, b); }>},
    {"s_fmac_f32", [](Wave &w, const Instruction &i) { w.setScalar(i.operands.at(0), std::fma(w.scalar<float>(i.operands.at(1)), w.scalar<float>(i.operands.at(2)), w.scalar<float>(i.operands.at(0)))); }},
    {"s_fmaak_f32", plain<[](float a, float b, float k) { return std::fma(a, b, k); }>},
    {"s_fmamk_f32", plain<[](float a, float k, float b) { return std::fma(a, k, b); }>},
    {"s_trunc_f32", plain<[](float x) { return std::trunc(x); }>},
    {"s_floor_f32", plain<[](float x) { return std::floor(x); }>},
    {"s_ceil_f32", plain<[](float x) { return std::ceil(x); }>},
    {"s_rndne_f32", plain<[](float x) { return std::nearbyint(x); }>},
    {"s_cvt_f32_i32", plain<[](int32_t x) { return float(x); }>},
    {"s_cvt_f32_u32", plain<[](uint32_t x) { return float(x); }>},
    {"s_cvt_i32_f32", plain<[](float x) { return uint32_t(x != x ? 0 : x <= -0x1p31f ? INT32_MIN : x >= 0x1p31f ? INT32_MAX : int32_t(x)); }>},
    {"s_cvt_u32_f32", plain<[](float x) { return x != x || x <= 0 ? 0u : x >= 0x1p32f ? UINT32_MAX : uint32_t(x); }>},
    {"s_cvt_f16_f32", plain<[](float x) { return uint32_t(toHalf(x).bits); }>},
    {"s_cvt_f32_f16", plain<[](uint32_t x) { return toFloat(Half{uint16_t(x)}); }>},

};

} // namespace

std::span<const Entry> scalarNumbers() { return entries; }

} // namespace gcn
