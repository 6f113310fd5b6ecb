// The forms that reductions are made of; normalizations, pooling and softmax use them as well.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// The ONNX type that sums and products of elements are accumulated in: f32 for narrower floats, everything else
/// itself.
mlir::Type accumulatorElement(mlir::Type element);

/// The sum of elements, or of `load(element)`, along `axes`, which the result does not have.
mlir::Value sumAlong(Lowering &l, mlir::Value operand, mlir::Type element, llvm::ArrayRef<int64_t> axes,
                     ScalarBody load = nullptr);
/// The largest element along `axes`, in the compute type; floats only.
mlir::Value maximumAlong(Lowering &l, mlir::Value operand, mlir::Type element, llvm::ArrayRef<int64_t> axes);
/// The number of elements along `axes`, as a scalar of `type`.
mlir::Value countAlong(Lowering &l, mlir::Value operand, llvm::ArrayRef<int64_t> axes, mlir::Type type);

/// The position along `axis` of the largest (smallest) element: i64, without the axis. The first one where several are
/// equal, or the last; NaN is larger (smaller) than everything else.
mlir::Value extremeAlong(Lowering &l, mlir::Value operand, mlir::Type element, int64_t axis, bool largest, bool last);

/// The axes of `rank` that `axes` leaves over.
llvm::SmallVector<int64_t> otherAxes(int64_t rank, llvm::ArrayRef<int64_t> axes);

/// The least (greatest) number of a compute type: an infinity for floats.
mlir::TypedAttr leastNumber(mlir::OpBuilder &b, mlir::Type compute, bool isUnsigned);
mlir::TypedAttr greatestNumber(mlir::OpBuilder &b, mlir::Type compute, bool isUnsigned);

} // namespace mlc::onnx
