// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: @softmax
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: arith.divf
func.func @softmax(%x: tensor<4x?xf32>) -> tensor<*xf32> {
  %0 = onnx.Softmax(%x) : (tensor<4x?xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// The mean, then the variance of what differs from it.
// CHECK-LABEL: @layer_normalization
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: arith.subf
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: math.sqrt
func.func @layer_normalization(%x: tensor<?x?x8xf32>, %scale: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<*xf32> {
  %0 = onnx.LayerNormalization(%x, %scale, %b) : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @scale_that_does_not_fit(%x: tensor<4x8xf32>, %scale: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a scale and a bias that broadcast to X, got 'tensor<4xf32>' for 'tensor<4x8xf32>'}}
  %0 = onnx.LayerNormalization(%x, %scale) : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: @batch_normalization
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel"]{{.*}} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x3x5xf32>, tensor<3xf32>, tensor<3xf32>)
func.func @batch_normalization(%x: tensor<?x3x5xf32>, %v: tensor<3xf32>) -> tensor<*xf32> {
  %0 = onnx.BatchNormalization(%x, %v, %v, %v, %v) : (tensor<?x3x5xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @groups_that_do_not_divide(%x: tensor<1x3x5xf32>, %v: tensor<3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a number of channels that 2 groups divide, got 'tensor<1x3x5xf32>'}}
  %0 = onnx.GroupNormalization(%x, %v, %v) {num_groups = 2} : (tensor<1x3x5xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
