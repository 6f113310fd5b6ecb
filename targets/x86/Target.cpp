// What an x86 machine is: its features. They are found by CPUID, never by the name of the CPU, which virtual machines
// make up.
#include "cpu/Cpu.h"
#include "x86/X86.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace mlir;

namespace mlc {

/// The features that change which instructions are emitted, in LLVM's words. Others (caches, virtualization, security)
/// would only keep a model from running on machines that lack them.
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

/// Chips that mean a set of features; beside them, all names that LLVM knows.
static constexpr StringLiteral levels[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

StringRef X86Target::summary() const { return "CPUs of the x86-64 family, SSE to AVX-512"; }

/// The closest of the known words, for an error.
template <typename Words> static StringRef closest(StringRef given, const Words &words) {
  StringRef best;
  unsigned distance = std::max<size_t>(2, given.size() / 3) + 1;
  for (StringRef word : words)
    if (unsigned d = given.edit_distance(word, true, distance); d < distance)
      best = word, distance = d;
  return best;
}

static std::string join(ArrayRef<StringLiteral> words) {
  return llvm::join(SmallVector<StringRef>(words.begin(), words.end()), ", ");
}

static InFlightDiagnostic error(MLIRContext *context) { return emitError(UnknownLoc::get(context)); }

/// The features of `chip`, as flags.
static FailureOr<llvm::StringMap<bool>> featuresOf(MLIRContext *context, StringRef chip) {
  if (chip == "native")
    return llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> known, list;
  llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
  if (!llvm::is_contained(known, chip)) {
    auto diagnostic = error(context) << "unknown chip '" << chip << "' of target x86";
    if (StringRef best = closest(chip, known); !best.empty())
      diagnostic << "; did you mean '" << best << "'?";
    diagnostic << "; known are native, " << join(levels)
               << " and the names that LLVM knows, such as skylake-avx512 or znver4";
    return diagnostic;
  }
  llvm::X86::getFeaturesForCPU(chip, list, /*NeedPlus=*/false);
  llvm::StringMap<bool> flags;
  for (StringRef feature : list)
    flags[feature] = true;
  return flags;
}

FailureOr<TargetAttr> X86Target::describe(MLIRContext *context, StringRef chip, StringRef additions) const {
  if (chip.empty())
    chip = "native";
  FailureOr<llvm::StringMap<bool>> flags = featuresOf(context, chip);
  if (failed(flags))
    return failure();
  SmallVector<StringRef> parts;
  additions.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    part = part.trim();
    StringRef feature = part.drop_front();
    bool isOn = part.starts_with("+");
    if ((!isOn && !part.starts_with("-")) || !llvm::is_contained(instructionFeatures, feature)) {
      auto diagnostic = error(context) << "unknown feature '" << part << "' of target x86: expected + or - and one of "
                                       << join(instructionFeatures);
      return diagnostic;
    }
    // Turns on what it needs, off what needs it.
    llvm::X86::updateImpliedFeatures(feature, isOn, *flags);
    (*flags)[feature] = isOn;
  }
  auto has = [&](StringRef feature) { return flags->lookup(feature); };
  std::string list;
  for (StringRef feature : instructionFeatures)
    if (has(feature))
      list += (list.empty() ? "+" : ",+") + feature.str();
  unsigned vectorBytes = has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl") ? 64
                         : has("avx2") && has("fma")                                             ? 32
                                                                                                 : 16;
  return TargetAttr::get(context, name(), chip, list, vectorBytes);
}

void X86Target::lower(OpPassManager &passes, TargetAttr attr) const { cpu::lower(passes, attr, registerTiles(attr)); }

FailureOr<Binary> X86Target::emit(ModuleOp module, TargetAttr attr) const {
  return cpu::emit(module, attr, "x86_64-unknown-linux-gnu");
}

} // namespace mlc
