// What a call of a kernel computes and moves, for the rates that `mlc bench --per-kernel` prints.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace mlc {

struct KernelWork {
  int64_t operations; ///< additions, multiplications and other arithmetic on elements, each counted as one
  int64_t bytes;      ///< of operands and results, each counted once
};

/// Notes the work of each kernel whose extents are all fixed as a property of the model, which ends up in its library.
/// For modules after the fuse phase.
void noteKernelWork(mlir::ModuleOp module);

/// The property of a kernel, "mlc.kernel.<name>", and how its text is read; none for text that is something else.
inline constexpr llvm::StringLiteral kernelWorkPrefix = "mlc.kernel.";
std::optional<KernelWork> parseKernelWork(llvm::StringRef text);

} // namespace mlc
