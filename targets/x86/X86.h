// Machines of the x86-64 family.
#pragma once
#include "cpu/Cpu.h"

namespace mlc {

class X86Target : public cpu::CpuTarget {
public:
  llvm::StringRef name() const override { return "x86"; }
  llvm::StringRef summary() const override;
  llvm::SmallVector<llvm::StringRef> chips() const override;
  llvm::SmallVector<llvm::StringRef> features() const override;
  llvm::FailureOr<TargetAttr> describe(mlir::MLIRContext *, llvm::StringRef chip,
                                       llvm::StringRef features) const override;

protected:
  cpu::RegisterTiles registerTiles(TargetAttr) const override; // Tiling.cpp
  cpu::Machine machine(TargetAttr) const override;
};

} // namespace mlc
