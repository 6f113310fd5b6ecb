// RUN: mlc-opt %s -mlc-infer-shapes | FileCheck %s --check-prefix=SHAPE
// RUN: mlc-opt %s -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// SHAPE-LABEL: @broadcasts_operands
// CHECK-LABEL: @broadcasts_operands
func.func @broadcasts_operands(%a: tensor<2x1x?xf32> {onnx.dims = ["", "", "n"]}, %b: tensor<5x1xf32>) -> tensor<*xf32> {
  // SHAPE: -> tensor<2x5x?xf32>
  // CHECK: linalg.generic
  // CHECK: arith.mulf
  %0 = onnx.Mul(%a, %b) : (tensor<2x1x?xf32>, tensor<5x1xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// One name is one extent: nothing is to be broadcast, and nothing to be checked.
// CHECK-LABEL: @equal_dimensions_need_no_check
// CHECK-NOT: mlc.check
func.func @equal_dimensions_need_no_check(%a: tensor<?xf32> {onnx.dims = ["n"]}, %b: tensor<?xf32> {onnx.dims = ["n"]}) -> tensor<*xf32> {
  %0 = onnx.Sub(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @different_dimensions_are_checked
// CHECK: mlc.check %{{.*}}, " (Max) expects operands that broadcast
func.func @different_dimensions_are_checked(%a: tensor<?xf32> {onnx.dims = ["n"]}, %b: tensor<?xf32> {onnx.dims = ["m"]}) -> tensor<*xf32> {
  %0 = onnx.Max(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// A processor stops at a division by zero, a model must not.
// CHECK-LABEL: @integer_division_is_guarded
// CHECK: %[[ZERO:.*]] = arith.cmpi eq
// CHECK: arith.select %[[ZERO]]
// CHECK: arith.divsi
func.func @integer_division_is_guarded(%a: tensor<4xi32>, %b: tensor<4xi32>) -> tensor<*xi32> {
  %0 = onnx.Div(%a, %b) : (tensor<4xi32>, tensor<4xi32>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// CHECK-LABEL: @unsigned_stay_unsigned
// CHECK-SAME: tensor<4xi8>
// CHECK: arith.maxui
func.func @unsigned_stay_unsigned(%a: tensor<4xui8>, %b: tensor<4xui8>) -> tensor<*xui8> {
  %0 = onnx.Max(%a, %b) : (tensor<4xui8>, tensor<4xui8>) -> tensor<*xui8>
  return %0 : tensor<*xui8>
}

// Narrow floats are computed in f32.
// CHECK-LABEL: @half_computes_in_single
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @half_computes_in_single(%a: tensor<4xf16>) -> tensor<*xf16> {
  %0 = onnx.Exp(%a) : (tensor<4xf16>) -> tensor<*xf16>
  return %0 : tensor<*xf16>
}

// CHECK-LABEL: @constant_power
// CHECK-NOT: math.powf
// CHECK: arith.mulf
func.func @constant_power(%a: tensor<4xf32>) -> tensor<*xf32> {
  %two = onnx.Constant() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Pow(%a, %two) : (tensor<4xf32>, tensor<f32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @clip_without_lower_bound
// CHECK-NOT: arith.maximumf
// CHECK: arith.minimumf
func.func @clip_without_lower_bound(%a: tensor<4xf32>, %max: tensor<1xf32>) -> tensor<*xf32> {
  %0 = onnx.Clip(%a, _, %max) : (tensor<4xf32>, tensor<1xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
