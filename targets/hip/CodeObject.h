// What AMD's drivers load: a shared library in ELF whose functions are described by a note.
#pragma once
#include "hip/Chips.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include <string>

namespace mlc::hip {

/// A relocatable object -> a code object. Fails with an error at `loc`.
llvm::FailureOr<std::string> linkCodeObject(mlir::Location loc, llvm::StringRef object);

/// Whether a code object says of its functions what they are launched with: arguments, threads, local memory, lanes. It
/// is read back as a driver does. Fails, with an error, where it does not.
llvm::LogicalResult checkCodeObject(mlir::gpu::GPUModuleOp device, llvm::StringRef code, const Chip &chip);

} // namespace mlc::hip
