// Vector instructions that move values: between registers, lanes, and from where a mask says.
#include "Lanes.h"

namespace gcn {

namespace {

void selectByMask(Wave &wave, const Instruction &instruction) {
  const uint64_t mask = wave.mask(instruction.operands.size() > 3 ? instruction.operands[3].index : uint16_t(vcc));
  forEachLane(wave,
              [&](uint32_t lane) { wave.out(instruction, lane, wave.in<float>(instruction, mask >> lane & 1, lane)); });
}
void selectHalfByMask(Wave &wave, const Instruction &instruction) {
  const uint64_t mask = wave.mask(instruction.operands.at(3).index);
  forEachLane(wave,
              [&](uint32_t lane) { wave.out(instruction, lane, wave.in<Half>(instruction, mask >> lane & 1, lane)); });
}

void readFirstLane(Wave &wave, const Instruction &instruction) {
  const uint64_t active = wave.mask(exec);
  const Operand &from = instruction.operands.at(1);
  wave.scalars[instruction.operands.at(0).index] =
      uint32_t(wave.bits(instruction, from, active ? uint32_t(std::countr_zero(active)) : 0, 32, false));
}
void readLane(Wave &wave, const Instruction &instruction) {
  const uint32_t lane = wave.scalar<uint32_t>(instruction.operands.at(2)) % wave.lanes();
  wave.scalars[instruction.operands.at(0).index] = wave.word(instruction.operands.at(1), lane, 0);
}
void writeLane(Wave &wave, const Instruction &instruction) {
  const uint32_t lane = wave.scalar<uint32_t>(instruction.operands.at(2)) % wave.lanes();
  wave.word(instruction.operands.at(0), lane, 0) = wave.scalar<uint32_t>(instruction.operands.at(1));
}

template <uint32_t first> void countBelow(Wave &wave, const Instruction &instruction) {
  forEachLane(wave, [&](uint32_t lane) {
    const uint64_t below = (uint64_t(1) << lane) - 1;
    const uint32_t mask = wave.in<uint32_t>(instruction, 0, lane) & uint32_t(below >> first);
    wave.out(instruction, lane, uint32_t(std::popcount(mask)) + wave.in<uint32_t>(instruction, 1, lane));
  });
}

const Entry entries[] = {
    {"v_nop", [](Wave &, const Instruction &) {}, 0},
    {"v_mov_b32", each<[](U x) { return x; }>},
    {"v_mov_b16", each<[](W x) { return x; }>},
    {"v_mov_b64", each<[](L x) { return x; }>},
    {"v_accvgpr_read_b32", each<[](U x) { return x; }>},
    {"v_accvgpr_write_b32", each<[](U x) { return x; }>},
    {"v_accvgpr_mov_b32", each<[](U x) { return x; }>},
    {"v_movrels_b32",
     [](Wave &w, const Instruction &i) {
       forEachLane(w, [&](uint32_t lane) { w.out(i, lane, w.word(i.operands.at(1), lane, w.scalars[m0])); });
     }},
    {"v_movreld_b32",
     [](Wave &w, const Instruction &i) {
       forEachLane(w, [&](uint32_t lane) { w.word(i.operands.at(0), lane, w.scalars[m0]) = w.in<U>(i, 0, lane); });
     }},
    {"v_readfirstlane_b32", readFirstLane},
    {"v_readlane_b32", readLane},
    {"v_writelane_b32", writeLane},
    {"v_mbcnt_lo_u32_b32", countBelow<0>},
    {"v_mbcnt_hi_u32_b32", countBelow<32>},
    {"v_cndmask_b32", selectByMask},
    {"v_cndmask_b16", selectHalfByMask},
    {"v_swap_b32",
     [](Wave &w, const Instruction &i) {
       forEachLane(
           w, [&](uint32_t lane) { std::swap(w.word(i.operands.at(0), lane, 0), w.word(i.operands.at(1), lane, 0)); });
     }},
};

} // namespace

std::span<const Entry> moves() { return entries; }

} // namespace gcn
