// RUN: mlc-opt %s --mlc-convert-onnx-to-linalg --split-input-file --verify-diagnostics

// The result is small, but the padded operand is not.
func.func @model(%x: tensor<1x1x8x8xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32> {
  // expected-error @+1 {{needs a tensor with more elements than 64 bits can count}}
  %y = onnx.Conv(%x, %w) {pads = array<i64: 1099511627776, 1099511627776, 1099511627776, 1099511627776>, strides = array<i64: 1099511627776, 1099511627776>} : (tensor<1x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  return %y : tensor<1x1x3x3xf32>
}

// -----

// Libraries take and return tensors, maps, and one level of sequences and optionals.
// expected-error @+1 {{input "x" is not supported: expects a tensor, a map, or a sequence or an optional of these, got '!onnx.sequence<!onnx.sequence<tensor<1xf32>>>'}}
func.func @model(%x: !onnx.sequence<!onnx.sequence<tensor<1xf32>>> {onnx.name = "x"}) -> !onnx.sequence<!onnx.sequence<tensor<1xf32>>> {
  return %x : !onnx.sequence<!onnx.sequence<tensor<1xf32>>>
}
