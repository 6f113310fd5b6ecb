// RUN: mlc-opt %s --mlc-infer-shapes --split-input-file --verify-diagnostics

func.func @other_count(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [3, 5]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects a shape of 12 elements, got 15}}
  %y = onnx.Reshape(%x, %shape) : (tensor<3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @two_rests(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [-1, -1]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects at most one -1 in its shape}}
  %y = onnx.Reshape(%x, %shape) : (tensor<3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_such_rows(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [-1, 5]} : () -> tensor<*xi64>
  // expected-error @+1 {{cannot divide 12 elements into rows of 5}}
  %y = onnx.Reshape(%x, %shape) : (tensor<3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_unit_axis(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %axes = onnx.Constant() {value_ints = [1]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects extent 1 on axis 1, got 4}}
  %y = onnx.Squeeze(%x, %axes) : (tensor<3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_permutation(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a permutation of 2 axes, got [0, 0]}}
  %y = onnx.Transpose(%x) {perm = [0, 0]} : (tensor<3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_whole_blocks(%x: tensor<1x6x2x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects the extent of axis 1 to be a multiple of 4, got 6}}
  %y = onnx.DepthToSpace(%x) {blocksize = 2} : (tensor<1x6x2x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @cannot_expand(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [2, 4]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects data that broadcasts to its shape}}
  %y = onnx.Expand(%x, %shape) : (tensor<3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
