// What an AArch64 machine is: its features, as LLVM's tables have them for chips and versions of the architecture.
#include "arm/Arm.h"
#include "cpu/Words.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include <mutex>

using namespace mlir;
namespace AArch64 = llvm::AArch64;

namespace mlc {

/// Beside floating point and NEON, which all have. Those of runtime/cpu/arm/Features.cpp, which looks for them.
static constexpr StringLiteral instructionFeatures[] = {
    "lse",     "rdm",  "fullfp16", "fp16fml", "dotprod", "jsconv", "complxnum", "rcpc",   "flagm", "altnzcv",
    "fptoint", "i8mm", "bf16",     "sve",     "f32mm",   "f64mm",  "sve2",      "sve2p1", "mops",  "cssc"};

static constexpr StringLiteral levels[] = {"armv8-a",   "armv8.1-a", "armv8.2-a", "armv8.4-a",
                                           "armv8.6-a", "armv9-a",   "armv9.2-a"};

static void addNames(SmallVectorImpl<StringRef> &names) {
  for (const AArch64::ArchInfo *architecture : AArch64::ArchInfos)
    names.push_back(architecture->Name);
  AArch64::fillValidCPUArchList(names);
}

static const cpu::Words words = {"arm", levels, "cortex-a76, neoverse-v2 or apple-m1", addNames, instructionFeatures};

StringRef ArmTarget::summary() const { return "CPUs of the AArch64 family (64-bit ARM), NEON"; }

SmallVector<StringRef> ArmTarget::chips() const { return cpu::chipsOf(words); }
SmallVector<StringRef> ArmTarget::features() const { return cpu::featuresOf(words); }

/// The feature that LLVM's back end calls `name`.
static AArch64::ArchExtKind extensionOf(StringRef name) {
  return AArch64::targetFeatureToExtension(("+" + name).str())->ID;
}

/// The features of `chip`.
static FailureOr<AArch64::ExtensionSet> extensionsOf(MLIRContext *context, StringRef chip) {
  AArch64::ExtensionSet extensions;
  if (chip == "native") {
    extensions.addArchDefaults(AArch64::ARMV8A);
    for (const auto &[name, isOn] : llvm::sys::getHostCPUFeatures())
      if (std::optional<AArch64::ExtensionInfo> info = AArch64::targetFeatureToExtension("+" + name.str());
          info && isOn)
        extensions.enable(info->ID);
    return extensions;
  }
  if (const AArch64::ArchInfo *architecture = AArch64::parseArch(chip)) {
    extensions.addArchDefaults(*architecture);
    return extensions;
  }
  if (std::optional<AArch64::CpuInfo> info = AArch64::parseCpu(chip)) {
    extensions.addCPUDefaults(*info);
    return extensions;
  }
  return cpu::emitUnknownChip(context, words, chip);
}

FailureOr<TargetAttr> ArmTarget::describe(MLIRContext *context, StringRef given, StringRef additions) const {
  FailureOr<StringRef> chip = cpu::settleChip(context, words, given, this == hostTarget());
  if (failed(chip))
    return failure();
  FailureOr<AArch64::ExtensionSet> extensions = extensionsOf(context, *chip);
  if (failed(extensions))
    return failure();
  LogicalResult read = cpu::readFeatures(context, words, additions, [&](StringRef feature, bool isOn) {
    // Turns on what it needs, off what needs it.
    isOn ? extensions->enable(extensionOf(feature)) : extensions->disable(extensionOf(feature));
  });
  if (failed(read))
    return failure();
  std::string list =
      cpu::writeFeatures(words, [&](StringRef feature) { return extensions->Enabled.test(extensionOf(feature)); });
  return TargetAttr::get(context, name(), *chip, list, /*vectorBytes=*/16);
}

static void initializeLLVM() {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
}

cpu::Machine ArmTarget::machine(TargetAttr attr) const {
  static std::once_flag once;
  std::call_once(once, initializeLLVM);
  cpu::Machine machine = {"aarch64-unknown-linux-gnu", "generic", "", {}};
  // A chip's name chooses the order of instructions; which there are, the features say.
  if (AArch64::parseCpu(attr.getChip()))
    machine.functionAttributes.emplace_back("tune-cpu", AArch64::resolveCPUAlias(attr.getChip()).str());
  return machine;
}

} // namespace mlc
