// What a RISC-V machine is: its extensions, as LLVM's tables have them for chips, profiles and names of instruction sets.
#include "cpu/Words.h"
#include "riscv/Riscv.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/RISCVISAInfo.h"
#include "llvm/TargetParser/RISCVTargetParser.h"
#include <mutex>

using namespace mlir;

namespace mlc {

/// Beside rv64gc, which all have. Those of runtime/cpu/riscv/Features.cpp, which looks for them.
static constexpr StringLiteral instructionFeatures[] = {"zba", "zbb", "zbs",     "zicond",  "zfa",     "zfhmin",
                                                        "zfh", "v",   "zvl256b", "zvl512b", "zvfhmin", "zvfh"};

/// What every machine that runs Linux's usual programs has.
static constexpr StringLiteral baseFeatures[] = {"m", "a", "f", "d", "c"};

static constexpr StringLiteral levels[] = {"rv64gc", "rv64gcv", "rva22u64", "rva23u64"};

static void addNames(SmallVectorImpl<StringRef> &names) {
  llvm::RISCV::fillValidCPUArchList(names, /*IsRV64=*/true);
  llvm::erase_if(names, [](StringRef name) {
    auto info = llvm::RISCVISAInfo::parseNormalizedArchString(llvm::RISCV::getMArchFromMcpu(name));
    return !info || !llvm::all_of(baseFeatures, [&](StringRef feature) { return (*info)->hasExtension(feature); });
  });
}

static const cpu::Words words = {"riscv", levels, "sifive-x280 or spacemit-x60", addNames, instructionFeatures};

StringRef RiscvTarget::summary() const { return "CPUs of the RISC-V family, 64 bits, with and without vectors"; }

SmallVector<StringRef> RiscvTarget::chips() const { return cpu::chipsOf(words); }
SmallVector<StringRef> RiscvTarget::features() const { return cpu::featuresOf(words); }

using Extensions = llvm::StringMap<bool>;

/// All that `features` imply, or what LLVM says is wrong with them.
static llvm::Expected<Extensions> closure(const std::vector<std::string> &features) {
  auto info = llvm::RISCVISAInfo::parseFeatures(64, features);
  if (!info)
    return info.takeError();
  Extensions result;
  for (const auto &[name, version] : (*info)->getExtensions())
    result[name] = true;
  return result;
}

static InFlightDiagnostic error(MLIRContext *context) { return emitError(UnknownLoc::get(context)); }

/// The extensions of `chip`, as features.
static FailureOr<std::vector<std::string>> extensionsOf(MLIRContext *context, StringRef chip) {
  if (chip == "native") {
    std::vector<std::string> features;
    for (const auto &[name, isOn] : llvm::sys::getHostCPUFeatures())
      if (isOn)
        features.push_back("+" + name.str());
    return features;
  }
  // Chips may have extensions that are experimental still; their names are not written out by users.
  auto info = llvm::RISCV::parseCPU(chip, /*IsRV64=*/true)
                  ? llvm::RISCVISAInfo::parseNormalizedArchString(llvm::RISCV::getMArchFromMcpu(chip))
                  : llvm::RISCVISAInfo::parseArchString(chip, /*EnableExperimentalExtension=*/false);
  if (info)
    return (*info)->toFeatures();
  llvm::consumeError(info.takeError());
  return cpu::emitUnknownChip(context, words, chip);
}

/// Whether `extension` is of no use without `other`.
static bool needs(StringRef extension, StringRef other) {
  if (extension.starts_with("zv") && other == "v") // or a lesser kind of vectors, which Linux does not tell of
    return true;
  llvm::Expected<Extensions> implied = closure({("+" + extension).str()});
  if (!implied) {
    llvm::consumeError(implied.takeError());
    return extension == other;
  }
  return implied->contains(other);
}

FailureOr<TargetAttr> RiscvTarget::describe(MLIRContext *context, StringRef given, StringRef additions) const {
  FailureOr<StringRef> chip = cpu::settleChip(context, words, given, this == hostTarget());
  if (failed(chip))
    return failure();
  FailureOr<std::vector<std::string>> features = extensionsOf(context, *chip);
  if (failed(features))
    return failure();
  LogicalResult read = cpu::readFeatures(context, words, additions, [&](StringRef feature, bool isOn) {
    if (isOn)
      return features->push_back(("+" + feature).str());
    llvm::erase_if(*features, [&](StringRef other) { return needs(other.drop_front(), feature); });
  });
  if (failed(read))
    return failure();
  llvm::Expected<Extensions> extensions = closure(*features);
  if (!extensions)
    return error(context) << "chip '" << *chip << "' of target riscv with '" << additions
                          << "': " << toString(extensions.takeError());
  auto has = [&](StringRef feature) { return extensions->lookup(feature); };
  for (StringRef feature : baseFeatures)
    if (!has(feature))
      return error(context) << "chip '" << *chip << "' lacks '" << feature << "': target riscv expects rv64gc and more";
  for (StringRef feature : instructionFeatures)
    if (feature.starts_with("zv") && has(feature) && !has("v"))
      return error(context) << "feature '" << feature << "' of target riscv needs 'v'";
  unsigned vectorBytes = has("zvl512b") ? 64 : has("zvl256b") ? 32 : 16;
  return TargetAttr::get(context, name(), *chip, cpu::writeFeatures(words, has), vectorBytes);
}

static void initializeLLVM() {
  LLVMInitializeRISCVTargetInfo();
  LLVMInitializeRISCVTarget();
  LLVMInitializeRISCVTargetMC();
  LLVMInitializeRISCVAsmPrinter();
}

cpu::Machine RiscvTarget::machine(TargetAttr attr) const {
  static std::once_flag once;
  std::call_once(once, initializeLLVM);
  cpu::Machine machine = {"riscv64-unknown-linux-gnu", "generic-rv64", "+m,+a,+f,+d,+c", {}};
  // A chip's name chooses the order of instructions; which there are, the features say.
  if (llvm::RISCV::parseTuneCPU(attr.getChip(), /*IsRV64=*/true))
    machine.functionAttributes.emplace_back("tune-cpu", attr.getChip().str());
  return machine;
}

} // namespace mlc
