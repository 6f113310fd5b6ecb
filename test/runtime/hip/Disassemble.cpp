// Machine code -> instructions with their operands, by way of the text that LLVM's disassembler makes of it.
#include "Gcn.h"
#include "llvm-c/Disassembler.h"
#include "llvm-c/Target.h"
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace gcn {

namespace {

[[noreturn]] void refuse(const std::string &text, const char *why) {
  throw Error("cannot read the instruction '" + text + "': " + why);
}

/// Parts between separators that are outside of brackets.
std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (char c : text) {
    depth += (c == '[' || c == '(') - (c == ']' || c == ')');
    if (c == separator && depth == 0)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  for (std::string &part : parts) {
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
  }
  std::erase(parts, "");
  return parts;
}

bool consume(std::string &text, const char *prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.erase(0, strlen(prefix));
  return true;
}

/// "v7", "s[4:7]"
bool readRegister(std::string text, Operand &operand) {
  static const std::pair<const char *, uint16_t> names[] = {{"vcc_lo", vcc},
                                                            {"vcc_hi", vcc + 1},
                                                            {"exec_lo", exec},
                                                            {"exec_hi", exec + 1},
                                                            {"m0", m0},
                                                            {"null", null},
                                                            {"flat_scratch_lo", flatScratch},
                                                            {"flat_scratch_hi", flatScratch + 1}};
  static const std::pair<const char *, uint16_t> pairs[] = {
      {"vcc", vcc}, {"exec", exec}, {"flat_scratch", flatScratch}};
  for (auto [name, index] : names)
    if (text == name) {
      operand.kind = Operand::Scalar, operand.index = index;
      return true;
    }
  for (auto [name, index] : pairs)
    if (text == name) {
      operand.kind = Operand::Scalar, operand.index = index, operand.words = 2;
      return true;
    }
  uint16_t base = 0;
  if (consume(text, "ttmp"))
    operand.kind = Operand::Scalar, base = ttmp;
  else if (consume(text, "v"))
    operand.kind = Operand::Vector;
  else if (consume(text, "a"))
    operand.kind = Operand::Accumulator;
  else if (consume(text, "s"))
    operand.kind = Operand::Scalar;
  else
    return false;
  for (int half : {0, 1})
    if (text.ends_with(half ? ".h" : ".l")) {
      operand.half = int8_t(half);
      text.resize(text.size() - 2);
    }
  unsigned first, last;
  int length = 0;
  if (sscanf(text.c_str(), "[%u:%u]%n", &first, &last, &length) == 2 && size_t(length) == text.size())
    operand.words = uint16_t(last - first + 1);
  else if (!(sscanf(text.c_str(), "%u%n", &first, &length) == 1 && size_t(length) == text.size()))
    return false;
  operand.index = uint16_t(base + first);
  return true;
}

Operand readOperand(std::string text, const std::string &all) {
  Operand operand;
  if (text == "off")
    return operand;
  auto enclosed = [&](const char *open, const char *close) {
    if (!text.starts_with(open) || !text.ends_with(close))
      return false;
    text = text.substr(strlen(open), text.size() - strlen(open) - strlen(close));
    return true;
  };
  operand.isExtended = enclosed("sext(", ")");
  operand.isNegated = enclosed("neg(", ")");
  if (text.size() > 1 && text[0] == '-' && !isdigit(text[1]))
    operand.isNegated = true, text.erase(0, 1);
  operand.isAbsolute = enclosed("|", "|") || enclosed("abs(", ")");
  if (readRegister(text, operand))
    return operand;
  char *end;
  if (text.find('.') != std::string::npos) {
    operand.kind = Operand::Float;
    operand.number = strtod(text.c_str(), &end);
  } else {
    operand.kind = Operand::Integer;
    operand.value =
        text.starts_with("0x") ? int64_t(strtoull(text.c_str(), &end, 16)) : strtoll(text.c_str(), &end, 10);
  }
  if (*end || end == text.c_str())
    refuse(all, "it has an operand of an unknown kind");
  return operand;
}

void readBits(const std::string &text, bool (&bits)[4]) {
  size_t next = 0;
  for (char c : text)
    if (isdigit(c) && next < 4)
      bits[next++] = c == '1';
}

Part readPart(const std::string &text) {
  static const char *const names[] = {"DWORD", "BYTE_0", "BYTE_1", "BYTE_2", "BYTE_3", "WORD_0", "WORD_1"};
  for (uint8_t i = 0; i < 7; ++i)
    if (text == names[i])
      return Part(i);
  return Part::Whole;
}

/// False for what is no modifier.
bool readModifier(const std::string &word, Instruction &instruction) {
  const size_t colon = word.find(':');
  const std::string name = word.substr(0, colon), value = colon == std::string::npos ? "" : word.substr(colon + 1);
  const long number = strtol(value.c_str(), nullptr, 0);
  if (name == "offset")
    instruction.offset = number;
  else if (name == "offset0")
    instruction.offset0 = number;
  else if (name == "offset1")
    instruction.offset1 = number;
  else if (name == "clamp")
    instruction.isClamped = true;
  else if (name == "mul")
    instruction.factor = double(number);
  else if (name == "div")
    instruction.factor = 1 / double(number);
  else if (name == "op_sel")
    readBits(value, instruction.operandSelect);
  else if (name == "op_sel_hi")
    readBits(value, instruction.operandSelectHigh);
  else if (name == "neg_lo")
    readBits(value, instruction.negateLow);
  else if (name == "neg_hi")
    readBits(value, instruction.negateHigh);
  else if (name == "dst_sel")
    instruction.resultPart = readPart(value);
  else if (name == "src0_sel")
    instruction.sourceParts[0] = readPart(value);
  else if (name == "src1_sel")
    instruction.sourceParts[1] = readPart(value);
  else if (name == "dst_unused")
    instruction.keepsRest = value == "UNUSED_PRESERVE", instruction.extendsRest = value == "UNUSED_SEXT";
  else if (name == "gpr_idx(SRC0)")
    instruction.indexesSource = true;
  else if (name == "gpr_idx(DST)")
    instruction.indexesResult = true;
  else if (name == "offen" || name == "nt" || name == "sc0" || name == "sc1" || name == "glc" || name == "slc" ||
           name == "dlc" || name == "scope" || name == "th")
    ; // caches are not seen here
  else
    return false;
  return true;
}

Instruction parse(std::string text) {
  Instruction instruction;
  if (text.find("_mix") != std::string::npos) // floats, unless it says halves
    std::fill(std::begin(instruction.operandSelectHigh), std::end(instruction.operandSelectHigh), false);
  const size_t begin = text.find_first_not_of(" \t");
  text = text.substr(begin == std::string::npos ? 0 : begin);
  std::replace(text.begin(), text.end(), '\t', ' ');
  instruction.text = text;
  const size_t dual = text.find(" :: ");
  if (dual != std::string::npos) {
    instruction.second = std::make_unique<Instruction>(parse(text.substr(dual + 4)));
    text.resize(dual);
  }
  const size_t space = text.find(' ');
  instruction.name = text.substr(0, space);
  if (instruction.name.starts_with("v_dual_"))
    instruction.name.erase(2, 5);
  for (const char *suffix : {"_e64_dpp", "_e32", "_e64", "_sdwa", "_dpp"})
    if (instruction.name.ends_with(suffix)) {
      instruction.name.resize(instruction.name.size() - strlen(suffix));
      break;
    }
  if (space != std::string::npos && hasEffect(instruction.name)) {
    std::vector<std::string> parts = split(text.substr(space + 1), ',');
    for (size_t i = 0; i < parts.size(); ++i) {
      std::vector<std::string> words = split(parts[i], ' ');
      for (size_t w = 0; w < words.size(); ++w) {
        if (w == 0 && !(i + 1 == parts.size() && readModifier(words[0], instruction)))
          instruction.operands.push_back(readOperand(words[0], instruction.text));
        else if (w > 0 && !readModifier(words[w], instruction))
          refuse(instruction.text, ("it has an unknown modifier " + words[w]).c_str());
      }
    }
  }
  settle(instruction);
  return instruction;
}

/// What a kernel is launched with less registers than it names would take from another wave.
void checkRegisters(const Instruction &instruction, const Kernel &kernel) {
  for (const Operand &operand : instruction.operands) {
    const bool isAccumulator = operand.kind == Operand::Accumulator;
    if ((isAccumulator || operand.kind == Operand::Vector) &&
        operand.index + operand.words > (isAccumulator ? kernel.accumulators : kernel.vectors))
      throw Error("'" + instruction.text + "' names a register that kernel '" + kernel.name + "' is launched without");
  }
  if (instruction.second)
    checkRegisters(*instruction.second, kernel);
}

bool isEnd(const Instruction &instruction) {
  return instruction.name == "s_endpgm" || instruction.name == "s_branch" || instruction.name == "s_setpc_b64";
}

void initializeLLVM() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
  });
}

} // namespace

