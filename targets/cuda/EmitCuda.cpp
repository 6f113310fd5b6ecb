// Writes the functions of the device as PTX, for the least of the chips that are asked for, and as a cubin for each of
// them where ptxas is there: the driver takes a cubin of its device as it is, and compiles the PTX for any later one.
#include "cuda/Chips.h"
#include "cuda/Passes.h"
#include "cuda/Ptxas.h"
#include "gpu/Code.h"
#include "gpu/Program.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"
#include <mutex>

using namespace mlir;

namespace mlc::cuda {
#define GEN_PASS_DEF_EMITCUDA
#include "cuda/Passes.h.inc"

static void initializeLLVM() {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
}

namespace {

struct EmitCuda : impl::EmitCudaBase<EmitCuda> {
  using EmitCudaBase::EmitCudaBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    EmitCudaBase::getDependentDialects(registry);
    gpu::registerTranslations(registry);
    registerNVVMDialectTranslation(registry);
  }

  void runOnOperation() override {
    FailureOr<Chips> asked = readChips(&getContext(), chips);
    if (failed(asked))
      return signalPassFailure();
    for (auto device : getOperation().getOps<mlir::gpu::GPUModuleOp>()) {
      if (failed(emit(device, asked->list)))
        return signalPassFailure();
      return;
    }
  }

  LogicalResult emit(mlir::gpu::GPUModuleOp device, ArrayRef<Chip> asked) {
    static std::once_flag once;
    std::call_once(once, initializeLLVM);
    const Chip &least = *llvm::min_element(asked, [](const Chip &a, const Chip &b) { return a.number < b.number; });

    FailureOr<std::string> ptx =
        gpu::writeCode(device, createConvertGpuToNVVM(), {"nvptx64-nvidia-cuda", machineName(least)},
                       llvm::CodeGenFileType::AssemblyFile,
                       [&](OpPassManager &passes, Operation *op) { return runPipeline(passes, op); });
    if (failed(ptx))
      return failure();

    SmallVector<gpu::Image> images;
    for (const Chip &chip : asked) {
      if (chip.isVirtual)
        continue;
      FailureOr<std::optional<std::string>> cubin = assemble(device.getLoc(), *ptx, machineName(chip));
      if (failed(cubin))
        return failure();
      if (*cubin)
        images.push_back({machineName(chip), **cubin});
    }
    images.push_back({virtualName(least), *ptx});
    gpu::emitProgram(getOperation(), device, images);
    return success();
  }
};

} // namespace
} // namespace mlc::cuda
