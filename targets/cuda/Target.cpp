// CUDA: the kernels are PTX, which the driver compiles where the model runs, and machine code for the chips that are
// asked for; the rest is code for the host.
#include "cuda/Chips.h"
#include "cuda/Cuda.h"
#include "cuda/Passes.h"
#include "cuda/TensorCores.h"
#include "gpu/Forms.h"

using namespace mlir;

namespace mlc {

StringRef CudaTarget::summary() const {
  return "GPUs of NVIDIA, compute capability 7.5 and later; hosts of the x86-64 family";
}

SmallVector<StringRef> CudaTarget::chips() const { return llvm::to_vector(cuda::chipNames()); }

FailureOr<TargetAttr> CudaTarget::describe(MLIRContext *context, StringRef chip, StringRef features) const {
  if (chip.empty())
    chip = "compute_80";
  if (failed(cuda::readChips(context, chip)))
    return failure();
  return describeWithHost(context, chip, /*hostChip=*/"", features);
}

bool CudaTarget::hasDeviceForm(Operation *op) const { return gpu::hasLLVMForm(op); }
bool CudaTarget::hasDeviceForm(Type type) const { return gpu::isLLVMElement(type); }

std::unique_ptr<gpu::TileProduct> CudaTarget::tileProduct(ContractOp op, TargetAttr attr) const {
  FailureOr<cuda::Chips> chips = cuda::readChips(op.getContext(), attr.getChip());
  // Those of before sm_80 have smaller ones.
  bool hasThem = succeeded(chips) && llvm::all_of(chips->list, [](cuda::Chip chip) { return chip.number >= 80; });
  return hasThem ? cuda::tensorCores(op, chips->useTf32) : nullptr;
}

void CudaTarget::insertDialects(DialectRegistry &registry) const { registry.insert<NVVM::NVVMDialect>(); }

void CudaTarget::emitDevice(OpPassManager &passes, TargetAttr attr) const {
  passes.addPass(cuda::createEmitCuda({attr.getChip().str()}));
}

} // namespace mlc
