// FPGA: the model is a static schedule of kernels, text that a vendor's tools make a bitstream of; the rest is code for the
// host.
#include "fpga/Board.h"
#include "fpga/Fpga.h"
#include "fpga/Passes.h"
#include "fpga/Stage.h"
#include "mlir/Transforms/Passes.h"
#include "opencl/OpenCL.h"

using namespace mlir;

namespace mlc {

StringRef FpgaTarget::summary() const {
  return "FPGA boards of AMD and Intel, by OpenCL; hosts of the x86-64 family; --board=NAME or FILE";
}

SmallVector<StringRef> FpgaTarget::chips() const { return fpga::boardNames(); }

FailureOr<TargetAttr> FpgaTarget::describe(MLIRContext *context, StringRef chip, StringRef features) const {
  if (failed(fpga::readBoard(context, chip)))
    return failure();
  return describeWithHost(context, chip, /*hostChip=*/"", features);
}

/// All columns in one panel: arrays on the chip are cut for each layer on its own. A panel of one would be no panel.
int64_t FpgaTarget::panelWidth(Type element, int64_t columns, TargetAttr attr) const {
  return ShapedType::isDynamic(columns) ? DeviceTarget::panelWidth(element, columns, attr)
                                        : std::max<int64_t>(columns, 2);
}

bool FpgaTarget::hasDeviceForm(Operation *op) const { return !opencl::expressionForm(op).empty(); }
bool FpgaTarget::hasDeviceForm(Type type) const { return fpga::isElement(type); }

void FpgaTarget::place(OpPassManager &passes, TargetAttr) const {
  passes.addPass(fpga::createOutlineLayers());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(fpga::createFoldLayers());
}

void FpgaTarget::emitDevice(OpPassManager &passes, TargetAttr) const { passes.addPass(fpga::createEmitFpga()); }

} // namespace mlc
