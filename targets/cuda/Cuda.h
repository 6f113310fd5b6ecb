// GPUs of NVIDIA, beside a host of the x86 family.
#pragma once
#include "gpu/DeviceTarget.h"

namespace mlc {

class CudaTarget : public gpu::DeviceTarget {
public:
  llvm::StringRef name() const override { return "cuda"; }
  llvm::StringRef summary() const override;
  llvm::SmallVector<llvm::StringRef> chips() const override;
  llvm::FailureOr<TargetAttr> describe(mlir::MLIRContext *, llvm::StringRef chip,
                                       llvm::StringRef features) const override;
  bool hasDeviceForm(mlir::Operation *) const override;
  bool hasDeviceForm(mlir::Type) const override;
  std::unique_ptr<gpu::TileProduct> tileProduct(ContractOp, TargetAttr) const override;
  void insertDialects(mlir::DialectRegistry &registry) const override;

private:
  void emitDevice(mlir::OpPassManager &, TargetAttr) const override;
};

} // namespace mlc
