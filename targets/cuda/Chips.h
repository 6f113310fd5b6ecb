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
/// Those that a library is for, and what the user allows on all of them.
struct Chips {
  llvm::SmallVector<Chip> list;
  bool useTf32 = false; ///< products of f32 in tensor cores, of 10 bits of the mantissa
};
/// Reads words like "sm_80,sm_90:tf32". Fails, with an error, where one is unknown.
llvm::FailureOr<Chips> readChips(mlir::MLIRContext *, llvm::StringRef words);

std::string machineName(const Chip &chip); ///< "sm_80"
std::string virtualName(const Chip &chip); ///< "compute_80"

} // namespace mlc::cuda
