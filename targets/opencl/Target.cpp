// OpenCL: the kernels are text that the driver compiles where the model runs; the rest is code for the host.
#include "cpu/Cpu.h"
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "opencl/OpenCL.h"
#include "opencl/Passes.h"

using namespace mlir;

namespace mlc {

StringRef OpenCLTarget::summary() const { return "devices with an OpenCL 1.2 driver; hosts of the x86-64 family"; }

/// What compiles the host's part.
static const Target &host() { return *findTarget("x86"); }

/// The chip is the host's. Any by default: the library runs wherever an OpenCL driver is.
FailureOr<TargetAttr> OpenCLTarget::describe(MLIRContext *context, StringRef chip, StringRef features) const {
  FailureOr<TargetAttr> attr = host().describe(context, chip.empty() ? "x86-64-v3" : chip, features);
  if (failed(attr))
    return failure();
  return TargetAttr::get(context, name(), attr->getChip(), attr->getFeatures(), attr->getVectorBytes());
}

void OpenCLTarget::place(OpPassManager &passes, TargetAttr) const { gpu::place(passes); }

bool OpenCLTarget::hasDeviceForm(Operation *op) const { return opencl::hasForm(op); }
bool OpenCLTarget::hasDeviceForm(Type type) const { return !opencl::typeName(type).empty(); }

void OpenCLTarget::lower(OpPassManager &passes, TargetAttr attr) const {
  passes.addPass(opencl::createEmitOpenCL());
  passes.addPass(gpu::createCallDevice());
  host().lower(passes, attr);
}

FailureOr<Binary> OpenCLTarget::emit(ModuleOp module, TargetAttr attr) const { return host().emit(module, attr); }

} // namespace mlc
