// The elements of constants in another order, made at compile time.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace mlc {

/// A constant seen through what only changes how its elements are indexed, or widens them: transposition, reversal,
/// a part, reshape, cast, extension of floats and of signed integers.
struct ConstantView {
  mlir::ElementsAttr elements;        ///< its type has the stored, maybe narrower, elements
  llvm::SmallVector<int64_t> shape;   ///< of the value
  llvm::SmallVector<int64_t> strides; ///< of the value's axes in the elements
  int64_t offset = 0;                 ///< of the value's first element
};

/// None if the value is no such constant of numbers, or has no fixed shape.
std::optional<ConstantView> viewOfConstant(mlir::Value value);

/// A bound on an index that is spread over several axes: the sum of axes times factors must stay below the limit.
struct IndexBound {
  llvm::SmallVector<std::pair<int64_t, int64_t>> factors; ///< (axis, factor)
  int64_t limit = 0;
};

/// A constant of this shape. Its element at i... is that of `source` at the offset plus the sum of i... times strides, or
/// zero beyond a bound.
mlir::ElementsAttr rearranged(mlir::ElementsAttr source, int64_t offset, llvm::ArrayRef<int64_t> shape,
                              llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<IndexBound> bounds = {});

/// The same elements with another shape.
mlir::ElementsAttr reshaped(mlir::ElementsAttr elements, llvm::ArrayRef<int64_t> shape);

} // namespace mlc
