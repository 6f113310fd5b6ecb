// What all CPUs share: from kernels over buffers to object code.
#pragma once
#include "Target.h"

namespace mlc::cpu {

/// The register tiles that a machine is good at.
struct RegisterTiles {
  llvm::ArrayRef<int64_t> rows; ///< of a tile of 1, 2, 3... vectors of columns; the last is the widest tile
  int64_t depthBlock = 1024;    ///< terms summed in registers before the sum goes to memory
  bool fused = true;            ///< it multiplies and adds in one instruction
};

/// Kernels over buffers -> the LLVM dialect.
void lower(mlir::OpPassManager &passes, TargetAttr target, RegisterTiles tiles);

/// The LLVM dialect -> relocatable objects for `triple`. `target` says the features and how wide vectors are.
llvm::FailureOr<Binary> emit(mlir::ModuleOp module, TargetAttr target, llvm::StringRef triple);

} // namespace mlc::cpu
