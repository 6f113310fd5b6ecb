#include "../gpu/SmallFloats.h"
#include "Ptx.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace ptx {

namespace {

/// Where generic addresses of shared and local memory begin.
constexpr uint64_t sharedBase = 0x7000000000000000, localBase = 0x6000000000000000;

//===-- Numbers -------------------------------------------------------------------===//

uint64_t maskOf(unsigned bits) { return bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1; }
int64_t extended(uint64_t value, unsigned bits) { return int64_t(value << (64 - bits)) >> (64 - bits); }

bool isFloat(Type type) { return type.kind == Type::Float || type.kind == Type::Brain; }

double toDouble(uint64_t bits, Type type) {
  if (type.kind == Type::Brain)
    return emulated::fromSmall(bits, emulated::brainExponentBits);
  switch (type.bits) {
  case 16:
    return emulated::fromSmall(bits, emulated::halfExponentBits);
  case 32:
    return std::bit_cast<float>(uint32_t(bits));
  default:
    return std::bit_cast<double>(bits);
  }
}

uint64_t fromDouble(double value, Type type) {
  if (type.kind == Type::Brain)
    return emulated::toSmall(value, emulated::brainExponentBits);
  switch (type.bits) {
  case 16:
    return emulated::toSmall(value, emulated::halfExponentBits);
  case 32:
    return std::isnan(value) ? 0x7fffffff : std::bit_cast<uint32_t>(float(value));
  default:
    return std::bit_cast<uint64_t>(value);
  }
}

//===-- A block -------------------------------------------------------------------===//

struct Thread {
  enum State : uint8_t { Running, AtBarrier, AtWarp, Done } state = Running;
  uint32_t next = 0; ///< instruction
  uint32_t id[3];
  std::vector<uint64_t> registers;
  std::vector<char> local;
};

constexpr size_t warpThreads = 32;

class Block {
public:
  Block(const Function &function, const uint32_t (&blocks)[3], const uint32_t (&threads)[3],
        const std::vector<char> &parameters, const Memory &memory)
      : function(function), parameters(parameters), memory(memory), shared(function.sharedBytes),
        touches(function.sharedBytes) {
    std::copy(blocks, blocks + 3, grid);
    std::copy(threads, threads + 3, extents);
    all.resize(size_t(extents[0]) * extents[1] * extents[2]);
  }

  void run(const uint32_t (&place)[3]);

private:
  [[noreturn]] void fail(const std::string &what) const {
    throw Error(what + " in kernel '" + function.name + "', block (" + std::to_string(position[0]) + ", " +
                std::to_string(position[1]) + ", " + std::to_string(position[2]) + "), thread (" +
                std::to_string(thread->id[0]) + ", " + std::to_string(thread->id[1]) + ", " +
                std::to_string(thread->id[2]) + "): " + instruction->text);
  }
  void runWarp(size_t first);
  void runThread();
  void multiply(size_t first);
  void execute();
  uint64_t special(uint32_t which) const;
  uint64_t read(const Operand &operand) const {
    switch (operand.kind) {
    case Operand::Register:
      return thread->registers[operand.index];
    case Operand::Special:
      return special(operand.index);
    default:
      return uint64_t(operand.value);
    }
  }
  void write(const Operand &operand, uint64_t value, unsigned bits) {
    if (operand.kind != Operand::Register)
      fail("the result is no register");
    thread->registers[operand.index] = value & maskOf(bits);
  }
  uint64_t input(size_t i) const { return read(instruction->operands[i]); }
  void output(uint64_t value) {
    write(instruction->operands[0], value, instruction->type.bits * instruction->type.lanes);
  }
  int64_t integer(size_t i, Type type) const {
    const uint64_t value = input(i) & maskOf(type.bits);
    return type.kind == Type::Signed ? extended(value, type.bits) : int64_t(value);
  }

