// Boards with an FPGA, beside a host of the x86 family: a flavour of OpenCL, of kernels that are one work item each.
#pragma once
#include "gpu/DeviceTarget.h"

namespace mlc {

class FpgaTarget : public gpu::DeviceTarget {
public:
  llvm::StringRef name() const override { return "fpga"; }
  llvm::StringRef summary() const override;
  llvm::SmallVector<llvm::StringRef> chips() const override;
  llvm::FailureOr<TargetAttr> describe(mlir::MLIRContext *, llvm::StringRef chip,
                                       llvm::StringRef features) const override;
  TilingAttr tile(mlir::TilingInterface, TargetAttr) const override { return {}; }
  int64_t panelWidth(mlir::Type element, int64_t columns, TargetAttr) const override;
  bool hasDeviceForm(mlir::Operation *) const override;
  bool hasDeviceForm(mlir::Type) const override;
  void place(mlir::OpPassManager &, TargetAttr) const override;
  /// The driver is one of OpenCL.
  llvm::StringRef runtime() const override { return "opencl"; }

private:
  void emitDevice(mlir::OpPassManager &, TargetAttr) const override;
};

} // namespace mlc
