// RUN: mlc-opt %s -split-input-file -mlc-settle-branches | FileCheck %s
// RUN: mlc-opt %s -split-input-file -mlc-settle-branches -mlc-infer-shapes -mlc-convert-onnx-to-linalg -verify-diagnostics -o /dev/null

// Only what the squeeze gives has the two axes that Transpose swaps.
// CHECK-LABEL: @one_fits
// CHECK: onnx.If({{.*}}) {onnx.taken = true}
func.func @one_fits(%c: tensor<i1>, %x: tensor<2x3x1xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant() {value_ints = [-1]} : () -> tensor<1xi64>
  %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %x : tensor<2x3x1xf32>
  } then_branch {
    %0 = onnx.Squeeze(%x, %axis) : (tensor<2x3x1xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  }
  %z = onnx.Transpose(%y) {perm = [1, 0]} : (tensor<*xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

// CHECK-LABEL: @both_fit
// CHECK: onnx.If(%{{[^)]*}}) :
func.func @both_fit(%c: tensor<i1>, %x: tensor<2x3x1xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant() {value_ints = [-1]} : () -> tensor<1xi64>
  // expected-error @+1 {{the rank of a value that leaves a graph is known to the run only}}
  %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %x : tensor<2x3x1xf32>
  } then_branch {
    %0 = onnx.Squeeze(%x, %axis) : (tensor<2x3x1xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  }
  %z = onnx.Relu(%y) : (tensor<*xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}

// -----

// CHECK-LABEL: @ranks_agree
// CHECK: onnx.If(%{{[^)]*}}) :
func.func @ranks_agree(%c: tensor<i1>, %x: tensor<2x3xf32>, %y: tensor<3x3xf32>) -> tensor<*xf32> {
  %z = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %x : tensor<2x3xf32>
  } then_branch {
    onnx.Yield %y : tensor<3x3xf32>
  }
  return %z : tensor<*xf32>
}

// -----

// The elements are multiplied alike, whichever of the two ranks the result has.
// CHECK-LABEL: @single_elements
// CHECK: then_branch
// CHECK-NEXT: %[[SHAPE:.*]] = onnx.Constant() {value = dense<1> : tensor<1xi64>}
// CHECK-NEXT: %[[ONE:.*]] = onnx.Reshape(%{{.*}}, %[[SHAPE]])
// CHECK-NEXT: onnx.Yield %[[ONE]]
func.func @single_elements(%c: tensor<i1>, %x: tensor<f32>, %y: tensor<1xf32>, %z: tensor<3xf32>) -> tensor<*xf32> {
  %0 = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %y : tensor<1xf32>
  } then_branch {
    onnx.Yield %x : tensor<f32>
  }
  %1 = onnx.Mul(%0, %z) : (tensor<*xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// Its rank is seen.
// CHECK-LABEL: @single_elements_with_a_shape
// CHECK-NOT: onnx.Reshape
func.func @single_elements_with_a_shape(%c: tensor<i1>, %x: tensor<f32>, %y: tensor<1xf32>) -> tensor<*xi64> {
  // expected-error @+1 {{the rank of a value that leaves a graph is known to the run only}}
  %0 = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %y : tensor<1xf32>
  } then_branch {
    onnx.Yield %x : tensor<f32>
  }
  %1 = onnx.Shape(%0) : (tensor<*xf32>) -> tensor<*xi64>
  return %1 : tensor<*xi64>
}
