// The table of a device's functions as the runtime sees it: mlc_device_program in runtime/include/mlc/abi.h.
#pragma once
#include "gpu/Gpu.h"

namespace mlc::gpu {

/// Adds the table, with `code` as what the device's driver takes, and numbers the functions as in it.
void emitProgram(mlir::ModuleOp module, mlir::gpu::GPUModuleOp device, llvm::StringRef code);

} // namespace mlc::gpu
