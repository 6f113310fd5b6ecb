// Writes the functions of the device as code objects, one for each chip that is asked for: AMD's drivers compile nothing,
// so that a library runs on the chips that it has code for, and no others.
//
// The objects stand beside each other in the library, and the runtime takes the one of its device. The container that
// clang makes of several, which drivers take as well, would leave the choice to them: then whether there is code for a
// device would show only when it is loaded, and nobody could say which chips there is code for.
#include "gpu/Code.h"
#include "gpu/Program.h"
#include "hip/Chips.h"
#include "hip/CodeObject.h"
#include "hip/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/ROCDL/ROCDLToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"
#include <mutex>

using namespace mlir;

namespace mlc::hip {
#define GEN_PASS_DEF_EMITHIP
#include "hip/Passes.h.inc"

static void initializeLLVM() {
  LLVMInitializeAMDGPUTargetInfo();
  LLVMInitializeAMDGPUTarget();
  LLVMInitializeAMDGPUTargetMC();
  LLVMInitializeAMDGPUAsmPrinter();
}

namespace {

struct EmitHip : impl::EmitHipBase<EmitHip> {
  using EmitHipBase::EmitHipBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    EmitHipBase::getDependentDialects(registry);
    gpu::registerTranslations(registry);
    registerROCDLDialectTranslation(registry);
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

  LogicalResult emit(mlir::gpu::GPUModuleOp device, ArrayRef<const Chip *> asked) {
    static std::once_flag once;
    std::call_once(once, initializeLLVM);
    SmallVector<gpu::Image> images;
    for (const Chip *chip : asked) {
      FailureOr<std::string> object =
          gpu::writeCode(device, createConvertGpuToROCDL({chip->name.str()}), {"amdgcn-amd-amdhsa", chip->name.str()},
                         llvm::CodeGenFileType::ObjectFile,
                         [&](OpPassManager &passes, Operation *op) { return runPipeline(passes, op); });
      if (failed(object))
        return failure();
      FailureOr<std::string> code = linkCodeObject(device.getLoc(), *object);
      if (failed(code) || failed(checkCodeObject(device, *code, *chip)))
        return failure();
      images.push_back({chip->name.str(), *code});
    }
    gpu::emitProgram(getOperation(), device, images);
    return success();
  }
};

} // namespace
} // namespace mlc::hip
