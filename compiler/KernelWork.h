// What a call of a kernel computes and moves, for the rates that `mlc bench --per-kernel` prints.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace mlc {

struct KernelWork {
  double operations; ///< additions, multiplications and other arithmetic on elements, each counted as one
  double bytes;      ///< of operands and results, each counted once
};

/// Notes the work of each kernel as a property of the model, which ends up in its library: as far as it follows from
/// the extents of the model's inputs. For modules after the fuse phase.
void noteKernelWork(mlir::ModuleOp module);

/// The property of a kernel, "mlc.kernel.<name>".
inline constexpr llvm::StringLiteral kernelWorkPrefix = "mlc.kernel.";
/// What its text says of one call, for these values of the model's symbols; the mean, where it is called with different
/// extents. None for text that is something else.
std::optional<KernelWork> parseKernelWork(llvm::StringRef text, llvm::ArrayRef<int64_t> symbols);

} // namespace mlc
