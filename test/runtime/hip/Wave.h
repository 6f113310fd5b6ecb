// The state of a wave and of its block, and how instructions read and write it.
#pragma once
#include "Gcn.h"
#include "Numbers.h"
#include <array>
#include <cstring>

namespace gcn {

/// What the waves of a block share.
struct Block {
  const Module &module;
  const Kernel &kernel;
  const Memory &memory;
  std::vector<char> local;
  emulated::Touches touches = emulated::Touches(local.size()); ///< by waves, whose lanes go along together

  /// Notes an access of local memory, which must be inside and may not meet another wave's.
  char *touch(const Instruction &instruction, uint64_t offset, size_t bytes, uint16_t wave, bool writes);
  /// Memory of the device.
  char *at(const Instruction &instruction, uint64_t address, size_t bytes) const;
};

class Wave {
public:
  Wave(Block &block, uint16_t number) : block(block), number(number) {}

  /// As it begins: with nothing in its registers that a result could be right with.
  void clear() {
    constexpr uint32_t nothing = 0x01010101u * emulated::pattern;
    vectors.assign(block.kernel.vectors * lanes(), nothing);
    accumulators.assign(block.kernel.accumulators * lanes(), nothing);
    scalars.fill(nothing);
    privates.assign(size_t(block.kernel.privateBytes) * lanes(), char(emulated::pattern));
    state = Running;
    indexedSource = indexedResult = 0;
  }

  Block &block;
  uint16_t number;
  enum : uint8_t { Running, AtBarrier, Done } state = Running;
  size_t next = 0;        ///< instruction
  bool condition = false; ///< SCC
  /// What is added to the number of a register: of a first source, of a result.
  uint32_t indexedSource = 0, indexedResult = 0;
  std::vector<uint32_t> vectors, accumulators;
  std::array<uint32_t, scalarCount> scalars;
  std::vector<char> privates; ///< memory of each lane, one after the other

  uint32_t lanes() const { return block.kernel.lanes; }
  bool isActive(uint32_t lane) const { return mask(exec) >> lane & 1; }
  /// A bit for each lane, in one register or two.
  uint64_t mask(uint16_t index) const {
    return index == null ? 0 : lanes() == 32 ? scalars[index] : scalars[index] | uint64_t(scalars[index + 1]) << 32;
  }
  void setMask(uint16_t index, uint64_t value) {
    if (index == null)
      return;
    scalars[index] = uint32_t(value);
    if (lanes() == 64)
      scalars[index + 1] = uint32_t(value >> 32);
  }

  /// Jumps to an address.
  void jump(uint64_t address) { next = block.module.places.at(address); }

  /// A register of a lane: the operand's first one, or one behind it.
  uint32_t &word(const Operand &operand, uint32_t lane, uint32_t i) {
    return (operand.kind == Operand::Accumulator ? accumulators : vectors)[(operand.index + i) * lanes() + lane];
  }

  /// The bits of a source: 32 or 64 of them.
  uint64_t bits(const Instruction &instruction, const Operand &operand, uint32_t lane, unsigned width, bool isFloat);
  /// Source `n` as a number of type `Value`.
  template <typename Value> Value in(const Instruction &instruction, size_t n, uint32_t lane);
  /// What the result was.
  template <typename Value> Value old(const Instruction &instruction, uint32_t lane);
  template <typename Value> void out(const Instruction &instruction, uint32_t lane, Value value);

  /// Of scalar instructions.
  template <typename Value> Value scalar(const Operand &operand);
  template <typename Value> void setScalar(const Operand &operand, Value value);

