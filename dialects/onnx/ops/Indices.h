// Indices that operands hold: negative ones count from the end, and all must lie in range before anything is read.
#pragma once
#include "onnx/IndexMath.h"

namespace mlc::onnx {

/// An index as a tensor stores it, counted from the beginning of an axis of `extent`.
Index fromBeginning(Lowering &l, mlir::Value stored, mlir::Type element, Index extent);

/// Refuses indices outside [-extent, extent): now where they are constant, else by a check at run time, which is one
/// reduction over all of them. `indices` is an onnx value.
llvm::LogicalResult checkIndices(Lowering &l, mlir::Value indices, Extent extent);
/// The same for component `component` of index tuples, which lie along the last axis.
llvm::LogicalResult checkIndexTuples(Lowering &l, mlir::Value indices, int64_t component, Extent extent);
/// Checks that index tuples, of which the run tells the length, have as many components as the ranks say.
void checkTupleLength(Lowering &l, Extent told, int64_t expected);

/// A nest of loops over all indices below `extents` that carries tensors (and other values); gives what it carried
/// last.
llvm::SmallVector<mlir::Value>
loopNest(Lowering &l, llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::ValueRange carried,
         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ValueRange index, mlir::ValueRange carried)> body);

} // namespace mlc::onnx
