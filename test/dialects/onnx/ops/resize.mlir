// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// A nearest element that is repeated a whole number of times is not computed.
// CHECK: #[[SOURCE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
// CHECK-LABEL: @repeated
// CHECK: linalg.generic {indexing_maps = [#[[SOURCE]], #{{.*}}]
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0], [1], [2, 3], [4, 5]] : tensor<1x3x?x2x5x2xf32> into tensor<1x3x?x10xf32>
func.func @repeated(%x: tensor<1x3x?x5xf32>) -> tensor<*xf32> {
  %scales = onnx.Constant() {value = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %0 = onnx.Resize(%x, _, %scales) {coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"} : (tensor<1x3x?x5xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// One axis after the other; two elements each.
// CHECK-LABEL: @linear
// CHECK: math.floor
// CHECK: tensor.extract %{{.*}} : tensor<1x3x4x5xf32>
// CHECK: tensor.extract %{{.*}} : tensor<1x3x4x5xf32>
// CHECK: tensor.extract %{{.*}} : tensor<1x3x8x5xf32>
// CHECK: return %{{.*}} : tensor<1x3x8x9xf32>
func.func @linear(%x: tensor<1x3x4x5xf32>) -> tensor<*xf32> {
  %sizes = onnx.Constant() {value = dense<[8, 9]> : tensor<2xi64>} : () -> tensor<2xi64>
  %0 = onnx.Resize(%x, _, _, %sizes) {mode = "linear", axes = [2, 3]} : (tensor<1x3x4x5xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Sizes that are extents of something else stay so.
// CHECK-LABEL: @size_of_another
// CHECK-SAME: -> tensor<1x3x?x5xf32>
func.func @size_of_another(%x: tensor<1x3x4x5xf32>, %y: tensor<1x3x?x5xf32>) -> tensor<*xf32> {
  %sizes = onnx.Shape(%y) : (tensor<1x3x?x5xf32>) -> tensor<4xi64>
  %0 = onnx.Resize(%x, _, _, %sizes) {mode = "linear"} : (tensor<1x3x4x5xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @neither_scales_nor_sizes(%x: tensor<1x3x4x5xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects either scales or sizes, got none}}
  %0 = onnx.Resize(%x) : (tensor<1x3x4x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @scales_of_other_count(%x: tensor<1x3x4x5xf32>, %scales: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects scales of 4 elements, one for each axis, got 'tensor<2xf32>'}}
  %0 = onnx.Resize(%x, _, %scales) : (tensor<1x3x4x5xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
