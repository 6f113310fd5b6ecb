// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: @quantize
// CHECK-SAME: -> tensor<4x8xi8>
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.maxnumf
// CHECK: arith.minnumf
// CHECK-NEXT: arith.fptosi
func.func @quantize(%x: tensor<4x8xf32>, %scale: tensor<8xf32>, %zero: tensor<8xui8>) -> tensor<*xui8> {
  %0 = onnx.QuantizeLinear(%x, %scale, %zero) : (tensor<4x8xf32>, tensor<8xf32>, tensor<8xui8>) -> tensor<*xui8>
  return %0 : tensor<*xui8>
}

// -----

// The difference from the zero point needs more bits than the operands have.
// CHECK-LABEL: @products_of_bytes
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.subi {{.*}} : i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.muli {{.*}} : i32
// CHECK: arith.addi {{.*}} : i32
func.func @products_of_bytes(%a: tensor<4x8xui8>, %b: tensor<8x5xi8>, %zero: tensor<ui8>) -> tensor<*xi32> {
  %0 = onnx.MatMulInteger(%a, %b, %zero) : (tensor<4x8xui8>, tensor<8x5xi8>, tensor<ui8>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// -----

func.func @scales_of_no_axis(%x: tensor<4x8xf32>, %scale: tensor<3xf32>, %zero: tensor<3xui8>) -> tensor<*xui8> {
  // expected-error @+1 {{expects a scale or zero point of one element, or of one for each along axis 1, got 'tensor<3xf32>'}}
  %0 = onnx.QuantizeLinear(%x, %scale, %zero) : (tensor<4x8xf32>, tensor<3xf32>, tensor<3xui8>) -> tensor<*xui8>
  return %0 : tensor<*xui8>
}
