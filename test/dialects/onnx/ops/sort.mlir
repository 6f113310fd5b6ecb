// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// A heap of three places of a row: made, offered all others, taken apart.
// CHECK-LABEL: @top_of_rows
// CHECK: %[[INDICES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4x3xi64>)
// CHECK: scf.for {{.*}} iter_args(%[[ROW:.*]] = %{{.*}}) -> (tensor<4x3xi64>)
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.cmpf ord
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4x3xi64>) outs(%{{.*}} : tensor<4x3xf32>)
func.func @top_of_rows(%x: tensor<4x9xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  %k = onnx.Constant() {value_ints = [3]} : () -> tensor<*xi64>
  %values, %indices = onnx.TopK(%x, %k) : (tensor<4x9xf32>, tensor<*xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return %values, %indices : tensor<*xf32>, tensor<*xi64>
}

// -----

// CHECK-LABEL: @as_many_as_the_run_says
// CHECK: mlc.check {{.*}}, " (TopK) expects K in [0, %0], got %1"
// CHECK: tensor.extract {{.*}} : tensor<4x9xi8>
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<?x9xi64>) outs(%{{.*}} : tensor<?x9xi8>)
func.func @as_many_as_the_run_says(%x: tensor<4x9xui8>, %k: tensor<1xi64>) -> (tensor<*xui8>, tensor<*xi64>) {
  %values, %indices = onnx.TopK(%x, %k) {axis = -2, largest = 0} : (tensor<4x9xui8>, tensor<1xi64>) -> (tensor<*xui8>, tensor<*xi64>)
  return %values, %indices : tensor<*xui8>, tensor<*xi64>
}

// -----

func.func @more_than_there_are(%x: tensor<4x9xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  %k = onnx.Constant() {value_ints = [10]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects K in [0, 9], got 10}}
  %values, %indices = onnx.TopK(%x, %k) : (tensor<4x9xf32>, tensor<*xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return %values, %indices : tensor<*xf32>, tensor<*xi64>
}

// -----

// The run tells how many there are; each of the operand's elements is told its own.
// CHECK-LABEL: @unique_elements
// CHECK: scf.while
// CHECK: return {{.*}} : tensor<?xf32>, tensor<12xi64>
func.func @unique_elements(%x: tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  %y, %first, %group, %count = onnx.Unique(%x) : (tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>)
  return %y, %group : tensor<*xf32>, tensor<*xi64>
}

// -----

// CHECK-LABEL: @unique_columns
// CHECK: return {{.*}} : tensor<3x?xf32>
func.func @unique_columns(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %y, %first, %group, %count = onnx.Unique(%x) {axis = -1} : (tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>)
  return %y : tensor<*xf32>
}

// -----

func.func @unique_along_no_axis(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects an axis in [-2, 1], got 2}}
  %y, %first, %group, %count = onnx.Unique(%x) {axis = 2} : (tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>)
  return %y : tensor<*xf32>
}