  /// Writes that wait until both halves of a pair of instructions have read.
  struct Pending {
    uint32_t *place;
    uint32_t value;
  };
  std::vector<Pending> *pending = nullptr;
  void store(uint32_t &place, uint32_t value) {
    if (pending)
      pending->push_back({&place, value});
    else
      place = value;
  }
};

[[noreturn]] void fail(const Instruction &instruction, const std::string &what);

template <typename Value> constexpr bool isFloat = std::is_floating_point_v<Value> || std::is_same_v<Value, Half>;

/// The bits of a float with the modifiers of its operand.
inline uint64_t modified(uint64_t bits, const Operand &operand, unsigned width) {
  const uint64_t sign = uint64_t(1) << (width - 1);
  if (operand.isAbsolute)
    bits &= ~sign;
  return operand.isNegated ? bits ^ sign : bits;
}

template <typename Value> Value fromBits(uint64_t bits) {
  if constexpr (std::is_same_v<Value, float>)
    return std::bit_cast<float>(uint32_t(bits));
  else if constexpr (std::is_same_v<Value, double>)
    return std::bit_cast<double>(bits);
  else if constexpr (std::is_same_v<Value, Half>)
    return Half{uint16_t(bits)};
  else
    return Value(bits);
}

template <typename Value> uint64_t toBits(Value value) {
  if constexpr (std::is_same_v<Value, float>)
    return std::bit_cast<uint32_t>(value);
  else if constexpr (std::is_same_v<Value, double>)
    return std::bit_cast<uint64_t>(value);
  else if constexpr (std::is_same_v<Value, Half>)
    return value.bits;
  else if constexpr (std::is_same_v<Value, bool>)
    return value;
  else
    return uint64_t(std::make_unsigned_t<Value>(value));
}

template <typename Value> Value Wave::in(const Instruction &instruction, size_t n, uint32_t lane) {
  constexpr unsigned width = std::is_same_v<Value, Half> ? 16 : 8 * sizeof(Value);
  const size_t place = instruction.results + n;
  if (place >= instruction.operands.size())
    fail(instruction, "has too few operands");
  const Operand &operand = instruction.operands[place];
  uint64_t value = bits(instruction, operand, lane, width, isFloat<Value>);
  const Part part = n < 2 ? instruction.sourceParts[n] : Part::Whole;
  if (part != Part::Whole) {
    const bool isByte = part <= Part::Byte3;
    const unsigned shift = isByte ? 8 * (unsigned(part) - unsigned(Part::Byte0)) : part == Part::Word1 ? 16 : 0;
    // A part of a register of 32 bits, whatever the instruction works on.
    const uint64_t whole = operand.kind == Operand::Vector ? word(operand, lane, 0) : value;
    const uint64_t field = whole >> shift & (isByte ? 0xff : 0xffff);
    value = operand.isExtended ? uint64_t(isByte ? int64_t(int8_t(field)) : int64_t(int16_t(field))) : field;
  } else if (width == 16 && operand.half < 0 && operand.kind != Operand::Integer && operand.kind != Operand::Float &&
             n < 4 && instruction.operandSelect[n]) {
    value = (operand.kind == Operand::Vector ? word(operand, lane, 0) : scalars[operand.index]) >> 16;
  }
  if (isFloat<Value>)
    value = modified(value, operand, width);
  return fromBits<Value>(value);
}

template <typename Value> Value Wave::old(const Instruction &instruction, uint32_t lane) {
  constexpr unsigned width = std::is_same_v<Value, Half> ? 16 : 8 * sizeof(Value);
  return fromBits<Value>(bits(instruction, instruction.operands.at(0), lane, width, false));
}

/// A float as an instruction gives it.
template <typename Value> Value finished(const Instruction &instruction, Value value) {
  if constexpr (std::is_same_v<Value, Half>) {
    if (instruction.factor == 1 && !instruction.isClamped)
      return value;
    return toHalf(finished(instruction, toFloat(value)));
  } else if constexpr (std::is_floating_point_v<Value>) {
    if (instruction.factor != 1) // which would make a signaling NaN a quiet one
      value = Value(value * instruction.factor);
    if (instruction.isClamped)
      value = value >= 0 ? std::min<Value>(value, 1) : 0; // NaN, too
  }
  return value;
}

template <typename Value> void Wave::out(const Instruction &instruction, uint32_t lane, Value value) {
  const Operand &operand = instruction.operands.at(0);
  const uint64_t result = toBits(finished(instruction, value));
  if (operand.kind == Operand::Scalar) { // of readfirstlane and the like
    scalars[operand.index] = uint32_t(result);
    return;
  }
  uint32_t &place = word(operand, lane, indexedResult);
  if constexpr (sizeof(Value) == 8) {
    store(place, uint32_t(result));
    store(word(operand, lane, indexedResult + 1), uint32_t(result >> 32));
  } else if (instruction.resultPart != Part::Whole) {
    const bool isByte = instruction.resultPart <= Part::Byte3;
    const unsigned shift = isByte ? 8 * (unsigned(instruction.resultPart) - unsigned(Part::Byte0))
                           : instruction.resultPart == Part::Word1 ? 16
                                                                   : 0;
    const uint32_t field = isByte ? 0xff : 0xffff, part = uint32_t(result) & field;
    uint32_t rest = instruction.keepsRest ? place & ~(field << shift) : 0;
    if (instruction.extendsRest && (part & (isByte ? 0x80 : 0x8000)))
      rest = shift + (isByte ? 8 : 16) < 32 ? ~0u << (shift + (isByte ? 8 : 16)) : 0;
    store(place, rest | part << shift);
  } else if constexpr (sizeof(Value) == 2) {
    // A half of a register keeps the other one; the first generation has no halves, and clears it.
    const bool isHigh = operand.half == 1 || (operand.half < 0 && instruction.operandSelect[3]);
    if (isHigh)
      store(place, (place & 0xffff) | uint32_t(result) << 16);
    else
      store(place, (block.module.generation == Generation::Gfx9 ? 0 : place & 0xffff0000) | uint32_t(result));
  } else {
    store(place, uint32_t(result));
  }
}

template <typename Value> Value Wave::scalar(const Operand &operand) {
  constexpr unsigned width = 8 * sizeof(Value);
  uint64_t value = 0;
  if (operand.kind == Operand::Scalar && operand.index != null)
    value =
        scalars[operand.index] | (width == 64 && operand.words > 1 ? uint64_t(scalars[operand.index + 1]) << 32 : 0);
  else if (operand.kind == Operand::Integer)
    value = uint64_t(operand.value);
  else if (operand.kind == Operand::Float)
    value = width == 64 ? std::bit_cast<uint64_t>(operand.number) : std::bit_cast<uint32_t>(float(operand.number));
  if (isFloat<Value>)
    value = modified(value, operand, width);
  return fromBits<Value>(value);
}

template <typename Value> void Wave::setScalar(const Operand &operand, Value value) {
  if (operand.kind != Operand::Scalar || operand.index == null)
    return;
  const uint64_t result = toBits(value);
  scalars[operand.index] = uint32_t(result);
  if (sizeof(Value) == 8 && operand.words > 1)
    scalars[operand.index + 1] = uint32_t(result >> 32);
}

//===-- Tables of instructions -----------------------------------------------------===//

struct Entry {
  const char *name;
  Executor execute;
  uint8_t results = 1;
};

/// What executes the instructions whose names say their types and widths; null if it is none of these.
Executor findComparison(const std::string &name);
Executor findMemory(const std::string &name);
Executor findMatrix(const std::string &name);

} // namespace gcn
