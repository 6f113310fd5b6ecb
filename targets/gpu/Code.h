// From functions of one thread to what a driver takes, for devices that LLVM has a back end for. What is left to each
// of them: a conversion of the gpu dialect, and LLVM's words for the device.
#pragma once
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/CodeGen.h"
#include <string>

namespace mlir {
class LLVMTypeConverter;
class RewritePatternSet;
} // namespace mlir

namespace mlc::gpu {

/// Adds, in a module of the device, the passes between its functions as they are outlined and convertToLLVM.
void addExpansions(mlir::OpPassManager &device);

/// How the gpu dialect looks in the LLVM dialect and one beside it.
struct Conversion {
  void (*configure)(mlir::LLVMTypeConverter &); ///< address spaces
  void (*populate)(const mlir::LLVMTypeConverter &, mlir::RewritePatternSet &);
  llvm::StringRef dialect; ///< that of the device's own instructions
};

/// A module of the device -> the LLVM dialect. Functions take buffers as pointers, of which nothing else is known.
llvm::LogicalResult convertToLLVM(mlir::gpu::GPUModuleOp device, const Conversion &conversion);

/// A device in LLVM's words. Its back end has been initialized.
struct Machine {
  llvm::StringRef triple;
  std::string chip;
};

/// A module in the LLVM dialect -> assembly or an object. Each function that its functions call must be in it.
llvm::FailureOr<std::string> writeCode(mlir::gpu::GPUModuleOp device, const Machine &machine,
                                       llvm::CodeGenFileType kind);

} // namespace mlc::gpu
