#include "AllTargets.h"
#include "cpu/Passes.h"
#ifdef MLC_TARGET_X86
#include "x86/X86.h"
#endif

namespace mlc {

void registerAllTargets() {
  cpu::registerCpuPasses();
#ifdef MLC_TARGET_X86
  registerTarget(std::make_unique<X86Target>());
#endif
}

} // namespace mlc