  char *placeOf(uint64_t address, Space space, size_t bytes, bool writes);
  void load();
  void store();
  void move();
  void convert();
  void compare();
  bool compareOnce(uint64_t a, uint64_t b, Type type) const;
  uint64_t arithmetic(uint64_t a, uint64_t b, uint64_t c, Type type) const;
  uint64_t floatArithmetic(uint64_t a, uint64_t b, uint64_t c, Type type) const;
  void integerArithmetic();

  const Function &function;
  const std::vector<char> &parameters;
  const Memory &memory;
  uint32_t grid[3], extents[3], position[3];
  std::vector<Thread> all;
  std::vector<char> shared;
  emulated::Touches touches;
  Thread *thread = nullptr;
  const Instruction *instruction = nullptr;
};

void Block::run(const uint32_t (&place)[3]) {
  std::copy(place, place + 3, position);
  std::fill(shared.begin(), shared.end(), char(emulated::pattern));
  touches.atBarrier();
  uint32_t number = 0;
  for (Thread &each : all) {
    each.state = Thread::Running;
    each.next = 0;
    each.id[0] = number % extents[0];
    each.id[1] = number / extents[0] % extents[1];
    each.id[2] = number / extents[0] / extents[1];
    each.registers.assign(function.registers, 0xCDCDCDCDCDCDCDCD);
    each.local.assign(function.localBytes, char(emulated::pattern));
    ++number;
  }
  for (;;) {
    size_t waiting = 0, done = 0;
    for (size_t first = 0; first < all.size(); first += warpThreads)
      runWarp(first);
    for (Thread &each : all)
      (each.state == Thread::Done ? done : waiting) += 1;
    if (done == all.size())
      return;
    if (done)
      fail(std::to_string(waiting) + " threads of a block wait at a barrier that the others do not reach,");
    touches.atBarrier();
    for (Thread &each : all)
      each.state = Thread::Running;
  }
}

/// Runs each of 32 threads until it ends or waits for the block. What they do together they do when all are there.
void Block::runWarp(size_t first) {
  const size_t last = std::min(first + warpThreads, all.size());
  for (;;) {
    size_t together = 0;
    for (size_t i = first; i < last; ++i) {
      thread = &all[i];
      runThread();
      together += thread->state == Thread::AtWarp;
    }
    if (!together)
      return;
    thread = &all[first];
    instruction = &function.code[thread->next - 1];
    for (size_t i = first; i < last; ++i)
      if (together != warpThreads || all[i].next != thread->next)
        fail("not all threads of a warp are at an instruction that they execute together,");
    multiply(first);
    for (size_t i = first; i < last; ++i)
      all[i].state = Thread::Running;
  }
}

/// mma.m16n8k8 of tf32, whose low 13 bits count for nothing, mma.m16n8k16 of f16 and bf16, and mma.m16n8k32 of bytes.
void Block::multiply(size_t first) {
  const Type sum = instruction->type;
  const uint32_t bits = instruction->from.bits, ofWord = 32 / bits, depth = 8 * ofWord;
  double left[16][32], right[32][8], sums[16][8]; // exact, where all are integers
  auto each = [&](auto act) {
    for (uint32_t lane = 0; lane < warpThreads; ++lane) {
      thread = &all[first + lane];
      act(lane / 4, lane % 4);
    }
  };
  auto number = [&](uint64_t value, Type type) {
    if (type.kind == Type::Tensor)
      return double(std::bit_cast<float>(uint32_t(value) & 0xffffe000));
    if (isFloat(type))
      return toDouble(value & maskOf(type.bits), type);
    const int64_t low = int64_t(value & maskOf(type.bits)), sign = int64_t(1) << (type.bits - 1);
    return double(type.kind == Type::Signed && (low & sign) ? low - 2 * sign : low);
  };
  auto element = [&](size_t operand, size_t part, uint32_t term, Type type) {
    return number(read(instruction->operands[operand].parts[part]) >> (bits * term), type);
  };
  each([&](uint32_t group, uint32_t inGroup) {
    for (uint32_t part = 0; part < 4; ++part) {
      for (uint32_t term = 0; term < ofWord; ++term)
        left[group + part % 2 * 8][(inGroup + part / 2 * 4) * ofWord + term] =
            element(1, part, term, instruction->from);
      sums[group + part / 2 * 8][2 * inGroup + part % 2] = element(3, part, 0, sum);
    }
    for (uint32_t part = 0; part < 2; ++part)
      for (uint32_t term = 0; term < ofWord; ++term)
        right[(inGroup + part * 4) * ofWord + term][group] = element(2, part, term, instruction->with);
  });
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column)
      for (uint32_t term = 0; term < depth; ++term)
        sums[row][column] += left[row][term] * right[term][column];
  each([&](uint32_t group, uint32_t inGroup) {
    for (uint32_t part = 0; part < 4; ++part) {
      const double value = sums[group + part / 2 * 8][2 * inGroup + part % 2];
      write(instruction->operands[0].parts[part],
            isFloat(sum) ? std::bit_cast<uint32_t>(float(value)) : uint32_t(int64_t(value)), 32);
    }
  });
}

