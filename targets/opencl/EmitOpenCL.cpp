// Writes the functions of the device as OpenCL C, which the driver compiles when the model first runs.
#include "gpu/Program.h"
#include "opencl/OpenCL.h"
#include "opencl/Passes.h"

using namespace mlir;

namespace mlc::opencl {
#define GEN_PASS_DEF_EMITOPENCL
#include "opencl/Passes.h.inc"

namespace {

struct EmitOpenCL : impl::EmitOpenCLBase<EmitOpenCL> {
  void runOnOperation() override {
    for (auto device : getOperation().getOps<mlir::gpu::GPUModuleOp>()) {
      FailureOr<std::string> text = writeProgram(device);
      if (failed(text))
        return signalPassFailure();
      gpu::emitProgram(getOperation(), device, {{/*chip=*/"", *text}});
      return;
    }
  }
};

} // namespace
} // namespace mlc::opencl
