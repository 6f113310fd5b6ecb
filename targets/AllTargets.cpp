#include "AllTargets.h"
#include "cpu/Passes.h"
#ifdef MLC_TARGET_ARM
#include "arm/Arm.h"
#endif
#ifdef MLC_TARGET_OPENCL
#include "gpu/Passes.h"
#include "opencl/OpenCL.h"
#include "opencl/Passes.h"
#endif
#ifdef MLC_TARGET_RISCV
#include "riscv/Riscv.h"
#endif
#ifdef MLC_TARGET_X86
#include "x86/X86.h"
#endif

namespace mlc {

void registerAllTargets() {
  cpu::registerCpuPasses();
#ifdef MLC_TARGET_X86
  registerTarget(std::make_unique<X86Target>());
#endif
#ifdef MLC_TARGET_ARM
  registerTarget(std::make_unique<ArmTarget>());
#endif
#ifdef MLC_TARGET_RISCV
  registerTarget(std::make_unique<RiscvTarget>());
#endif
#ifdef MLC_TARGET_OPENCL
  gpu::registerGpuPasses();
  opencl::registerOpenCLPasses();
  registerTarget(std::make_unique<OpenCLTarget>());
#endif
}

} // namespace mlc
