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
