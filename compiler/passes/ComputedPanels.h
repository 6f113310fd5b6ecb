// Panels that are computed of constants where they are read: weights of a few bits that are dequantized.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/ConstantLayout.h"

namespace mlc {

/// A matrix whose elements are computed each of one byte of a constant, and of what belongs to its row, column or block.
struct ComputedMatrix {
  mlir::linalg::GenericOp op;
  llvm::SmallVector<ConstantView> inputs;               ///< of op
  unsigned weights = 0;                                 ///< the input that has a byte for each element
  llvm::SmallVector<llvm::SmallVector<unsigned>> loops; ///< of op, for each axis of the matrix, the outermost first

  static std::optional<ComputedMatrix> of(mlir::Value value);
};

/// Whether an operation computes its elements of constants alone; one of equal elements may be a filled tensor by now.
bool readsOnlyConstants(mlir::Operation *op);

struct ComputedPanels {
  /// [depth but for the last..., column / width, the last of the depth, column mod width]
  mlir::Value value;
  llvm::SmallVector<int64_t> depth; ///< extents of the loops that count the depth, the outermost first
};

/// The matrix in panels of `width` columns, which are its axis `column`: the same operation on packed constants. Weights
/// that fit in 4 bits are two of the depth in each byte, the first in the lower half.
ComputedPanels packComputed(mlir::ImplicitLocOpBuilder &b, const ComputedMatrix &matrix, unsigned column,
                            int64_t width);

} // namespace mlc
