// OpenCL: the kernels are text that the driver compiles where the model runs; the rest is code for the host.
#include "opencl/OpenCL.h"
#include "opencl/Passes.h"

using namespace mlir;

namespace mlc {

StringRef OpenCLTarget::summary() const { return "devices with an OpenCL 1.2 driver; hosts of the x86-64 family"; }

/// The chip is the host's. Any by default: the library runs wherever an OpenCL driver is.
FailureOr<TargetAttr> OpenCLTarget::describe(MLIRContext *context, StringRef chip, StringRef features) const {
  return describeWithHost(context, /*chip=*/"", /*hostChip=*/chip, features);
}

bool OpenCLTarget::hasDeviceForm(Operation *op) const { return opencl::hasForm(op); }
bool OpenCLTarget::hasDeviceForm(Type type) const { return !opencl::typeName(type).empty(); }

void OpenCLTarget::emitDevice(OpPassManager &passes, TargetAttr) const { passes.addPass(opencl::createEmitOpenCL()); }

} // namespace mlc
