// Quantized numbers in lowerings: scales and zero points, and what they make of elements.
#pragma once
#include "onnx/Lowering.h"
#include "onnx/RealMath.h"

namespace mlc::onnx {

/// Whether a scale or zero point is one for all elements.
bool isOne(Known &known, mlir::Value parameter);
/// Checks that a scale or zero point is of one element, of one for each along `axis`, or broadcasts to `extents`.
llvm::LogicalResult checkParameter(mlir::Operation *op, Known &known, mlir::Value parameter,
                                   llvm::ArrayRef<Extent> extents, int64_t axis);
/// A scale or zero point as an operand of an elementwise operation with these extents.
Along parameter(Lowering &l, mlir::Value parameter, llvm::ArrayRef<Extent> extents, int64_t axis);
/// `x - zero point` of integers as i32, or of floats as f32.
mlir::Value centered(Lowering &l, mlir::Value x, mlir::Value zeroPoint, int64_t axis);
/// A real number (f32) divided by its scale already, as a quantized one of type `to`; `zeroPoint`, of the compute type
/// of `to`, may be null. Integers: rounded to the nearest, ties to even; the nearest in range of what is out of it, and
/// the least for NaN. Floats are only moved: storing them rounds.
mlir::Value quantized(const Scalars &s, Real real, mlir::Value zeroPoint, mlir::Type to);

} // namespace mlc::onnx
