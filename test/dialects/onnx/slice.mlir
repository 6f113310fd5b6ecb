// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-LABEL: @steps_forward_are_a_view
// CHECK: tensor.extract_slice %{{.*}}[0, 1] [%{{.*}}, 2] [1, 3]
// CHECK-NOT: linalg
// CHECK: return
func.func @steps_forward_are_a_view(%x: tensor<?x7xf32>) -> tensor<*xf32> {
  %start = onnx.Constant() {value_ints = [1]} : () -> tensor<*xi64>
  %end = onnx.Constant() {value_ints = [-1]} : () -> tensor<*xi64>
  %step = onnx.Constant() {value_ints = [3]} : () -> tensor<*xi64>
  %y = onnx.Slice(%x, %start, %end, %start, %step) : (tensor<?x7xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @steps_backward_are_a_copy
// CHECK: linalg.generic
// CHECK: tensor.extract
// CHECK: -> tensor<7xf32>
func.func @steps_backward_are_a_copy(%x: tensor<7xf32>) -> tensor<*xf32> {
  %start = onnx.Constant() {value_ints = [-1]} : () -> tensor<*xi64>
  %end = onnx.Constant() {value_ints = [-9223372036854775808]} : () -> tensor<*xi64>
  %y = onnx.Slice(%x, %start, %end, _, %start) : (tensor<7xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @negative_pads_cut
// CHECK: tensor.extract_slice %{{.*}}[2] [5] [1]
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0] [5] [1]
// CHECK-SAME: into tensor<6xf32>
func.func @negative_pads_cut(%x: tensor<7xf32>) -> tensor<*xf32> {
  %pads = onnx.Constant() {value_ints = [-2, 1]} : () -> tensor<*xi64>
  %y = onnx.Pad(%x, %pads, _, _) : (tensor<7xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @constant_pads
// CHECK: tensor.pad %{{.*}} low[0, 1] high[0, 2]
func.func @constant_pads(%x: tensor<?x7xf32>) -> tensor<*xf32> {
  %pads = onnx.Constant() {value_ints = [0, 1, 0, 2]} : () -> tensor<*xi64>
  %y = onnx.Pad(%x, %pads, _, _) : (tensor<?x7xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
