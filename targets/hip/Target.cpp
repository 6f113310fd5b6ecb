// HIP: the kernels are code objects, one for each chip that is asked for; the rest is code for the host.
#include "gpu/Forms.h"
#include "hip/Chips.h"
#include "hip/Hip.h"
#include "hip/MatrixCores.h"
#include "hip/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace mlc {

StringRef HipTarget::summary() const { return "GPUs of AMD, CDNA 2 and RDNA 2 and later; hosts of the x86-64 family"; }

SmallVector<StringRef> HipTarget::chips() const { return hip::chipNames(); }

FailureOr<TargetAttr> HipTarget::describe(MLIRContext *context, StringRef chip, StringRef features) const {
  if (chip.empty())
    chip = "gfx90a,gfx942,gfx1100";
  if (failed(hip::readChips(context, chip)))
    return failure();
  return describeWithHost(context, chip, /*hostChip=*/"", features);
}

bool HipTarget::hasDeviceForm(Operation *op) const { return gpu::hasLLVMForm(op); }
bool HipTarget::hasDeviceForm(Type type) const { return gpu::isLLVMElement(type); }

/// The matrix cores of CDNA multiply bytes with signs.
IntegerProduct HipTarget::integerProduct(IntegerProduct factors, bool canShift, TargetAttr attr) const {
  FailureOr<hip::Chips> chips = hip::readChips(attr.getContext(), attr.getChip());
  if (canShift && factors.lhsBits == 8 && factors.rhsBits == 8 && succeeded(chips) &&
      llvm::any_of(chips->list, [](const hip::Chip *chip) { return chip->cores == hip::MatrixCores::Mfma; }))
    factors.lhsIsUnsigned = false;
  return factors;
}

std::unique_ptr<gpu::TileProduct> HipTarget::tileProduct(ContractOp op, TargetAttr attr) const {
  FailureOr<hip::Chips> chips = hip::readChips(op.getContext(), attr.getChip());
  return succeeded(chips) ? hip::matrixCores(op, *chips) : nullptr;
}

void HipTarget::insertDialects(DialectRegistry &registry) const {
  registry.insert<math::MathDialect, ROCDL::ROCDLDialect, vector::VectorDialect>();
}

void HipTarget::emitDevice(OpPassManager &passes, TargetAttr attr) const {
  passes.addPass(hip::createEmitHip({attr.getChip().str()}));
}

} // namespace mlc
