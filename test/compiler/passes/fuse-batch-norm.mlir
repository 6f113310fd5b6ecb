// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-fuse-batch-norm))' | FileCheck %s

// CHECK-LABEL: @merges
// CHECK: %[[FACTOR:.*]] = onnx.Div(
// CHECK: %[[W:.*]] = onnx.Mul(
// CHECK: %[[B:.*]] = onnx.Add(
// CHECK: %[[Y:.*]] = onnx.Conv(%arg0, %[[W]], %[[B]])
// CHECK-NOT: BatchNormalization
// CHECK: return %[[Y]]
func.func @merges(%x: tensor<1x3x8x8xf32>) -> tensor<1x2x6x6xf32> {
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x3x3x3xf32>} : () -> tensor<2x3x3x3xf32>
  %s = onnx.Constant() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.Conv(%x, %w, _) : (tensor<1x3x8x8xf32>, tensor<2x3x3x3xf32>) -> tensor<1x2x6x6xf32>
  %z = onnx.BatchNormalization(%y, %s, %s, %s, %s) : (tensor<1x2x6x6xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  return %z : tensor<1x2x6x6xf32>
}

// CHECK-LABEL: @two_users
// CHECK: onnx.BatchNormalization
func.func @two_users(%x: tensor<1x3x8x8xf32>) -> (tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>) {
  %w = onnx.Constant() {value = dense<1.0> : tensor<2x3x3x3xf32>} : () -> tensor<2x3x3x3xf32>
  %s = onnx.Constant() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.Conv(%x, %w, _) : (tensor<1x3x8x8xf32>, tensor<2x3x3x3xf32>) -> tensor<1x2x6x6xf32>
  %z = onnx.BatchNormalization(%y, %s, %s, %s, %s) : (tensor<1x2x6x6xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  return %y, %z : tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>
}

// CHECK-LABEL: @weights_from_the_input
// CHECK: onnx.BatchNormalization
func.func @weights_from_the_input(%x: tensor<1x3x8x8xf32>, %w: tensor<2x3x3x3xf32>) -> tensor<1x2x6x6xf32> {
  %s = onnx.Constant() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.Conv(%x, %w, _) : (tensor<1x3x8x8xf32>, tensor<2x3x3x3xf32>) -> tensor<1x2x6x6xf32>
  %z = onnx.BatchNormalization(%y, %s, %s, %s, %s) : (tensor<1x2x6x6xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  return %z : tensor<1x2x6x6xf32>
}
