#include "AllTargets.h"
#include "cpu/Passes.h"
#ifdef MLC_TARGET_ARM
#include "arm/Arm.h"
#endif
#ifdef MLC_TARGET_CUDA
#include "cuda/Cuda.h"
#include "cuda/Passes.h"
#endif
#ifdef MLC_TARGET_FPGA
#include "fpga/Fpga.h"
#include "fpga/Passes.h"
#endif
#ifdef MLC_TARGET_HIP
#include "hip/Hip.h"
#include "hip/Passes.h"
#endif
#ifdef MLC_TARGET_OPENCL
#include "opencl/OpenCL.h"
#include "opencl/Passes.h"
#endif
#if defined(MLC_TARGET_CUDA) || defined(MLC_TARGET_HIP) || defined(MLC_TARGET_OPENCL)
#include "gpu/Passes.h"
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
#if defined(MLC_TARGET_CUDA) || defined(MLC_TARGET_HIP) || defined(MLC_TARGET_OPENCL)
  gpu::registerGpuPasses();
#endif
#ifdef MLC_TARGET_OPENCL
  opencl::registerOpenclPasses();
  registerTarget(std::make_unique<OpenCLTarget>());
#endif
#ifdef MLC_TARGET_FPGA
  fpga::registerFpgaPasses();
  registerTarget(std::make_unique<FpgaTarget>());
#endif
#ifdef MLC_TARGET_CUDA
  cuda::registerCudaPasses();
  registerTarget(std::make_unique<CudaTarget>());
#endif
#ifdef MLC_TARGET_HIP
  hip::registerHipPasses();
  registerTarget(std::make_unique<HipTarget>());
#endif
}

} // namespace mlc