void Block::runThread() {
  while (thread->state == Thread::Running) {
    if (thread->next >= function.code.size())
      throw Error("kernel '" + function.name + "' has no end");
    instruction = &function.code[thread->next++];
    if (instruction->guard >= 0 &&
        (thread->registers[uint32_t(instruction->guard)] & 1) == uint64_t(instruction->isGuardNegated))
      continue;
    execute();
  }
}

uint64_t Block::special(uint32_t which) const {
  const uint32_t *groups[] = {thread->id, extents, position, grid};
  if (which < 12)
    return groups[which / 3][which % 3];
  const uint32_t number = thread->id[0] + extents[0] * (thread->id[1] + extents[1] * thread->id[2]);
  return which == 12 ? number % 32 : number / 32;
}

//===-- Loads and stores ----------------------------------------------------------===//

char *Block::placeOf(uint64_t address, Space space, size_t bytes, bool writes) {
  if (space == Space::Generic && address >= sharedBase) {
    space = Space::Shared;
    address -= sharedBase;
  } else if (space == Space::Generic && address >= localBase) {
    space = Space::Local;
    address -= localBase;
  }
  if (address % bytes)
    fail("address " + std::to_string(address) + " is not a multiple of " + std::to_string(bytes));
  auto within = [&](std::vector<char> &block) {
    if (address + bytes > block.size())
      fail("address " + std::to_string(address) + " is outside of the " + std::to_string(block.size()) +
           " bytes there");
    return block.data() + address;
  };
  switch (space) {
  case Space::Shared: {
    address = uint32_t(address); // as wide as its addresses are
    char *place = within(shared);
    if (std::string race = touches.note(address, bytes, int32_t(thread - all.data()), writes); !race.empty())
      fail("touches " + race + ",");
    return place;
  }
  case Space::Local:
    return within(thread->local);
  case Space::Param:
    return within(const_cast<std::vector<char> &>(parameters));
  default:
    if (!memory.contains(address, bytes))
      fail("no memory of the device at an address");
    return reinterpret_cast<char *>(address);
  }
}

void Block::load() {
  const Operand &to = instruction->operands[0], &from = instruction->operands[1];
  const uint64_t address = (from.isRelative ? thread->registers[from.index] : 0) + uint64_t(from.value);
  const size_t bytes = instruction->type.bits / 8;
  const char *place = placeOf(address, instruction->space, bytes * instruction->vector, /*writes=*/false);
  for (unsigned i = 0; i < instruction->vector; ++i) {
    uint64_t value = 0;
    memcpy(&value, place + i * bytes, bytes);
    if (instruction->type.kind == Type::Signed)
      value = uint64_t(extended(value, instruction->type.bits));
    // A register may be wider than what is loaded.
    write(instruction->vector > 1 ? to.parts[i] : to, value, 64);
  }
}

