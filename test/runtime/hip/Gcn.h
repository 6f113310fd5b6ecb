// Code objects for GPUs of AMD, and their execution on this machine: what the tests have for a GPU.
//
// It executes the machine code that mlc writes, one instruction of one wave after the other, after AMD's "Instruction Set
// Architecture" references: of CDNA 2 (gfx90a) and CDNA 3 (gfx942, gfx950), of RDNA 3 (gfx1100) and RDNA 4 (gfx1200). LLVM
// says which instruction it is. What a GPU would leave undefined ends the launch with an error: an address outside of all
// memory, waves of a block that touch the same local memory without a barrier between, a barrier that not all of them
// reach. Fresh memory is filled with a pattern.
//
// What it does not see: whether the code waits for what it has loaded, and how instructions of matrix cores round.
#pragma once
#include "../gpu/Memory.h"
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gcn {

using emulated::Error;
using emulated::Memory;

/// CDNA 2 and 3; RDNA 2 and 3; RDNA 4.
enum class Generation : uint8_t { Gfx9, Gfx11, Gfx12 };

struct Operand {
  enum Kind : uint8_t { None, Vector, Accumulator, Scalar, Integer, Float } kind = None; ///< None: "off"
  bool isNegated = false, isAbsolute = false, isExtended = false;
  int8_t half = -1;   ///< of a register of 32 bits: 0 the low one, 1 the high one
  uint16_t index = 0; ///< of the first register
  uint16_t words = 1;
  int64_t value = 0; ///< of an integer
  double number = 0;
};

/// Scalar registers with names have the numbers of their encoding.
enum : uint16_t { flatScratch = 102, vcc = 106, ttmp = 108, m0 = 124, null = 125, exec = 126, scalarCount = 128 };

/// What sub-dword operands select.
enum class Part : uint8_t { Whole, Byte0, Byte1, Byte2, Byte3, Word0, Word1 };

class Wave;
struct Instruction;
using Executor = void (*)(Wave &, const Instruction &);

struct Instruction {
  std::string text; ///< for errors
  std::string name; ///< as AMD's first generation has it, without its encoding
  Executor execute = nullptr;
  uint8_t results = 1; ///< operands before the sources
  std::vector<Operand> operands;
  int64_t offset = 0, offset0 = 0, offset1 = 0;
  bool isClamped = false;
  bool indexesSource = false, indexesResult = false; ///< of s_set_gpr_idx_on
  double factor = 1;                                 ///< of the result
  bool operandSelect[4] = {}, operandSelectHigh[4] = {true, true, true, true}, negateLow[4] = {}, negateHigh[4] = {};
  Part resultPart = Part::Whole, sourceParts[2] = {Part::Whole, Part::Whole};
  bool keepsRest = false, extendsRest = false; ///< of a result that is a part
  uint64_t address = 0, next = 0;
  std::unique_ptr<Instruction> second; ///< at the same time
};

struct Argument {
  std::string kind; ///< "global_buffer", "by_value", or one that the driver fills in
  uint32_t offset = 0, bytes = 0;
};

struct Kernel {
  std::string name;
  std::vector<Argument> arguments;
  uint32_t argumentBytes = 0, localBytes = 0, privateBytes = 0, lanes = 64, mostThreads = 0;
  uint32_t vectors = 0, accumulators = 0; ///< registers of a lane that the kernel is launched with
  uint32_t threads[3] = {};
  uint32_t resources2 = 0; ///< compute_pgm_rsrc2
  uint16_t properties = 0; ///< kernel_code_properties
  uint64_t entry = 0;      ///< an address of the device
  size_t first = 0;        ///< the instruction there
};

struct Module {
  std::string chip;
  Generation generation = Generation::Gfx9;
  std::vector<char> image; ///< as it is loaded
  std::map<std::string, Kernel> kernels;
  std::vector<Instruction> code;
  std::map<uint64_t, size_t> places; ///< of instructions, by address
};

/// Throws Error.
std::unique_ptr<Module> load(const char *code);
/// The instructions of a kernel, as far as control can get from its first one, which is set.
void disassemble(Module &module, Kernel &kernel);
/// False for what only says how long to wait, or is about caches, which are not seen here, and for the first half of a barrier,
/// of which the second one waits.
bool hasEffect(const std::string &name);
/// Sets `execute` and `results` by the name.
void settle(Instruction &instruction);

/// Runs all blocks; throws Error.
void launch(const Module &module, const Kernel &kernel, const uint32_t (&blocks)[3], const uint32_t (&threads)[3],
            void *const *arguments, const Memory &memory);

} // namespace gcn
