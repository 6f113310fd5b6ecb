// Writes the layers as text. A simulator's driver compiles it when the model first runs; a vendor's tools make a bitstream of
// it before.
#include "fpga/Passes.h"
#include "fpga/Write.h"
#include "gpu/Program.h"

using namespace mlir;

namespace mlc::fpga {
#define GEN_PASS_DEF_EMITFPGA
#include "fpga/Passes.h.inc"

namespace {

struct EmitFpga : impl::EmitFpgaBase<EmitFpga> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto device : module.getOps<mlir::gpu::GPUModuleOp>()) {
      FailureOr<Schedule> schedule = Schedule::read(module);
      if (failed(schedule) || failed(schedule->checkBudget()))
        return signalPassFailure();
      gpu::emitProgram(module, device, {{/*chip=*/"", writeProgram(*schedule)}});
      return;
    }
  }
};

} // namespace
} // namespace mlc::fpga
