// The words by which users choose GPUs of NVIDIA.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"
#include <string>

namespace mlc::cuda {

/// A compute capability: 80 is 8.0.
struct Chip {
  unsigned number;
  bool isVirtual; ///< "compute_80": PTX, which drivers compile for this and any later one; "sm_80" is machine code, too
};

llvm::ArrayRef<llvm::StringRef> chipNames();
/// Fails, with an error, on a list like "sm_80,sm_90" in which one is unknown.
llvm::FailureOr<llvm::SmallVector<Chip>> readChips(mlir::MLIRContext *, llvm::StringRef list);

std::string machineName(const Chip &chip); ///< "sm_80"
std::string virtualName(const Chip &chip); ///< "compute_80"

} // namespace mlc::cuda
