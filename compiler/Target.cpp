#include "Target.h"

using namespace mlir;

namespace mlc {

static SmallVector<std::unique_ptr<Target>> &registry() {
  static SmallVector<std::unique_ptr<Target>> targets;
  return targets;
}

void registerTarget(std::unique_ptr<Target> target) { registry().push_back(std::move(target)); }

ArrayRef<std::unique_ptr<Target>> registeredTargets() { return registry(); }

const Target *findTarget(StringRef name) {
  for (const std::unique_ptr<Target> &target : registry())
    if (target->name() == name)
      return target.get();
  return nullptr;
}

StringRef hostTargetName() {
#if defined(__x86_64__)
  return "x86";
#elif defined(__aarch64__)
  return "arm";
#elif defined(__riscv)
  return "riscv";
#else
  return "";
#endif
}

const Target *hostTarget() { return findTarget(hostTargetName()); }

FailureOr<std::pair<const Target *, TargetAttr>> targetOf(ModuleOp module) {
  auto attr = module->getAttrOfType<TargetAttr>(targetAttrName);
  if (!attr)
    return module.emitError("expects the attribute '") << targetAttrName << "', which says the machine to compile for";
  const Target *target = findTarget(attr.getName());
  if (!target)
    return module.emitError("unknown target '") << attr.getName() << "'; `mlc targets` lists the known ones";
  return std::pair{target, attr};
}

} // namespace mlc