void Block::store() {
  const Operand &to = instruction->operands[0], &from = instruction->operands[1];
  const uint64_t address = (to.isRelative ? thread->registers[to.index] : 0) + uint64_t(to.value);
  const size_t bytes = instruction->type.bits / 8;
  char *place = placeOf(address, instruction->space, bytes * instruction->vector, /*writes=*/true);
  for (unsigned i = 0; i < instruction->vector; ++i) {
    const uint64_t value = read(instruction->vector > 1 ? from.parts[i] : from);
    memcpy(place + i * bytes, &value, bytes);
  }
}

/// Packs and unpacks, too: mov.b32 %r1, {%rs1, %rs2};
void Block::move() {
  const Operand &to = instruction->operands[0], &from = instruction->operands[1];
  if (from.kind == Operand::List) {
    const unsigned bits = instruction->type.bits / unsigned(from.parts.size());
    uint64_t value = 0;
    for (size_t i = 0; i < from.parts.size(); ++i)
      value |= (read(from.parts[i]) & maskOf(bits)) << (bits * i);
    output(value);
  } else if (to.kind == Operand::List) {
    const unsigned bits = instruction->type.bits / unsigned(to.parts.size());
    const uint64_t value = read(from);
    for (size_t i = 0; i < to.parts.size(); ++i)
      if (to.parts[i].kind == Operand::Register) // "_" is none
        write(to.parts[i], value >> (bits * i), bits);
  } else {
    output(read(from));
  }
}

//===-- Arithmetic ----------------------------------------------------------------===//

double roundedToInteger(double value, const Instruction &instruction) {
  return instruction.has(ToZero) ? std::trunc(value)
         : instruction.has(Down) ? std::floor(value)
         : instruction.has(Up)   ? std::ceil(value)
                                 : std::nearbyint(value);
}

void Block::convert() {
  const Type to = instruction->type, from = instruction->from;
  if (to.kind == Type::Tensor) // rounded to 10 bits of the mantissa, ties away from zero
    return output(std::isnan(toDouble(input(1), from)) ? 0x7fffffff : (input(1) + 0x1000) & 0xffffe000);
  if (to.lanes > 1) { // two floats become a pair, the first its upper half
    const Type half = {to.kind, 16};
    output(fromDouble(toDouble(input(1), from), half) << 16 | fromDouble(toDouble(input(2), from), half));
    return;
  }
  const uint64_t bits = input(1) & maskOf(from.bits);
  if (!isFloat(from)) {
    const int64_t value = integer(1, from);
    if (!isFloat(to))
      return output(uint64_t(value));
    // Rounded once: what 64 bits hold may be more than a double does.
    if (to.bits == 32)
      return output(fromDouble(from.kind == Type::Signed ? float(value) : float(uint64_t(value)), to));
    return output(fromDouble(from.kind == Type::Signed ? double(value) : double(uint64_t(value)), to));
  }
  double value = toDouble(bits, from);
  if (isFloat(to)) {
    if (instruction->has(ToInteger))
      value = std::copysign(roundedToInteger(value, *instruction), value);
    else if (to.bits < from.bits && !instruction->has(ToNearest))
      fail("cannot round so");
    if (instruction->has(Saturated))
      value = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0);
    return output(fromDouble(value, to));
  }
  // Out of range it is the nearest that there is; NaN is 0.
  value = roundedToInteger(value, *instruction);
  const unsigned magnitudeBits = to.kind == Type::Signed ? to.bits - 1u : to.bits;
  const double limit = std::ldexp(1, int(magnitudeBits));
  if (std::isnan(value))
    output(0);
  else if (value >= limit)
    output(maskOf(magnitudeBits));
  else if (to.kind == Type::Signed)
    output(value < -limit ? uint64_t(1) << magnitudeBits : uint64_t(int64_t(value)));
  else
    output(value < 0 ? 0 : uint64_t(value));
}

