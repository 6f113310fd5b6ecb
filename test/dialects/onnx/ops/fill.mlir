// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: @constant_of_shape
// CHECK-SAME: %[[SHAPE:.*]]: tensor<2xi64>
// CHECK: tensor.extract %[[SHAPE]]
// CHECK: mlc.check {{.*}}, " (ConstantOfShape) expects extents that are not negative, got %0"
// CHECK: %[[ONE:.*]] = arith.constant 1 : i8
// CHECK: linalg.fill ins(%[[ONE]] : i8) outs(%{{.*}} : tensor<?x?xi8>)
func.func @constant_of_shape(%shape: tensor<2xi64>) -> tensor<*xi1> {
  %0 = onnx.ConstantOfShape(%shape) {value = dense<true> : tensor<1xi1>} : (tensor<2xi64>) -> tensor<*xi1>
  return %0 : tensor<*xi1>
}

// -----

// The ones are part of a shape: the result of Expand has the extents of the operand.
// CHECK-LABEL: @ones_of_a_shape
// CHECK-NOT: linalg.generic
// CHECK: return %{{.*}} : tensor<3x4xf32>
func.func @ones_of_a_shape(%x: tensor<3x4xf32>) -> tensor<*xf32> {
  %rank = onnx.Constant() {value_ints = [2]} : () -> tensor<*xi64>
  %ones = onnx.ConstantOfShape(%rank) {value = dense<1> : tensor<1xi64>} : (tensor<*xi64>) -> tensor<*xi64>
  %0 = onnx.Expand(%x, %ones) : (tensor<3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @negative_extent() -> tensor<*xf32> {
  %shape = onnx.Constant() {value_ints = [2, -1]} : () -> tensor<*xi64>
  // expected-error @+1 {{expects extents in its shape, got -1}}
  %0 = onnx.ConstantOfShape(%shape) : (tensor<*xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// As many as there are extents of 2 in the operand's.
// CHECK-LABEL: @range_of_extent
// CHECK: return %{{.*}} : tensor<4xi64>
func.func @range_of_extent(%x: tensor<7xf32>) -> tensor<*xi64> {
  %zero = onnx.Constant() {value_int = 0} : () -> tensor<*xi64>
  %two = onnx.Constant() {value_int = 2} : () -> tensor<*xi64>
  %size = onnx.Size(%x) : (tensor<7xf32>) -> tensor<*xi64>
  %0 = onnx.Range(%zero, %size, %two) : (tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

// CHECK-LABEL: @range_of_floats
// CHECK: mlc.check {{.*}}, " (Range) expects a delta other than 0"
// CHECK: math.ceil {{.*}} : f64
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf16>)
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @range_of_floats(%start: tensor<f16>, %limit: tensor<f16>, %delta: tensor<f16>) -> tensor<*xf16> {
  %0 = onnx.Range(%start, %limit, %delta) : (tensor<f16>, tensor<f16>, tensor<f16>) -> tensor<*xf16>
  return %0 : tensor<*xf16>
}

// -----

func.func @range_without_steps(%start: tensor<i64>, %limit: tensor<i64>) -> tensor<*xi64> {
  %zero = onnx.Constant() {value_int = 0} : () -> tensor<*xi64>
  // expected-error @+1 {{expects a delta other than 0}}
  %0 = onnx.Range(%start, %limit, %zero) : (tensor<i64>, tensor<i64>, tensor<*xi64>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

// CHECK-LABEL: @diagonal
// CHECK: %[[ABOVE:.*]] = arith.addi %{{.*}}, %c-1
// CHECK: arith.cmpi eq, %[[ABOVE]], %{{.*}} : index
func.func @diagonal(%x: tensor<4x5xi32>) -> tensor<*xi32> {
  %0 = onnx.EyeLike(%x) {k = -1} : (tensor<4x5xi32>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// -----

func.func @diagonal_of_a_cube(%x: tensor<2x4x5xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects an operand of rank 2, got 'tensor<2x4x5xf32>'}}
  %0 = onnx.EyeLike(%x) : (tensor<2x4x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
