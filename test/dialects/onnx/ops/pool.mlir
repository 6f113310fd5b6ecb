// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: @largest
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: tensor.pad {{.*}} low[0, 0, 1, 1] high[0, 0, 1, 1]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x2x10x10xf32>, tensor<3x3xf32>) outs(%{{.*}} : tensor<1x2x4x4xf32>)
// CHECK: arith.maximumf
func.func @largest(%x: tensor<1x2x8x8xf32>) -> tensor<*xf32> {
  %0 = onnx.MaxPool(%x) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]} : (tensor<1x2x8x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// A window may end behind the operand, but not begin there: 5 elements and 1 before, by steps of 3.
// CHECK-LABEL: @ceiled
// CHECK: tensor.pad {{.*}} low[0, 0, 1] high[0, 0, 1]
// CHECK: return {{.*}} : tensor<1x2x2xf32>
func.func @ceiled(%x: tensor<1x2x5xf32>) -> tensor<*xf32> {
  %0 = onnx.MaxPool(%x) {kernel_shape = [3], strides = [3], pads = [1, 1], ceil_mode = 1} : (tensor<1x2x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Without padding every window holds the same number of elements.
// CHECK-LABEL: @average
// CHECK: %[[COUNT:.*]] = arith.constant 4.000000e+00 : f32
// CHECK: arith.divf %{{.*}}, %[[COUNT]]
func.func @average(%x: tensor<1x2x8x8xf32>) -> tensor<*xf32> {
  %0 = onnx.AveragePool(%x) {kernel_shape = [2, 2]} : (tensor<1x2x8x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @window_of_other_rank(%x: tensor<1x2x8x8xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a window of 2 axes, got 1}}
  %0 = onnx.MaxPool(%x) {kernel_shape = [3]} : (tensor<1x2x8x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
