// PTX as a structure, and its execution on this machine: what the tests have for a GPU.
//
// It executes the text that mlc writes, one instruction of one thread after the other, after "Parallel Thread Execution
// ISA". What a GPU would leave undefined ends the launch with an error: an address outside of all memory, one that is
// not aligned, threads of a block that touch the same shared memory without a barrier between, a barrier that not all of
// them reach. Fresh memory is filled with a pattern.
#pragma once
#include "../gpu/Memory.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ptx {

using emulated::Error;
using emulated::Memory;

/// Numbers as in PTX: .pred, .b8 ... .f64.
struct Type {
  enum Kind : uint8_t { None, Bits, Unsigned, Signed, Float, Brain, Tensor } kind = None;
  uint8_t bits = 0;
  uint8_t lanes = 1; ///< 2 for f16x2
  bool operator==(const Type &) const = default;
};

enum class Space : uint8_t { Generic, Global, Shared, Local, Param, Const };

struct Operand {
  enum Kind : uint8_t { Register, Immediate, Special, Symbol, Address, List, Label } kind = Immediate;
  uint32_t index = 0;         ///< of a register, or which special one; of the instruction behind a label
  bool isRelative = false;    ///< of an address: to a register
  int64_t value = 0;          ///< an immediate; the offset of an address; where a symbol lies
  std::vector<Operand> parts; ///< {%r1, %r2}
};

enum class Code : uint8_t {
  Abs,
  Add,
  And,
  Bar,
  Bfe,
  Bra,
  Brev,
  Brx,
  Clz,
  Copysign,
  Cvt,
  Cvta,
  Div,
  Fma,
  Ld,
  Mad,
  Max,
  Min,
  Mma,
  Mov,
  Mul,
  Neg,
  Not,
  Or,
  Popc,
  Prmt,
  Rcp,
  Rem,
  Ret,
  Selp,
  Set,
  Setp,
  Shf,
  Shl,
  Shr,
  Sqrt,
  St,
  Sub,
  Testp,
  Xor
};
enum Modifier : uint32_t {
  Wide = 1 << 0,
  Low = 1 << 1,
  High = 1 << 2,
  Saturated = 1 << 3,
  PassesNaN = 1 << 4,
  ToInteger = 1 << 5, ///< .rni, .rzi, .rmi, .rpi
  ToNearest = 1 << 6, ///< .rn, .rni
  ToZero = 1 << 7,
  Down = 1 << 8,
  Up = 1 << 9,
  Left = 1 << 10,
  Right = 1 << 11,
  Wraps = 1 << 12,
  ToSpace = 1 << 13 ///< cvta.to
};
enum class Compare : uint8_t { None, Eq, Ne, Lt, Le, Gt, Ge, Lo, Ls, Hi, Hs, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };

struct Instruction {
  std::string text; ///< for errors
  Code code;
  uint32_t modifiers = 0;
  Compare compare = Compare::None;
  Type type, from, with; ///< of the result; of the operands, of which mma has two of different types
  Space space = Space::Generic;
  uint8_t vector = 1;
  int32_t guard = -1;
  bool isGuardNegated = false;
  std::vector<Operand> operands;
  bool has(Modifier modifier) const { return modifiers & modifier; }
};

struct Parameter {
  uint32_t offset, bytes;
};

struct Function {
  std::string name;
  std::vector<Parameter> parameters;
  uint32_t parameterBytes = 0, registers = 0, localBytes = 0, sharedBytes = 0;
  uint32_t threads[3] = {0, 0, 0}; ///< .reqntid, or .maxntid, which mlc means the same by; 0 where there is none
  std::vector<Instruction> code;
};

struct Module {
  unsigned target = 0;                           ///< 80 for sm_80
  std::map<std::string, uint32_t> shared;        ///< offsets of variables outside of functions
  uint32_t sharedBytes = 0;                      ///< of these
  std::map<std::string, std::vector<char>> data; ///< variables with their contents
  std::map<std::string, Function> functions;
};

/// Throws Error.
Module parse(const std::string &text);

/// Runs all blocks; throws Error.
void launch(const Module &module, const Function &function, const uint32_t (&blocks)[3], const uint32_t (&threads)[3],
            void *const *arguments, const Memory &memory);

} // namespace ptx
