// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --split-input-file --verify-diagnostics

func.func @constant_index_out_of_range(%x: tensor<7xf32>) -> tensor<*xf32> {
  %i = onnx.Constant() {value_int = -8} : () -> tensor<*xi64>
  // expected-error @+1 {{expects indices in [-7, 7), got -8}}
  %y = onnx.Gather(%x, %i) : (tensor<7xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @updates_that_do_not_fit(%x: tensor<7x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects updates of extent 3 on axis 1, got 4}}
  %y = onnx.ScatterND(%x, %i, %u) : (tensor<7x3xf32>, tensor<2x1xi64>, tensor<2x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_such_reduction(%x: tensor<7xf32>, %i: tensor<2xi64>, %u: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects reduction none, add, mul, max or min, got sum}}
  %y = onnx.ScatterElements(%x, %i, %u) {reduction = "sum"} : (tensor<7xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @extents_that_differ(%x: tensor<7x3xf32>, %y: tensor<7x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects operands of one extent on axis 1, got 3 and 4}}
  %z = onnx.Concat(%x, %y) {axis = 0} : (tensor<7x3xf32>, tensor<7x4xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

func.func @parts_of_another_whole(%x: tensor<7xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %parts = onnx.Constant() {value_ints = [3, 5]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects parts of 7 in all, got 8}}
  %y:2 = onnx.Split(%x, %parts) : (tensor<7xf32>, tensor<*xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @standing_still(%x: tensor<7xf32>) -> tensor<*xf32> {
  %0 = onnx.Constant() {value_ints = [0]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects steps that are not 0}}
  %y = onnx.Slice(%x, %0, %0, %0, %0) : (tensor<7xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @coordinates_of_another_rank(%x: tensor<2x3x8x9xf32>, %grid: tensor<2x4x5x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects coordinates of 2 components, got 3}}
  %y = onnx.GridSample(%x, %grid) : (tensor<2x3x8x9xf32>, tensor<2x4x5x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @joined_strings(%x: tensor<4x!onnx.string>, %i: tensor<1x1xi64>, %u: tensor<1x!onnx.string>) -> tensor<*x!onnx.string> {
  // expected-error @+1 {{expects numbers where the reduction is add, got elements of type '!onnx.string'}}
  %0 = onnx.ScatterND(%x, %i, %u) {reduction = "add"} : (tensor<4x!onnx.string>, tensor<1x1xi64>, tensor<1x!onnx.string>) -> tensor<*x!onnx.string>
  return %0 : tensor<*x!onnx.string>
}
