// From functions of one thread to what a driver takes, for devices that LLVM has a back end for. What is left to each
// of them: a conversion of the gpu dialect, and LLVM's words for the device.
#pragma once
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/CodeGen.h"
#include <functional>
#include <string>

namespace mlir {
class LLVMTypeConverter;
class RewritePatternSet;
} // namespace mlir

namespace mlc::gpu {

/// How the gpu dialect looks in the LLVM dialect and one beside it.
struct Conversion {
  std::function<void(mlir::LLVMTypeConverter &)> configure; ///< address spaces
  std::function<void(const mlir::LLVMTypeConverter &, mlir::RewritePatternSet &)> populate;
  llvm::StringRef dialect; ///< that of the device's own instructions
};

/// A module of the device -> the LLVM dialect. Functions take buffers as pointers, of which nothing else is known.
llvm::LogicalResult convertToLLVM(mlir::gpu::GPUModuleOp device, const Conversion &conversion);

/// A device in LLVM's words. Its back end has been initialized.
struct Machine {
  llvm::StringRef triple;
  std::string chip;
};

/// What a pass needs that calls writeCode, but for the device's own dialect.
void registerTranslations(mlir::DialectRegistry &registry);

/// Functions as they are outlined -> assembly or an object. They stay as they are; of a copy, `lower`, a pass on modules
/// of the device, makes the LLVM dialect by convertToLLVM. Each function that is called must be in the module. `run` is
/// runPipeline of the calling pass.
llvm::FailureOr<std::string>
writeCode(mlir::gpu::GPUModuleOp device, std::unique_ptr<mlir::Pass> lower, const Machine &machine,
          llvm::CodeGenFileType kind,
          llvm::function_ref<llvm::LogicalResult(mlir::OpPassManager &, mlir::Operation *)> run);

} // namespace mlc::gpu
