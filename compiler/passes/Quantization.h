// Quantization as the passes of the quantize phase read it in a graph.
#pragma once
#include "mlir/IR/PatternMatch.h"
#include "onnx/Onnx.h"

namespace mlc {

/// One scale and one zero point for all elements: of a QuantizeLinear from f32, or a DequantizeLinear to f32.
struct Quantization {
  mlir::Value scale, zeroPoint; ///< of one element each; the zero point may be null, for 0
  mlir::IntegerType stored;     ///< what numbers are quantized to

  /// None if there is more than one scale, or if the numbers are floats before or behind it.
  static std::optional<Quantization> of(onnx::QuantizeLinearOp op);
  static std::optional<Quantization> of(onnx::DequantizeLinearOp op);
  /// Of what defines the value, if that is a DequantizeLinear.
  static std::optional<Quantization> ofDequantized(mlir::Value value);

  /// Whether the two are known to mean the same.
  bool operator==(const Quantization &other) const;
  /// A scale that is known to give every integer a number of its own, in their order: it is positive, and neither
  /// overflows nor underflows.
  bool keepsOrder() const;

  int64_t least() const;
  int64_t greatest() const;
  /// The integer that a number becomes, as QuantizeLinear computes it; none if scale or zero point are not constants.
  std::optional<int64_t> quantize(double number) const;
  /// The number that an integer stands for, as DequantizeLinear computes it.
  std::optional<double> dequantize(int64_t integer) const;

  /// QuantizeLinear and DequantizeLinear of a value; with its extents.
  mlir::Value quantize(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value) const;
  mlir::Value dequantize(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value) const;
  /// A constant of the stored type and this shape.
  mlir::Value constant(mlir::OpBuilder &b, mlir::Location loc, int64_t integer, llvm::ArrayRef<int64_t> shape) const;
};

/// Whether a scale or zero point is one for all elements: a tensor of no axis, or of one with one element.
bool isSingle(mlir::Value parameter);

/// A tensor type with other elements.
mlir::Type withElement(mlir::Type tensor, mlir::Type element);

/// Whether it is a matrix product or convolution of two operands that are dequantized, the second from a constant.
bool multipliesQuantized(mlir::Operation *op);

} // namespace mlc
