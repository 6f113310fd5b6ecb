// Vector instructions on several numbers in a register, or in two.
#include "Lanes.h"

namespace gcn {

namespace {

/// Two numbers of 16 bits side by side.
template <auto f> void packed16(Wave &wave, const Instruction &instruction) {
  constexpr size_t count = [] {
    if constexpr (requires { f(Half(), Half(), Half()); } || requires { f(uint16_t(), uint16_t(), uint16_t()); })
      return size_t(3);
    else
      return size_t(2);
  }();
  forEachLane(wave, [&](uint32_t lane) {
    uint32_t result = 0;
    for (int high : {0, 1}) {
      uint16_t sources[3] = {};
      for (size_t n = 0; n < count; ++n) {
        const Operand &operand = instruction.operands.at(1 + n);
        uint32_t whole = operand.kind == Operand::Float ? toHalf(float(operand.number)).bits
                                                        : uint32_t(wave.bits(instruction, operand, lane, 32, false));
        const bool fromHigh = high ? instruction.operandSelectHigh[n] : instruction.operandSelect[n];
        sources[n] = uint16_t(fromHigh ? whole >> 16 : whole);
        if (high ? instruction.negateHigh[n] : instruction.negateLow[n])
          sources[n] ^= 0x8000;
      }
      uint16_t part;
      if constexpr (requires { f(Half(), Half(), Half()); })
        part = f(Half{sources[0]}, Half{sources[1]}, Half{sources[2]}).bits;
      else if constexpr (requires { f(Half(), Half()); })
        part = f(Half{sources[0]}, Half{sources[1]}).bits;
      else if constexpr (count == 3)
        part = uint16_t(f(sources[0], sources[1], sources[2]));
      else
        part = uint16_t(f(sources[0], sources[1]));
      result |= uint32_t(part) << (16 * high);
    }
    wave.out(instruction, lane, result);
  });
}

/// Two numbers of 32 bits in two registers.
template <auto f> void packed32(Wave &wave, const Instruction &instruction) {
  constexpr size_t count = Signature<decltype(+f)>::count;
  forEachLane(wave, [&](uint32_t lane) {
    uint64_t result = 0;
    for (int high : {0, 1}) {
      float sources[3] = {};
      for (size_t n = 0; n < count; ++n) {
        const Operand &operand = instruction.operands.at(1 + n);
        const bool fromHigh = high ? instruction.operandSelectHigh[n] : instruction.operandSelect[n];
        uint32_t value = operand.words > 1
                             ? uint32_t(wave.bits(instruction, operand, lane, 64, false) >> (fromHigh ? 32 : 0))
                             : uint32_t(wave.bits(instruction, operand, lane, 32, false));
        if (high ? instruction.negateHigh[n] : instruction.negateLow[n])
          value ^= 0x80000000;
        sources[n] = std::bit_cast<float>(value);
      }
      float part;
      if constexpr (count == 3)
        part = f(sources[0], sources[1], sources[2]);
      else
        part = f(sources[0], sources[1]);
      result |= uint64_t(std::bit_cast<uint32_t>(part)) << (32 * high);
    }
    wave.out(instruction, lane, result);
  });
}

/// Sources that are floats, or halves of registers.
float mixed(Wave &wave, const Instruction &instruction, size_t n, uint32_t lane) {
  const Operand &operand = instruction.operands.at(1 + n);
  uint32_t whole = uint32_t(wave.bits(instruction, operand, lane, 32, true));
  if (!instruction.operandSelectHigh[n])
    return std::bit_cast<float>(uint32_t(modified(whole, operand, 32)));
  return toFloat(Half{uint16_t(modified(instruction.operandSelect[n] ? whole >> 16 : whole & 0xffff, operand, 16))});
}
float mixedFma(Wave &wave, const Instruction &instruction, uint32_t lane) {
  return std::fma(mixed(wave, instruction, 0, lane), mixed(wave, instruction, 1, lane),
                  mixed(wave, instruction, 2, lane));
}
template <int high> void mixedHalf(Wave &wave, const Instruction &instruction) {
  forEachLane(wave, [&](uint32_t lane) {
    uint32_t &place = wave.word(instruction.operands.at(0), lane, 0);
    const uint32_t half = toHalf(finished(instruction, mixedFma(wave, instruction, lane))).bits;
    place = high ? (place & 0xffff) | half << 16 : (place & 0xffff0000) | half;
  });
}

/// `sum` and the products of four bytes.
uint32_t sumOfBytes(uint32_t a, bool aHasSign, uint32_t b, bool bHasSign, uint32_t sum) {
  for (int i = 0; i < 32; i += 8) {
    auto part = [&](uint32_t x, bool hasSign) { return hasSign ? int32_t(int8_t(x >> i)) : int32_t(uint8_t(x >> i)); };
    sum += uint32_t(part(a, aHasSign) * part(b, bHasSign));
  }
  return sum;
}

/// The same where `negateLow` says which have signs.
void dot4OfEither(Wave &wave, const Instruction &instruction) {
  forEachLane(wave, [&](uint32_t lane) {
    auto in = [&](size_t n) { return wave.in<uint32_t>(instruction, n, lane); };
    wave.out(instruction, lane, sumOfBytes(in(0), instruction.negateLow[0], in(1), instruction.negateLow[1], in(2)));
  });
}

const Entry entries[] = {
    {"v_pk_mov_b32",
     [](Wave &w, const Instruction &i) {
       forEachLane(w, [&](uint32_t lane) {
         auto part = [&](size_t n) { return w.in<L>(i, n, lane) >> (i.operandSelect[n] ? 32 : 0) & 0xffffffff; };
         w.out(i, lane, L(part(0) | part(1) << 32));
       });
     }},
    {"v_dot4_i32_i8", each<[](U a, U b, U c) { return sumOfBytes(a, true, b, true, c); }>},
    {"v_dot4c_i32_i8", update<[](U a, U b, U c) { return sumOfBytes(a, true, b, true, c); }>},
    {"v_dot4_u32_u8", each<[](U a, U b, U c) { return sumOfBytes(a, false, b, false, c); }>},
    {"v_dot4_i32_iu8", dot4OfEither},

    {"v_pk_add_u16", packed16<[](W a, W b) { return a + b; }>},
    {"v_pk_sub_i16", packed16<[](W a, W b) { return a - b; }>},
    {"v_pk_add_i16", packed16<[](W a, W b) { return a + b; }>},
    {"v_pk_sub_u16", packed16<[](W a, W b) { return a - b; }>},
    {"v_pk_mul_lo_u16", packed16<[](W a, W b) { return U(a) * b; }>},
    {"v_pk_mad_u16", packed16<[](W a, W b, W c) { return U(a) * b + c; }>},
    {"v_pk_mad_i16", packed16<[](W a, W b, W c) { return U(a) * b + c; }>},
    {"v_pk_lshlrev_b16", packed16<[](W a, W b) { return b << (a & 15); }>},
    {"v_pk_lshrrev_b16", packed16<[](W a, W b) { return b >> (a & 15); }>},
    {"v_pk_ashrrev_i16", packed16<[](W a, W b) { return int16_t(b) >> (a & 15); }>},
    {"v_pk_min_i16", packed16<[](W a, W b) { return std::min(int16_t(a), int16_t(b)); }>},
    {"v_pk_max_i16", packed16<[](W a, W b) { return std::max(int16_t(a), int16_t(b)); }>},
    {"v_pk_min_u16", packed16<[](W a, W b) { return std::min(a, b); }>},
    {"v_pk_max_u16", packed16<[](W a, W b) { return std::max(a, b); }>},

    {"v_pk_add_f32", packed32<[](F a, F b) { return a + b; }>},
    {"v_pk_mul_f32", packed32<[](F a, F b) { return a * b; }>},
    {"v_pk_fma_f32", packed32<[](F a, F b, F c) { return std::fma(a, b, c); }>},

    {"v_pk_add_f16", packed16<[](H a, H b) { return toHalf(toFloat(a) + toFloat(b)); }>},
    {"v_pk_mul_f16", packed16<[](H a, H b) { return toHalf(toFloat(a) * toFloat(b)); }>},
    {"v_pk_fma_f16", packed16<fmaOfHalves>},
    {"v_pk_max_f16", packed16<[](H a, H b) { return toHalf(maxNumber(toFloat(a), toFloat(b))); }>},
    {"v_pk_min_f16", packed16<[](H a, H b) { return toHalf(minNumber(toFloat(a), toFloat(b))); }>},
    {"v_pk_maximum_f16", packed16<[](H a, H b) { return toHalf(maximum(toFloat(a), toFloat(b))); }>},
    {"v_pk_minimum_f16", packed16<[](H a, H b) { return toHalf(minimum(toFloat(a), toFloat(b))); }>},
    {"v_pack_b32_f16", each<[](H a, H b) { return U(a.bits) | U(b.bits) << 16; }>},
    {"v_fma_mix_f32",
     [](Wave &w, const Instruction &i) {
       forEachLane(w, [&](uint32_t lane) { w.out(i, lane, mixedFma(w, i, lane)); });
     }},
    {"v_fma_mixlo_f16", mixedHalf<0>},
    {"v_fma_mixhi_f16", mixedHalf<1>},
};

} // namespace

std::span<const Entry> packed() { return entries; }

} // namespace gcn
