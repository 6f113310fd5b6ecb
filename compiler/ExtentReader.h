// Extents of tensors and values of indices, read off the operations that compute them: arithmetic on the extents of the
// function's arguments.
#pragma once
#include "mlir/IR/Operation.h"
#include "onnx/Extents.h"
#include <functional>

namespace mlc {

class ExtentReader {
public:
  /// What an argument of the function is: the extent of its axis, or its value where the axis is `itself`. Null where
  /// that is not known.
  using Leaf = std::function<onnx::Extent(mlir::BlockArgument argument, int64_t axis)>;
  static constexpr int64_t itself = -1;

  ExtentReader(onnx::ExtentMath &math, Leaf leaf) : math(math), leaf(std::move(leaf)) {}

  /// Null where only the run can tell.
  onnx::Extent axis(mlir::Value tensor, int64_t axis);
  onnx::Extent index(mlir::OpFoldResult value);

private:
  onnx::ExtentMath &math;
  Leaf leaf;

  onnx::Extent apply(mlir::AffineExpr expression, unsigned dims, mlir::ValueRange operands);
  template <typename F> onnx::Extent combine(onnx::Extent a, onnx::Extent b, F f);
};

} // namespace mlc
