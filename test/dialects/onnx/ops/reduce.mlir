// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: @mean
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: arith.divf
// CHECK: return {{.*}} : tensor<?x1xf32>
func.func @mean(%x: tensor<?x8xf32>) -> tensor<*xf32> {
  %axes = onnx.Constant() {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = onnx.ReduceMean(%x, %axes) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: @no_axes_may_mean_none
// CHECK: return {{.*}} : tensor<4x8xf32>
func.func @no_axes_may_mean_none(%x: tensor<4x8xf32>) -> tensor<*xf32> {
  %0 = onnx.ReduceSum(%x) {noop_with_empty_axes = 1} : (tensor<4x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: @axes_of_the_run
// CHECK: mlc.check %{{.*}}, " (ReduceMax) expects axes in [-2, 1], each once"
// CHECK: return {{.*}} : tensor<?xf32>
func.func @axes_of_the_run(%x: tensor<4x8xf32>, %axes: tensor<1xi64>) -> tensor<*xf32> {
  %0 = onnx.ReduceMax(%x, %axes) {keepdims = 0} : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @axis_out_of_range(%x: tensor<4x8xf32>) -> tensor<*xf32> {
  %axes = onnx.Constant() {value = dense<2> : tensor<1xi64>} : () -> tensor<1xi64>
  // expected-error @+1 {{expects axes in [-2, 1], got 2}}
  %0 = onnx.ReduceSum(%x, %axes) : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK-LABEL: @place_of_the_largest
// CHECK: linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xi64>)
func.func @place_of_the_largest(%x: tensor<4x8xf32>) -> tensor<*xi64> {
  %0 = onnx.ArgMax(%x) {axis = 1, keepdims = 0} : (tensor<4x8xf32>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

// CHECK-LABEL: @running_sum
// CHECK: scf.for
// CHECK: tensor.extract_slice
// CHECK: tensor.insert_slice
func.func @running_sum(%x: tensor<4x8xf32>, %axis: tensor<i64>) -> tensor<*xf32> {
  %0 = onnx.CumSum(%x, %axis) : (tensor<4x8xf32>, tensor<i64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
