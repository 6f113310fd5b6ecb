// Where a wave goes next, which of its lanes do, and loads of what all of them need.
#include "Lanes.h"

namespace gcn {

namespace {

template <typename Mask, auto f> void saveExec(Wave &wave, const Instruction &instruction) {
  const Mask before = Mask(wave.mask(exec)), source = wave.scalar<Mask>(instruction.operands.at(1));
  const Mask after = f(source, before);
  wave.setScalar(instruction.operands.at(0), before);
  wave.setMask(exec, after);
  wave.condition = after != 0;
}

template <auto holds> void branch(Wave &wave, const Instruction &instruction) {
  if (holds(wave))
    wave.jump(uint64_t(instruction.offset));
}

/// Loads of `bits` bits, or of a part of a word that is extended.
template <uint32_t words> void load(Wave &wave, const Instruction &instruction) {
  const Operand &to = instruction.operands.at(0), &offset = instruction.operands.at(2);
  const uint64_t address = (wave.scalar<uint64_t>(instruction.operands.at(1)) & ~uint64_t(3)) +
                           uint64_t(instruction.offset) +
                           (offset.kind == Operand::Integer ? uint64_t(offset.value) : wave.scalar<uint32_t>(offset));
  const char *place = wave.block.at(instruction, address & ~uint64_t(3), 4 * words);
  for (uint32_t i = 0; i < words; ++i)
    memcpy(&wave.scalars[to.index + i], place + 4 * i, 4);
}

template <typename Value> void loadPart(Wave &wave, const Instruction &instruction) {
  const Operand &offset = instruction.operands.at(2);
  const uint64_t address = wave.scalar<uint64_t>(instruction.operands.at(1)) + uint64_t(instruction.offset) +
                           (offset.kind == Operand::Integer ? uint64_t(offset.value) : wave.scalar<uint32_t>(offset));
  Value value;
  memcpy(&value, wave.block.at(instruction, address, sizeof value), sizeof value);
  wave.setScalar(instruction.operands.at(0), uint32_t(int32_t(value)));
}

const Entry entries[] = {
    {"s_and_saveexec_b32", saveExec<uint32_t, [](uint32_t s, uint32_t e) { return s & e; }>},
    {"s_and_saveexec_b64", saveExec<uint64_t, [](uint64_t s, uint64_t e) { return s & e; }>},
    {"s_or_saveexec_b32", saveExec<uint32_t, [](uint32_t s, uint32_t e) { return s | e; }>},
    {"s_or_saveexec_b64", saveExec<uint64_t, [](uint64_t s, uint64_t e) { return s | e; }>},
    {"s_xor_saveexec_b32", saveExec<uint32_t, [](uint32_t s, uint32_t e) { return s ^ e; }>},
    {"s_xor_saveexec_b64", saveExec<uint64_t, [](uint64_t s, uint64_t e) { return s ^ e; }>},
    {"s_andn2_saveexec_b32", saveExec<uint32_t, [](uint32_t s, uint32_t e) { return s & ~e; }>},
    {"s_andn2_saveexec_b64", saveExec<uint64_t, [](uint64_t s, uint64_t e) { return s & ~e; }>},
    {"s_orn2_saveexec_b32", saveExec<uint32_t, [](uint32_t s, uint32_t e) { return s | ~e; }>},
    {"s_orn2_saveexec_b64", saveExec<uint64_t, [](uint64_t s, uint64_t e) { return s | ~e; }>},

    {"s_branch", branch<[](Wave &) { return true; }>},
    {"s_cbranch_scc0", branch<[](Wave &w) { return !w.condition; }>},
    {"s_cbranch_scc1", branch<[](Wave &w) { return w.condition; }>},
    {"s_cbranch_vccz", branch<[](Wave &w) { return w.mask(vcc) == 0; }>},
    {"s_cbranch_vccnz", branch<[](Wave &w) { return w.mask(vcc) != 0; }>},
    {"s_cbranch_execz", branch<[](Wave &w) { return w.mask(exec) == 0; }>},
    {"s_cbranch_execnz", branch<[](Wave &w) { return w.mask(exec) != 0; }>},
    {"s_getpc_b64", [](Wave &w, const Instruction &i) { w.setScalar(i.operands.at(0), i.next); }},
    {"s_endpgm", [](Wave &w, const Instruction &) { w.state = Wave::Done; }},
    {"s_barrier", [](Wave &w, const Instruction &) { w.state = Wave::AtBarrier; }},
    {"s_barrier_wait", [](Wave &w, const Instruction &) { w.state = Wave::AtBarrier; }},
    {"s_set_gpr_idx_on",
     [](Wave &w, const Instruction &i) {
       const uint32_t index = w.scalar<uint32_t>(i.operands.at(0)) & 0xff;
       w.indexedSource = i.indexesSource ? index : 0;
       w.indexedResult = i.indexesResult ? index : 0;
     }},
    {"s_set_gpr_idx_off", [](Wave &w, const Instruction &) { w.indexedSource = w.indexedResult = 0; }},
    {"s_load_dword", load<1>},
    {"s_load_dwordx2", load<2>},
    {"s_load_dwordx3", load<3>},
    {"s_load_dwordx4", load<4>},
    {"s_load_dwordx8", load<8>},
    {"s_load_dwordx16", load<16>},
    {"s_load_b32", load<1>},
    {"s_load_b64", load<2>},
    {"s_load_b96", load<3>},
    {"s_load_b128", load<4>},
    {"s_load_b256", load<8>},
    {"s_load_b512", load<16>},
    {"s_load_u8", loadPart<uint8_t>},
    {"s_load_i8", loadPart<int8_t>},
    {"s_load_u16", loadPart<uint16_t>},
    {"s_load_i16", loadPart<int16_t>},
};

} // namespace

std::span<const Entry> scalarControl() { return entries; }

} // namespace gcn
