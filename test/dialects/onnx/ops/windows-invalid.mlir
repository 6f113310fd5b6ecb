// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes

func.func @state_of_another_window(%x: tensor<1x2x5xf32>, %w: tensor<2x1x4xf32>, %p: tensor<1x2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects past_state of extents 1, 2, 3, got 'tensor<1x2x4xf32>'}}
  %y, %s = onnx.CausalConvWithState(%x, %w, _, %p) : (tensor<1x2x5xf32>, tensor<2x1x4xf32>, tensor<1x2x4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}

// -----

func.func @unknown_activation(%x: tensor<1x2x5xf32>, %w: tensor<2x1x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects activation none, silu or swish, got 'relu'}}
  %y, %s = onnx.CausalConvWithState(%x, %w, _, _) {activation = "relu"} : (tensor<1x2x5xf32>, tensor<2x1x4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}

// -----

func.func @offsets_of_another_group(%x: tensor<1x4x5x5xf32>, %w: tensor<2x4x3x3xf32>, %o: tensor<1x18x3x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects offset of extents 1 36 3 3, got 'tensor<1x18x3x3xf32>'}}
  %y = onnx.DeformConv(%x, %w, %o, _, _) {offset_group = 2} : (tensor<1x4x5x5xf32>, tensor<2x4x3x3xf32>, tensor<1x18x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @smaller_than_what_was_pooled(%x: tensor<1x1x4xf32>, %i: tensor<1x1x4xi64>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [1, 1, 7]} : () -> tensor<3xi64>
  // expected-error @+1 {{expects an output_shape of at least 8 on axis 2, got 7}}
  %y = onnx.MaxUnpool(%x, %i, %shape) {kernel_shape = [2], strides = [2]} : (tensor<1x1x4xf32>, tensor<1x1x4xi64>, tensor<3xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @rows_that_are_no_blocks(%x: tensor<1x7x4xf32>) -> tensor<*xf32> {
  %image = onnx.Constant() {value_ints = [3, 3]} : () -> tensor<2xi64>
  %block = onnx.Constant() {value_ints = [2, 2]} : () -> tensor<2xi64>
  // expected-error @+1 {{expects a number of rows that blocks of 4 elements divide, got 7}}
  %y = onnx.Col2Im(%x, %image, %block) : (tensor<1x7x4xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @rows_and_columns(%x: tensor<2x3x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects square matrices in the last two axes, got 'tensor<2x3x4xf32>'}}
  %y = onnx.Det(%x) : (tensor<2x3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @six_extents(%theta: tensor<1x2x3xf32>, %size: tensor<6xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{expects size of 4 or 5 elements, got 'tensor<6xi64>'}}
  %y = onnx.AffineGrid(%theta, %size) : (tensor<1x2x3xf32>, tensor<6xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
