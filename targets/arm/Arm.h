// Machines of the AArch64 family.
#pragma once
#include "Target.h"
#include "cpu/Cpu.h"

namespace mlc {

class ArmTarget : public Target {
public:
  llvm::StringRef name() const override { return "arm"; }
  llvm::StringRef summary() const override;
  llvm::SmallVector<llvm::StringRef> chips() const override;
  llvm::SmallVector<llvm::StringRef> features() const override;
  llvm::FailureOr<TargetAttr> describe(mlir::MLIRContext *, llvm::StringRef chip,
                                       llvm::StringRef features) const override;
  TilingAttr tile(mlir::TilingInterface, TargetAttr) const override;                  // Tiling.cpp
  int64_t panelWidth(mlir::Type element, int64_t columns, TargetAttr) const override; // Tiling.cpp
  void lower(mlir::OpPassManager &, TargetAttr) const override;                       // Tiling.cpp
  llvm::FailureOr<Binary> emit(mlir::ModuleOp, TargetAttr) const override;
  llvm::StringRef runtime() const override { return "arm"; }
};

} // namespace mlc
