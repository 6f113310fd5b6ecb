// Operators that change extents only: what is inferred, symbols included, and the views they become.
// RUN: mlc-opt %s --mlc-infer-shapes | FileCheck %s --check-prefix=TYPE
// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// TYPE-LABEL: @heads
// TYPE: -> tensor<?x?x12x64xf32>
// TYPE: -> tensor<?x?x768xf32>
// CHECK-LABEL: @heads
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]] output_shape [%{{.*}}, %{{.*}}, 12, 64]
// CHECK: return %{{.*}}, %arg0 :
func.func @heads(%x: tensor<?x?x768xf32> {onnx.dims = ["batch", "seq", ""]}) -> (tensor<*xf32>, tensor<*xf32>) {
  %heads = onnx.Constant() {value_ints = [0, 0, 12, -1]} : () -> tensor<*xi64>
  %y = onnx.Reshape(%x, %heads) : (tensor<?x?x768xf32>, tensor<*xi64>) -> tensor<*xf32>
  %joined = onnx.Constant() {value_ints = [0, 0, -1]} : () -> tensor<*xi64>
  %z = onnx.Reshape(%y, %joined) : (tensor<*xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// TYPE-LABEL: @rest_of_a_product
// TYPE: onnx.Reshape{{.*}} -> tensor<?x12xf32>
// CHECK-LABEL: @rest_of_a_product
// CHECK-NOT: mlc.check
// CHECK: return
func.func @rest_of_a_product(%x: tensor<?x3x4xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [-1, 12]} : () -> tensor<*xi64>
  %y = onnx.Reshape(%x, %shape) : (tensor<?x3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// TYPE-LABEL: @shape_from_the_run
// TYPE: onnx.Reshape{{.*}} -> tensor<?x?xf32>
// CHECK-LABEL: @shape_from_the_run
// CHECK: mlc.check %{{.*}}, "{{.*}} (Reshape) expects at most one -1 in its shape, got %0"
// CHECK: mlc.check %{{.*}}, "{{.*}} (Reshape) expects a shape of %0 elements, got %1"
func.func @shape_from_the_run(%x: tensor<3x4xf32>, %shape: tensor<2xi64>) -> tensor<*xf32> {
  %y = onnx.Reshape(%x, %shape) : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// TYPE-LABEL: @count_that_only_the_run_tells
// CHECK-LABEL: @count_that_only_the_run_tells
// CHECK: mlc.check %{{.*}}, "{{.*}} (Reshape) expects a shape of %0 elements, got %1"
func.func @count_that_only_the_run_tells(%x: tensor<?xf32>) -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [3, 4]} : () -> tensor<*xi64>
  %y = onnx.Reshape(%x, %shape) : (tensor<?xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// TYPE-LABEL: @unit_axes
// TYPE: onnx.Unsqueeze{{.*}} -> tensor<1x?x4x1xf32>
// TYPE: onnx.Squeeze{{.*}} -> tensor<?x4xf32>
// TYPE: onnx.Flatten{{.*}} -> tensor<?x4xf32>
// CHECK-LABEL: @unit_axes
// CHECK-NOT: mlc.check
// CHECK: return %arg0
func.func @unit_axes(%x: tensor<?x4xf32>) -> tensor<*xf32> {
  %axes = onnx.Constant() {value_ints = [-1, 0]} : () -> tensor<*xi64>
  %0 = onnx.Unsqueeze(%x, %axes) : (tensor<?x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  %1 = onnx.Squeeze(%0, %axes) : (tensor<*xf32>, tensor<*xi64>) -> tensor<*xf32>
  %2 = onnx.Flatten(%1) {axis = -1} : (tensor<*xf32>) -> tensor<*xf32>
  return %2 : tensor<*xf32>
}

// CHECK-LABEL: @extent_that_has_to_be_one
// CHECK: mlc.check %{{.*}}, "{{.*}} (Squeeze) expects extent 1 on axis 0, got %0"
func.func @extent_that_has_to_be_one(%x: tensor<?x4xf32>) -> tensor<*xf32> {
  %axes = onnx.Constant() {value_ints = [0]} : () -> tensor<*xi64>
  %0 = onnx.Squeeze(%x, %axes) : (tensor<?x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
