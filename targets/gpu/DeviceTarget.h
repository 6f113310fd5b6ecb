// A device beside a host. What the device's language is, and what its driver takes, is each target's own; how kernels
// are shared out between the two, and what compiles the host's part, is the same for all.
#pragma once
#include "Target.h"
#include "gpu/TileProduct.h"

namespace mlc::gpu {

class DeviceTarget : public Target {
public:
  llvm::StringRef hostName() const final { return "x86"; }
  TilingAttr tile(mlir::TilingInterface, TargetAttr) const override;
  int64_t panelWidth(mlir::Type element, int64_t columns, TargetAttr) const override;
  int64_t stackBytes() const final { return 0; }
  void place(mlir::OpPassManager &, TargetAttr) const override;
  void lower(mlir::OpPassManager &, TargetAttr) const final;
  llvm::FailureOr<Binary> emit(mlir::ModuleOp, TargetAttr) const final;
  llvm::StringRef runtime() const override { return name(); }
  /// How the threads of a block share the products of a contraction that has many rows; null: each multiplies on its
  /// own.
  virtual std::unique_ptr<TileProduct> tileProduct(ContractOp, TargetAttr) const;
  /// The dialects that its products are written in, beside those of all devices.
  virtual void insertDialects(mlir::DialectRegistry &) const {}

protected:
  /// Adds the pass that writes the functions of the device as the driver takes them (emitProgram).
  virtual void emitDevice(mlir::OpPassManager &, TargetAttr) const = 0;

  /// The attribute of a device `chip` beside a host: of the chip `hostChip`, or, where that is empty, any that runs
  /// code for the usual one. `features` are the host's.
  llvm::FailureOr<TargetAttr> describeWithHost(mlir::MLIRContext *, llvm::StringRef chip, llvm::StringRef hostChip,
                                               llvm::StringRef features) const;
};

} // namespace mlc::gpu
