// Weights on their way from the compiler's memory to the library: never through LLVM or the linker.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <string>

namespace mlc {

/// The symbol at which all weights begin.
inline constexpr llvm::StringLiteral weightsSymbolName = "mlc_weights";

/// One constant and its place after the symbol.
struct Weight {
  mlir::ElementsAttr value;
  uint64_t offset;
};

struct Weights {
  llvm::SmallVector<Weight> list;
  uint64_t bytes = 0;
};

/// Takes all large constants out of a module in the LLVM dialect: what used them uses an offset from the symbol, which
/// is now declared. Constants with equal contents become one.
Weights takeWeights(mlir::ModuleOp module);

/// Writes the contents of `value`, as they lie in memory, at `offset` of the file.
llvm::LogicalResult writeElements(int file, uint64_t offset, mlir::ElementsAttr value);

} // namespace mlc