bool Block::compareOnce(uint64_t a, uint64_t b, Type type) const {
  if (isFloat(type)) {
    const double x = toDouble(a, type), y = toDouble(b, type);
    const bool isUnordered = std::isnan(x) || std::isnan(y);
    switch (instruction->compare) {
    case Compare::Eq:
      return x == y;
    case Compare::Ne:
      return !isUnordered && x != y;
    case Compare::Lt:
      return x < y;
    case Compare::Le:
      return x <= y;
    case Compare::Gt:
      return x > y;
    case Compare::Ge:
      return x >= y;
    case Compare::Equ:
      return isUnordered || x == y;
    case Compare::Neu:
      return isUnordered || x != y;
    case Compare::Ltu:
      return isUnordered || x < y;
    case Compare::Leu:
      return isUnordered || x <= y;
    case Compare::Gtu:
      return isUnordered || x > y;
    case Compare::Geu:
      return isUnordered || x >= y;
    case Compare::Num:
      return !isUnordered;
    case Compare::Nan:
      return isUnordered;
    default:
      fail("cannot compare so");
    }
  }
  a &= maskOf(type.bits);
  b &= maskOf(type.bits);
  const bool isLess = type.kind == Type::Signed ? extended(a, type.bits) < extended(b, type.bits) : a < b;
  switch (instruction->compare) {
  case Compare::Eq:
    return a == b;
  case Compare::Ne:
    return a != b;
  case Compare::Lt:
  case Compare::Lo:
    return isLess;
  case Compare::Le:
  case Compare::Ls:
    return isLess || a == b;
  case Compare::Gt:
  case Compare::Hi:
    return !isLess && a != b;
  case Compare::Ge:
  case Compare::Hs:
    return !isLess;
  default:
    fail("cannot compare so");
  }
}

void Block::compare() {
  if (instruction->code == Code::Setp)
    return write(instruction->operands[0], compareOnce(input(1), input(2), instruction->type), 1);
  // set: all ones, or one as a float
  const bool holds = compareOnce(input(1), input(2), instruction->from);
  output(!holds ? 0 : isFloat(instruction->type) ? fromDouble(1, instruction->type) : ~uint64_t(0));
}

uint64_t Block::floatArithmetic(uint64_t a, uint64_t b, uint64_t c, Type type) const {
  const uint64_t sign = uint64_t(1) << (type.bits - 1);
  switch (instruction->code) { // of the bits
  case Code::Abs:
    return a & ~sign;
  case Code::Neg:
    return a ^ sign;
  case Code::Copysign: // the first operand's sign
    return (b & ~sign) | (a & sign);
  default:
    break;
  }
  const double x = toDouble(a, type), y = toDouble(b, type), z = toDouble(c, type);
  // A double holds twice the bits of a float and two more, so that rounding the result again changes nothing; except of
  // a sum of three.
  auto lessOf = [&](bool isMax) {
    if (std::isnan(x) || std::isnan(y))
      return instruction->has(PassesNaN) || (std::isnan(x) && std::isnan(y)) ? std::numeric_limits<double>::quiet_NaN()
             : std::isnan(x)                                                 ? y
                                                                             : x;
    const bool isSecond = x == y ? std::signbit(x) == isMax : (x < y) == isMax;
    return isSecond ? y : x;
  };
  double result;
  switch (instruction->code) {
  case Code::Add:
    result = x + y;
    break;
  case Code::Sub:
    result = x - y;
    break;
  case Code::Mul:
    result = x * y;
    break;
  case Code::Div:
    result = x / y;
    break;
  case Code::Rcp:
    result = 1 / x;
    break;
  case Code::Sqrt:
    result = std::sqrt(x);
    break;
  case Code::Max:
    result = lessOf(true);
    break;
  case Code::Min:
    result = lessOf(false);
    break;
  case Code::Fma:
    result = type.bits == 32 ? double(std::fma(float(x), float(y), float(z))) : std::fma(x, y, z);
    break;
  default:
    fail("no such operation on floats");
  }
  if (instruction->has(Saturated))
    result = std::isnan(result) ? 0 : std::clamp(result, 0.0, 1.0);
  return fromDouble(result, type);
}

