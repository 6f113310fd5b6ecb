// What all CPUs share: from kernels over buffers to object code.
#pragma once
#include "Target.h"

namespace mlc::cpu {

/// Kernels over buffers -> the LLVM dialect.
void lower(mlir::OpPassManager &passes, TargetAttr target);

/// The LLVM dialect -> relocatable objects for `triple`. `target` says the features and how wide vectors are.
llvm::FailureOr<Binary> emit(mlir::ModuleOp module, TargetAttr target, llvm::StringRef triple);

} // namespace mlc::cpu
