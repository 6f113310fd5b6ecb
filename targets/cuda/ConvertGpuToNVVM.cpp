#include "cuda/Passes.h"
#include "gpu/Code.h"
#include "gpu/Program.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace mlc::cuda {
#define GEN_PASS_DEF_CONVERTGPUTONVVM
#include "cuda/Passes.h.inc"

namespace {

/// Lets ptxas give each thread of these functions as many registers as it can use. Left alone, it holds functions of
/// 256 threads to 32 registers if it nearly can, so that a multiprocessor is full of threads, and spills what is over. A
/// function that stages tiles has its work in registers, where it is worth more than more threads.
void askForRegisters(mlir::gpu::GPUModuleOp device, const llvm::StringSet<> &functions) {
  for (auto function : device.getOps<LLVM::LLVMFuncOp>())
    if (functions.contains(function.getName()))
      function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), OpBuilder(function).getI32IntegerAttr(1));
}

struct ConvertGpuToNVVM : impl::ConvertGpuToNVVMBase<ConvertGpuToNVVM> {
  void runOnOperation() override {
    gpu::Conversion conversion;
    conversion.configure = configureGpuToNVVMTypeConverter;
    conversion.populate = [](const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
      // After all others: it calls libdevice where there are instructions.
      populateGpuToNVVMConversionPatterns(converter, patterns, /*benefit=*/0);
    };
    conversion.dialect = NVVM::NVVMDialect::getDialectNamespace();
    llvm::StringSet<> staging;
    for (auto function : getOperation().getOps<mlir::gpu::GPUFuncOp>())
      if (gpu::localBytes(function) > 0)
        staging.insert(function.getName());
    if (failed(gpu::convertToLLVM(getOperation(), conversion)))
      return signalPassFailure();
    askForRegisters(getOperation(), staging);
  }
};

} // namespace
} // namespace mlc::cuda
