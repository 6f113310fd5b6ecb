// RUN: mlc-opt %s --mlc-infer-shapes --split-input-file --verify-diagnostics

// Extents are exact: what 64 bits cannot hold does not wrap around to something that looks right.

func.func @wrapped_to_four(%x: tensor<4x4xf32>) -> tensor<*xf32> {
  %repeats = onnx.Constant() {value = dense<[4611686018427387905, 1]> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @+1 {{has a result whose extent on axis 0 is beyond 64 bits}}
  %y = onnx.Tile(%x, %repeats) : (tensor<4x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @pads(%x: tensor<1x2x8x8xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{has a result whose extent on axis 2 is beyond 64 bits}}
  %y = onnx.MaxPool(%x) {kernel_shape = array<i64: 3, 3>, pads = array<i64: 9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807>} : (tensor<1x2x8x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @of_the_run(%x: tensor<?x4xf32>) -> tensor<*xf32> {
  %repeats = onnx.Constant() {value = dense<[9223372036854775807, 1]> : tensor<2xi64>} : () -> tensor<2xi64>
  %many = onnx.Tile(%x, %repeats) : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  // expected-error @+1 {{has a result whose extent on axis 0 is beyond 64 bits}}
  %y = onnx.Concat(%many, %many) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @elements(%a: tensor<1099511627776x1xf32>, %b: tensor<1x1099511627776xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{has a result with more elements than 64 bits can count: extents 1099511627776, 1099511627776}}
  %y = onnx.Add(%a, %b) : (tensor<1099511627776x1xf32>, tensor<1x1099511627776xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// 2863311533 * 752928326383679198 is 6 in 64 bits.
func.func @reshape(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value = dense<[2863311533, 752928326383679198]> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @+1 {{has a result with more elements than 64 bits can count: extents 2863311533, 752928326383679198}}
  %y = onnx.Reshape(%x, %shape) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @blocks(%x: tensor<1x4x2x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a blocksize whose square 64 bits can hold, got 4294967296}}
  %y = onnx.DepthToSpace(%x) {blocksize = 4294967296 : i64} : (tensor<1x4x2x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
