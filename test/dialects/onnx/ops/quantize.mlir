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

// Bytes are multiplied as they are; the sums of a column times the zero point are taken off.
// CHECK-LABEL: @products_of_bytes
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x8xi8>, tensor<8x5xi8>)
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.muli {{.*}} : i32
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<8x5xi8>) outs(%{{.*}} : tensor<5xi32>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<4x5xi32>, tensor<5xi32>, tensor<i8>)
// CHECK: arith.muli {{.*}} : i32
// CHECK: arith.subi {{.*}} : i32
func.func @products_of_bytes(%a: tensor<4x8xui8>, %b: tensor<8x5xi8>, %zero: tensor<ui8>) -> tensor<*xi32> {
  %0 = onnx.MatMulInteger(%a, %b, %zero) : (tensor<4x8xui8>, tensor<8x5xi8>, tensor<ui8>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// -----

// Unsigned bytes on the right become signed ones, and so does their zero point: the sums of a row are taken off.
// CHECK-LABEL: @products_of_unsigned_bytes
// CHECK: arith.xori %{{.*}}, %c-128_i8
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x8xi8>, tensor<8x5xi8>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4xi32>)
// CHECK: arith.subi %{{.*}}, %c128_i32
// CHECK: arith.muli {{.*}} : i32
func.func @products_of_unsigned_bytes(%a: tensor<4x8xui8>, %b: tensor<8x5xui8>, %zero: tensor<ui8>) -> tensor<*xi32> {
  %0 = onnx.MatMulInteger(%a, %b, _, %zero) : (tensor<4x8xui8>, tensor<8x5xui8>, tensor<ui8>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// -----

func.func @scales_of_no_axis(%x: tensor<4x8xf32>, %scale: tensor<3xf32>, %zero: tensor<3xui8>) -> tensor<*xui8> {
  // expected-error @+1 {{expects a scale or zero point of one element, or of one for each along axis 1, got 'tensor<3xf32>'}}
  %0 = onnx.QuantizeLinear(%x, %scale, %zero) : (tensor<4x8xf32>, tensor<3xf32>, tensor<3xui8>) -> tensor<*xui8>
  return %0 : tensor<*xui8>
}
