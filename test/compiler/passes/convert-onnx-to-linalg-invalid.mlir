// RUN: mlc-opt %s --mlc-convert-onnx-to-linalg --verify-diagnostics

// The result is small, but the padded operand is not.
func.func @model(%x: tensor<1x1x8x8xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32> {
  // expected-error @+1 {{needs a tensor with more elements than 64 bits can count}}
  %y = onnx.Conv(%x, %w) {pads = array<i64: 1099511627776, 1099511627776, 1099511627776, 1099511627776>, strides = array<i64: 1099511627776, 1099511627776>} : (tensor<1x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  return %y : tensor<1x1x3x3xf32>
}
