#include "cuda/Passes.h"
#include "gpu/Code.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"

using namespace mlir;

namespace mlc::cuda {
#define GEN_PASS_DEF_CONVERTGPUTONVVM
#include "cuda/Passes.h.inc"

namespace {

struct ConvertGpuToNVVM : impl::ConvertGpuToNVVMBase<ConvertGpuToNVVM> {
  void runOnOperation() override {
    gpu::Conversion conversion;
    conversion.configure = configureGpuToNVVMTypeConverter;
    conversion.populate = [](const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
      // After all others: it calls libdevice where there are instructions.
      populateGpuToNVVMConversionPatterns(converter, patterns, /*benefit=*/0);
    };
    conversion.dialect = NVVM::NVVMDialect::getDialectNamespace();
    if (failed(gpu::convertToLLVM(getOperation(), conversion)))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc::cuda