void disassemble(Module &module, Kernel &kernel) {
  initializeLLVM();
  std::unique_ptr<void, void (*)(LLVMDisasmContextRef)> context(
      LLVMCreateDisasmCPU("amdgcn-amd-amdhsa", module.chip.c_str(), nullptr, 0, nullptr, nullptr), LLVMDisasmDispose);
  if (!context)
    throw Error("LLVM does not know the chip " + module.chip);
  const auto begin = reinterpret_cast<uint64_t>(module.image.data()), end = begin + module.image.size();
  std::vector<uint64_t> open = {kernel.entry};
  while (!open.empty()) {
    uint64_t address = open.back();
    open.pop_back();
    while (!module.places.count(address)) {
      char text[256];
      if (address < begin || address >= end)
        throw Error("control leaves the code");
      const size_t bytes = LLVMDisasmInstruction(context.get(), reinterpret_cast<uint8_t *>(address), end - address,
                                                 address, text, sizeof text);
      if (bytes == 0)
        throw Error("LLVM cannot disassemble the code");
      Instruction instruction = parse(text);
      checkRegisters(instruction, kernel);
      instruction.address = address;
      instruction.next = address + bytes;
      module.places[address] = module.code.size();
      if (instruction.name == "s_branch" || instruction.name.starts_with("s_cbranch_")) {
        // In words of 32 bits behind the instruction.
        instruction.offset = int64_t(address) + 4 + 4 * int64_t(int16_t(instruction.operands.at(0).value));
        open.push_back(uint64_t(instruction.offset));
      }
      address = instruction.next;
      const bool ends = isEnd(instruction);
      module.code.push_back(std::move(instruction));
      if (ends)
        break;
    }
  }
  kernel.first = module.places.at(kernel.entry);
}

} // namespace gcn
