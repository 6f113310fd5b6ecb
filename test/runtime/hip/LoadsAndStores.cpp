// What lanes load and store: memory of the device, of the block, and their own.
#include "Lanes.h"

namespace gcn {

char *Block::at(const Instruction &instruction, uint64_t address, size_t bytes) const {
  if (!memory.contains(address, bytes))
    fail(instruction, "touches " + std::to_string(bytes) + " bytes where there is no memory of the device");
  return reinterpret_cast<char *>(address);
}

char *Block::touch(const Instruction &instruction, uint64_t offset, size_t bytes, uint16_t wave, bool writes) {
  if (offset > local.size() || bytes > local.size() - offset)
    fail(instruction,
         "touches local memory outside of the " + std::to_string(local.size()) + " bytes that the kernel has");
  if (std::string race = touches.note(offset, bytes, wave, writes); !race.empty())
    fail(instruction, "touches " + race);
  return local.data() + offset;
}

namespace {

/// What moves between memory and registers.
struct Access {
  size_t bytes;
  bool isSigned = false, isHalf = false, isHigh = false; ///< only a half of the register; the high one
};

Access accessOf(std::string name) {
  Access access = {};
  auto remove = [&](const std::string &part) {
    const size_t found = name.find(part);
    if (found == std::string::npos)
      return false;
    name.erase(found, part.size());
    return true;
  };
  if (remove("_d16_hi"))
    access.isHalf = access.isHigh = true;
  else if (remove("_d16"))
    access.isHalf = true;
  static const struct {
    const char *ending;
    size_t bytes;
    bool isSigned;
  } endings[] = {{"_dwordx2", 8, false}, {"_dwordx3", 12, false}, {"_dwordx4", 16, false}, {"_dword", 4, false},
                 {"_ubyte", 1, false},   {"_sbyte", 1, true},     {"_ushort", 2, false},   {"_sshort", 2, true},
                 {"_short", 2, false},   {"_byte", 1, false},     {"_b32", 4, false},      {"_b64", 8, false},
                 {"_b96", 12, false},    {"_b128", 16, false},    {"_u8", 1, false},       {"_i8", 1, true},
                 {"_u16", 2, false},     {"_i16", 2, true},       {"_b16", 2, false},      {"_b8", 1, false}};
  for (const auto &[ending, bytes, isSigned] : endings)
    if (name.ends_with(ending)) {
      access.bytes = bytes, access.isSigned = isSigned;
      return access;
    }
  return access;
}

void take(Wave &wave, const Operand &to, uint32_t lane, const Access &access, const char *from,
          uint32_t firstWord = 0) {
  if (access.bytes >= 4) {
    for (uint32_t i = 0; i < access.bytes / 4; ++i)
      memcpy(&wave.word(to, lane, firstWord + i), from + 4 * i, 4);
    return;
  }
  uint32_t value = access.bytes == 1 ? uint8_t(from[0]) : uint32_t(uint8_t(from[0]) | uint8_t(from[1]) << 8);
  if (access.isSigned)
    value = access.bytes == 1 ? uint32_t(int32_t(int8_t(value))) : uint32_t(int32_t(int16_t(value)));
  uint32_t &place = wave.word(to, lane, 0);
  if (!access.isHalf)
    place = value;
  else
    place = access.isHigh ? (place & 0xffff) | value << 16 : (place & 0xffff0000) | (value & 0xffff);
}

void give(Wave &wave, const Operand &from, uint32_t lane, const Access &access, char *to) {
  if (access.bytes >= 4) {
    for (uint32_t i = 0; i < access.bytes / 4; ++i)
      memcpy(to + 4 * i, &wave.word(from, lane, i), 4);
    return;
  }
  const uint32_t value = wave.word(from, lane, 0) >> (access.isHigh || from.half == 1 ? 16 : 0);
  memcpy(to, &value, access.bytes);
}

bool isStore(const Instruction &instruction) {
  return instruction.name.find("_store") != std::string::npos || instruction.name.find("_write") != std::string::npos;
}

//===-- Local memory ------------------------------------------------------------------===//

/// Whether each lane finds what it has stored: that of several lanes in one place, nobody knows which one stays.
void checkStored(Wave &wave, const Instruction &instruction, uint32_t lane, const Operand &from, const Access &access,
                 uint64_t offset) {
  char stored[16];
  give(wave, from, lane, access, stored);
  if (memcmp(stored, wave.block.local.data() + offset, access.bytes) != 0)
    fail(instruction, "stores another number in the place where lane " + std::to_string(lane) + " does");
}

/// One place, or two, whose offsets count elements, or 64 of them.
void local(Wave &wave, const Instruction &instruction) {
  const std::string &name = instruction.name;
  const auto contains = [&](const char *part) { return name.find(part) != std::string::npos; };
  const Access access = accessOf(name);
  const bool stores = isStore(instruction),
             isPair = contains("2st64") || contains("read2_") || contains("write2_") || contains("_2addr_");
  const uint64_t unit = !isPair ? 1 : access.bytes * (contains("st64") || contains("stride64") ? 64 : 1);
  const auto offsetOf = [&](uint64_t base, uint32_t part) {
    return base + unit * uint64_t(!isPair ? instruction.offset : part ? instruction.offset1 : instruction.offset0);
  };
  const Operand &address = instruction.operands.at(stores ? 0 : 1);
  const uint32_t parts = isPair ? 2 : 1;
  forEachLane(wave, [&](uint32_t lane) {
    const uint64_t base = wave.word(address, lane, 0); // before a load overwrites it
    for (uint32_t part = 0; part < parts; ++part) {
      char *place = wave.block.touch(instruction, offsetOf(base, part), access.bytes, wave.number, stores);
      if (stores)
        give(wave, instruction.operands.at(1 + part), lane, access, place);
      else
        take(wave, instruction.operands.at(0), lane, access, place, uint32_t(part * access.bytes / 4));
    }
  });
  if (stores)
    forEachLane(wave, [&](uint32_t lane) {
      for (uint32_t part = 0; part < parts; ++part)
        checkStored(wave, instruction, lane, instruction.operands.at(1 + part), access,
                    offsetOf(wave.word(address, lane, 0), part));
    });
}

//===-- Memory of the device ------------------------------------------------------------===//

void global(Wave &wave, const Instruction &instruction) {
  const Access access = accessOf(instruction.name);
  const bool stores = isStore(instruction);
  const Operand &address = instruction.operands.at(stores ? 0 : 1), &base = instruction.operands.at(2);
  forEachLane(wave, [&](uint32_t lane) {
    uint64_t at = uint64_t(instruction.offset) + wave.word(address, lane, 0);
    if (base.kind == Operand::None)
      at += uint64_t(wave.word(address, lane, 1)) << 32;
    else
      at += wave.scalar<uint64_t>(base);
    char *place = wave.block.at(instruction, at, access.bytes);
    if (stores)
      give(wave, instruction.operands.at(1), lane, access, place);
    else
      take(wave, instruction.operands.at(0), lane, access, place);
  });
}

//===-- Memory of a lane ----------------------------------------------------------------===//

void ownAccess(Wave &wave, const Instruction &instruction, uint32_t lane, uint64_t offset, const Operand &data) {
  const Access access = accessOf(instruction.name);
  const uint64_t size = wave.block.kernel.privateBytes;
  if (offset > size || access.bytes > size - offset)
    fail(instruction, "touches memory outside of the " + std::to_string(size) + " bytes that a lane has");
  char *place = wave.privates.data() + lane * size + offset;
  if (isStore(instruction))
    give(wave, data, lane, access, place);
  else
    take(wave, data, lane, access, place);
}

void scratch(Wave &wave, const Instruction &instruction) {
  const bool stores = isStore(instruction);
  const Operand &address = instruction.operands.at(stores ? 0 : 1), &base = instruction.operands.at(2);
  forEachLane(wave, [&](uint32_t lane) {
    const uint32_t offset = uint32_t(instruction.offset) +
                            (address.kind == Operand::None ? 0 : wave.word(address, lane, 0)) +
                            (base.kind == Operand::None ? 0 : wave.scalar<uint32_t>(base));
    ownAccess(wave, instruction, lane, offset, instruction.operands.at(stores ? 1 : 0));
  });
}

/// The first generation reaches it by a buffer of its own, and nothing else.
void buffer(Wave &wave, const Instruction &instruction) {
  const Operand &address = instruction.operands.at(1), &base = instruction.operands.at(3);
  if (base.kind != Operand::Integer || base.value != 0)
    fail(instruction, "is not known here");
  forEachLane(wave, [&](uint32_t lane) {
    const uint32_t offset =
        uint32_t(instruction.offset) + (address.kind == Operand::None ? 0 : wave.word(address, lane, 0));
    ownAccess(wave, instruction, lane, offset, instruction.operands.at(0));
  });
}

} // namespace

Executor findMemory(const std::string &name) {
  if (accessOf(name).bytes == 0)
    return nullptr;
  static const std::pair<const char *, Executor> prefixes[] = {
      {"ds_read", local},       {"ds_load_", local},       {"ds_write", local},        {"ds_store_", local},
      {"global_load_", global}, {"global_store_", global}, {"scratch_load_", scratch}, {"scratch_store_", scratch},
      {"buffer_load_", buffer}, {"buffer_store_", buffer}};
  for (auto [prefix, execute] : prefixes)
    if (name.starts_with(prefix))
      return execute;
  return nullptr;
}

} // namespace gcn
