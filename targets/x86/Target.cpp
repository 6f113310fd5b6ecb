// What an x86 machine is: its features. They are found by CPUID, never by the name of the CPU, which virtual machines
// make up.
#include "cpu/Cpu.h"
#include "cpu/Words.h"
#include "x86/X86.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include <mutex>

using namespace mlir;

namespace mlc {

static constexpr StringLiteral instructionFeatures[] = {"sse3",
                                                        "ssse3",
                                                        "sse4.1",
                                                        "sse4.2",
                                                        "popcnt",
                                                        "cx16",
                                                        "sahf",
                                                        "avx",
                                                        "avx2",
                                                        "fma",
                                                        "f16c",
                                                        "bmi",
                                                        "bmi2",
                                                        "lzcnt",
                                                        "movbe",
                                                        "avxvnni",
                                                        "avxvnniint8",
                                                        "avxvnniint16",
                                                        "avxifma",
                                                        "avxneconvert",
                                                        "avx512f",
                                                        "avx512cd",
                                                        "avx512bw",
                                                        "avx512dq",
                                                        "avx512vl",
                                                        "avx512ifma",
                                                        "avx512vbmi",
                                                        "avx512vbmi2",
                                                        "avx512vnni",
                                                        "avx512bitalg",
                                                        "avx512vpopcntdq",
                                                        "avx512bf16",
                                                        "avx512fp16",
                                                        "gfni",
                                                        "amx-tile",
                                                        "amx-int8",
                                                        "amx-bf16",
                                                        "amx-fp16"};

static constexpr StringLiteral levels[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

static void addNames(SmallVectorImpl<StringRef> &names) { llvm::X86::fillValidCPUArchList(names, /*Only64Bit=*/true); }

static const cpu::Words words = {"x86", levels, "skylake-avx512 or znver4", addNames, instructionFeatures};

StringRef X86Target::summary() const { return "CPUs of the x86-64 family, SSE to AVX-512"; }

SmallVector<StringRef> X86Target::chips() const { return cpu::chipsOf(words); }
SmallVector<StringRef> X86Target::features() const { return cpu::featuresOf(words); }

/// The features of `chip`, as flags.
static FailureOr<llvm::StringMap<bool>> featuresOf(MLIRContext *context, StringRef chip) {
  if (chip == "native")
    return llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> list;
  if (!llvm::is_contained(cpu::chipsOf(words), chip))
    return cpu::emitUnknownChip(context, words, chip);
  llvm::X86::getFeaturesForCPU(chip, list, /*NeedPlus=*/false);
  llvm::StringMap<bool> flags;
  for (StringRef feature : list)
    flags[feature] = true;
  return flags;
}

FailureOr<TargetAttr> X86Target::describe(MLIRContext *context, StringRef given, StringRef additions) const {
  FailureOr<StringRef> chip = cpu::settleChip(context, words, given, this == hostTarget());
  if (failed(chip))
    return failure();
  FailureOr<llvm::StringMap<bool>> flags = featuresOf(context, *chip);
  if (failed(flags))
    return failure();
  LogicalResult read = cpu::readFeatures(context, words, additions, [&](StringRef feature, bool isOn) {
    // Turns on what it needs, off what needs it.
    llvm::X86::updateImpliedFeatures(feature, isOn, *flags);
    (*flags)[feature] = isOn;
  });
  if (failed(read))
    return failure();
  auto has = [&](StringRef feature) { return flags->lookup(feature); };
  unsigned vectorBytes = has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl") ? 64
                         : has("avx2") && has("fma")                                             ? 32
                                                                                                 : 16;
  return TargetAttr::get(context, name(), *chip, cpu::writeFeatures(words, has), vectorBytes);
}

static void initializeLLVM() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
}

cpu::Machine X86Target::machine(TargetAttr attr) const {
  static std::once_flag once;
  std::call_once(once, initializeLLVM);
  std::string width = std::to_string(attr.getVectorBytes() * 8);
  // The features say it all; a name would only add a scheduling model that virtual machines lie about.
  cpu::Machine machine = {"x86_64-unknown-linux-gnu", "x86-64", "", {}};
  machine.functionAttributes = {{"prefer-vector-width", width}, {"min-legal-vector-width", width}};
  return machine;
}

} // namespace mlc
