// The table of a device's functions as the runtime sees it: mlc_device_program in runtime/include/mlc/abi.h.
#pragma once
#include "gpu/Gpu.h"

namespace mlc::gpu {

/// All functions as the driver of some devices takes them: mlc_device_image.
struct Image {
  std::string chip; ///< empty for any
  std::string code;
};

/// Of what the threads of a block share.
int64_t localBytes(mlir::gpu::GPUFuncOp function);

/// Adds the table and numbers the functions as in it.
void emitProgram(mlir::ModuleOp module, mlir::gpu::GPUModuleOp device, llvm::ArrayRef<Image> images);

} // namespace mlc::gpu