void Block::integerArithmetic() {
  Type type = instruction->type;
  const size_t count = instruction->operands.size();
  const int64_t a = integer(1, type), b = count > 2 ? integer(2, type) : 0;
  const bool isSigned = type.kind == Type::Signed;
  const auto product = isSigned ? __int128(a) * b : __int128((unsigned __int128)(uint64_t(a)) * uint64_t(b));
  switch (instruction->code) {
  case Code::Add:
    return output(uint64_t(a) + uint64_t(b));
  case Code::Sub:
    return output(uint64_t(a) - uint64_t(b));
  case Code::Mul:
  case Code::Mad: {
    const uint64_t value = instruction->has(High) ? uint64_t(product >> type.bits) : uint64_t(product);
    const uint64_t sum = instruction->code == Code::Mad ? input(3) : 0;
    const unsigned bits = instruction->has(Wide) ? 2u * type.bits : type.bits;
    return write(instruction->operands[0], value + sum, bits);
  }
  case Code::Div:
    if (b == 0)
      return output(~uint64_t(0));
    return output(isSigned ? b == -1 ? 0 - uint64_t(a) : uint64_t(a / b) : uint64_t(a) / uint64_t(b));
  case Code::Rem:
    if (b == 0)
      return output(uint64_t(a));
    return output(isSigned ? b == -1 ? 0 : uint64_t(a % b) : uint64_t(a) % uint64_t(b));
  case Code::Abs:
    return output(a < 0 ? 0 - uint64_t(a) : uint64_t(a));
  case Code::Neg:
    return output(0 - uint64_t(a));
  case Code::Max:
    return output(uint64_t(isSigned ? std::max(a, b) : int64_t(std::max(uint64_t(a), uint64_t(b)))));
  case Code::Min:
    return output(uint64_t(isSigned ? std::min(a, b) : int64_t(std::min(uint64_t(a), uint64_t(b)))));
  case Code::And:
    return output(uint64_t(a & b));
  case Code::Or:
    return output(uint64_t(a | b));
  case Code::Xor:
    return output(uint64_t(a ^ b));
  case Code::Not:
    return output(~uint64_t(a));
  case Code::Shl:
  case Code::Shr: {
    const uint64_t amount = input(2) & maskOf(32);
    if (instruction->code == Code::Shl)
      return output(amount >= type.bits ? 0 : uint64_t(a) << amount);
    if (isSigned)
      return output(uint64_t(a >> std::min<uint64_t>(amount, type.bits - 1)));
    return output(amount >= type.bits ? 0 : uint64_t(a) >> amount);
  }
  case Code::Popc:
    return write(instruction->operands[0], uint64_t(std::popcount(uint64_t(a) & maskOf(type.bits))), 32);
  case Code::Clz:
    return write(instruction->operands[0],
                 uint64_t(std::countl_zero(uint64_t(a) & maskOf(type.bits)) - (64 - type.bits)), 32);
  case Code::Brev: {
    uint64_t reversed = 0;
    for (unsigned i = 0; i < type.bits; ++i)
      reversed |= (uint64_t(a) >> i & 1) << (type.bits - 1 - i);
    return output(reversed);
  }
  case Code::Bfe: {
    const uint64_t first = input(2) & 255, length = input(3) & 255;
    const uint64_t field =
        first >= type.bits ? 0 : (uint64_t(a) & maskOf(type.bits)) >> first & maskOf(unsigned(length));
    return output(isSigned && length ? uint64_t(extended(field, unsigned(length))) : field);
  }
  case Code::Shf: {
    const uint64_t pair = (input(2) & maskOf(32)) << 32 | (input(1) & maskOf(32));
    const uint64_t amount = instruction->has(Wraps) ? input(3) & 31 : std::min<uint64_t>(input(3) & maskOf(32), 32);
    return output(instruction->has(Left) ? (amount == 32 ? pair : pair << amount >> 32) : pair >> amount);
  }
  case Code::Prmt: {
    const uint64_t pair = (input(2) & maskOf(32)) << 32 | (input(1) & maskOf(32)), selection = input(3);
    uint64_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
      const uint64_t selector = selection >> (4 * i);
      uint64_t byte = pair >> (8 * (selector & 7)) & 255;
      if (selector & 8)
        byte = byte & 128 ? 255 : 0;
      value |= byte << (8 * i);
    }
    return output(value);
  }
  default:
    fail("no such operation on integers");
  }
}

