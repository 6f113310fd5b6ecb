// HIP: the kernels are code objects, one for each chip that is asked for; the rest is code for the host.
#include "gpu/Forms.h"
#include "hip/Chips.h"
#include "hip/Hip.h"
#include "hip/Passes.h"

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

void HipTarget::emitDevice(OpPassManager &passes, TargetAttr attr) const {
  passes.addPass(hip::createEmitHip({attr.getChip().str()}));
}

} // namespace mlc
