// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// Only numbers that i32 can hold reach the conversion.
// CHECK-LABEL: @float_to_integer
// CHECK: %[[FITS:.*]] = arith.andi
// CHECK: %[[VALUE:.*]] = arith.select %[[FITS]]
// CHECK: arith.fptosi %[[VALUE]] : f32 to i32
// CHECK: arith.trunci %{{.*}} : i32 to i8
func.func @float_to_integer(%a: tensor<4xf32>) -> tensor<*xi8> {
  %0 = onnx.Cast(%a) {to = 3} : (tensor<4xf32>) -> tensor<*xi8>
  return %0 : tensor<*xi8>
}

// -----

// CHECK-LABEL: @to_bool
// CHECK: arith.cmpf une
// CHECK: arith.extui %{{.*}} : i1 to i8
func.func @to_bool(%a: tensor<4xf32>) -> tensor<*xi1> {
  %0 = onnx.Cast(%a) {to = 9} : (tensor<4xf32>) -> tensor<*xi1>
  return %0 : tensor<*xi1>
}

// -----

// Floats of 8 bits lie in bytes.
// CHECK-LABEL: @to_float8
// CHECK-SAME: -> tensor<4xi8>
func.func @to_float8(%a: tensor<4xf16>) -> tensor<*xf8E4M3FN> {
  %0 = onnx.Cast(%a) {to = 17} : (tensor<4xf16>) -> tensor<*xf8E4M3FN>
  return %0 : tensor<*xf8E4M3FN>
}

// -----

func.func @bit_cast_of_other_width(%a: tensor<4xf32>) -> tensor<*xi16> {
  // expected-error @+1 {{expects types of equal width, got 'f32' and 'i16'}}
  %0 = onnx.BitCast(%a) {to = 5} : (tensor<4xf32>) -> tensor<*xi16>
  return %0 : tensor<*xi16>
}