void Block::execute() {
  const Type type = instruction->type;
  switch (instruction->code) {
  case Code::Ret:
    thread->state = Thread::Done;
    return;
  case Code::Bar:
    thread->state = Thread::AtBarrier;
    return;
  case Code::Mma:
    if (instruction->operands[1].parts.size() != 4 ||
        !(instruction->type == Type{Type::Float, 32} || instruction->type == Type{Type::Signed, 32}))
      fail("not known here");
    thread->state = Thread::AtWarp;
    return;
  case Code::Bra:
    thread->next = instruction->operands[0].index;
    return;
  case Code::Ld:
    return load();
  case Code::St:
    return store();
  case Code::Mov:
    return move();
  case Code::Cvt:
    return convert();
  case Code::Cvta: {
    const uint64_t base = instruction->space == Space::Shared  ? sharedBase
                          : instruction->space == Space::Local ? localBase
                                                               : 0;
    return output(instruction->has(ToSpace) ? input(1) - base : input(1) + base);
  }
  case Code::Setp:
  case Code::Set:
    return compare();
  case Code::Selp:
    return output(input(3) & 1 ? input(1) : input(2));
  case Code::Testp:
    fail("not known here");
  case Code::Brx:
    fail("not known here");
  default:
    break;
  }
  if (!isFloat(type))
    return integerArithmetic();
  const size_t count = instruction->operands.size();
  const uint64_t a = input(1), b = count > 2 ? input(2) : 0, c = count > 3 ? input(3) : 0;
  if (type.lanes == 1)
    return output(floatArithmetic(a, b, c, type));
  const Type half = {type.kind, 16};
  output(floatArithmetic(a & 0xffff, b & 0xffff, c & 0xffff, half) |
         floatArithmetic(a >> 16 & 0xffff, b >> 16 & 0xffff, c >> 16 & 0xffff, half) << 16);
}

} // namespace

void launch(const Module &module, const Function &function, const uint32_t (&blocks)[3], const uint32_t (&threads)[3],
            void *const *arguments, const Memory &memory) {
  if (function.threads[0] && !std::equal(threads, threads + 3, function.threads))
    throw Error("kernel '" + function.name + "' requires another number of threads");
  std::vector<char> parameters(function.parameterBytes);
  for (size_t i = 0; i < function.parameters.size(); ++i)
    memcpy(parameters.data() + function.parameters[i].offset, arguments[i], function.parameters[i].bytes);
  Memory all = memory;
  for (const auto &[name, contents] : module.data)
    all.add(reinterpret_cast<uint64_t>(contents.data()), contents.size());
  Block block(function, blocks, threads, parameters, all);
  for (uint32_t z = 0; z < blocks[2]; ++z)
    for (uint32_t y = 0; y < blocks[1]; ++y)
      for (uint32_t x = 0; x < blocks[0]; ++x)
        block.run({x, y, z});
}

} // namespace ptx
