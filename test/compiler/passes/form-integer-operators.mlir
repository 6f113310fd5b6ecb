// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-form-integer-operators))' | FileCheck %s

// CHECK-LABEL: @convolution
// CHECK: %[[Q:.*]] = onnx.QLinearConv(%arg0, %[[SX:.*]], %[[ZX:.*]], %[[W:.*]], %[[SW:.*]], %[[ZW:.*]], %[[SY:.*]], %[[ZY:.*]], %[[B:.*]]) {pads = [1, 1, 1, 1]} : (tensor<1x2x8x8xui8>, tensor<f32>, tensor<ui8>, tensor<3x2x3x3xi8>, tensor<3xf32>, tensor<i8>, tensor<f32>, tensor<ui8>, tensor<3xi32>) -> tensor<1x3x8x8xui8>
// CHECK: return %[[Q]]
func.func @convolution(%q: tensor<1x2x8x8xui8>) -> tensor<1x3x8x8xui8> {
  %w = onnx.Constant() {value = dense<5> : tensor<3x2x3x3xi8>} : () -> tensor<3x2x3x3xi8>
  %b = onnx.Constant() {value = dense<[100, -7, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %sx = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %zx = onnx.Constant() {value = dense<128> : tensor<ui8>} : () -> tensor<ui8>
  %sw = onnx.Constant() {value = dense<[0.25, 0.125, 0.5]> : tensor<3xf32>} : () -> tensor<3xf32>
  %sb = onnx.Constant() {value = dense<[0.125, 0.0625, 0.25]> : tensor<3xf32>} : () -> tensor<3xf32>
  %sy = onnx.Constant() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %sx, %zx) : (tensor<1x2x8x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x2x8x8xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 0} : (tensor<3x2x3x3xi8>, tensor<3xf32>) -> tensor<3x2x3x3xf32>
  %c = onnx.DequantizeLinear(%b, %sb, _) {axis = 0} : (tensor<3xi32>, tensor<3xf32>) -> tensor<3xf32>
  %y = onnx.Conv(%x, %v, %c) {pads = [1, 1, 1, 1]} : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>, tensor<3xf32>) -> tensor<1x3x8x8xf32>
  %r = onnx.QuantizeLinear(%y, %sy, %zx) : (tensor<1x3x8x8xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x3x8x8xui8>
  return %r : tensor<1x3x8x8xui8>
}

// A bias of floats, or of integers of another unit, is added to floats; the sum stays one of integers.
// CHECK-LABEL: @bias_of_floats
// CHECK: %[[UNIT:.*]] = onnx.Mul(%{{.*}}) : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
// CHECK: %[[SUMS:.*]] = onnx.ConvInteger(%arg0, %{{.*}}) : (tensor<1x2x8x8xui8>, tensor<3x2x3x3xi8>, tensor<ui8>, tensor<i8>) -> tensor<1x3x6x6xi32>
// CHECK: %[[Y:.*]] = onnx.DequantizeLinear(%[[SUMS]], %[[UNIT]]) : (tensor<1x3x6x6xi32>
// CHECK: %[[B:.*]] = onnx.Reshape(%arg1, %{{.*}}) : (tensor<3xf32>, tensor<4xi64>) -> tensor<1x3x1x1xf32>
// CHECK: %[[S:.*]] = onnx.Add(%[[Y]], %[[B]])
// CHECK: onnx.QuantizeLinear(%[[S]]
func.func @bias_of_floats(%q: tensor<1x2x8x8xui8>, %b: tensor<3xf32>) -> tensor<1x3x6x6xui8> {
  %w = onnx.Constant() {value = dense<5> : tensor<3x2x3x3xi8>} : () -> tensor<3x2x3x3xi8>
  %sx = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sw = onnx.Constant() {value = dense<[0.25, 0.125, 0.5]> : tensor<3xf32>} : () -> tensor<3xf32>
  %x = onnx.DequantizeLinear(%q, %sx, _) : (tensor<1x2x8x8xui8>, tensor<f32>) -> tensor<1x2x8x8xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 0} : (tensor<3x2x3x3xi8>, tensor<3xf32>) -> tensor<3x2x3x3xf32>
  %y = onnx.Conv(%x, %v, %b) : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>, tensor<3xf32>) -> tensor<1x3x6x6xf32>
  %r = onnx.QuantizeLinear(%y, %sx, _) : (tensor<1x3x6x6xf32>, tensor<f32>) -> tensor<1x3x6x6xui8>
  return %r : tensor<1x3x6x6xui8>
}

// CHECK-LABEL: @bias_of_another_unit
// CHECK-DAG: onnx.ConvInteger
// CHECK-DAG: %[[B:.*]] = onnx.DequantizeLinear(%{{.*}}) {axis = 0} : (tensor<3xi32>
// CHECK: onnx.Reshape(%[[B]]
func.func @bias_of_another_unit(%q: tensor<1x2x8x8xui8>) -> tensor<1x3x6x6xui8> {
  %w = onnx.Constant() {value = dense<5> : tensor<3x2x3x3xi8>} : () -> tensor<3x2x3x3xi8>
  %b = onnx.Constant() {value = dense<[100, -7, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %sx = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %sx, _) : (tensor<1x2x8x8xui8>, tensor<f32>) -> tensor<1x2x8x8xf32>
  %v = onnx.DequantizeLinear(%w, %sx, _) {axis = 0} : (tensor<3x2x3x3xi8>, tensor<f32>) -> tensor<3x2x3x3xf32>
  %c = onnx.DequantizeLinear(%b, %sx, _) {axis = 0} : (tensor<3xi32>, tensor<f32>) -> tensor<3xf32>
  %y = onnx.Conv(%x, %v, %c) : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>, tensor<3xf32>) -> tensor<1x3x6x6xf32>
  %r = onnx.QuantizeLinear(%y, %sx, _) : (tensor<1x3x6x6xf32>, tensor<f32>) -> tensor<1x3x6x6xui8>
  return %r : tensor<1x3x6x6xui8>
}

// CHECK-LABEL: @product
// CHECK: onnx.QLinearMatMul(%arg0, {{.*}}) : (tensor<2x4x8xi8>, tensor<f32>, tensor<i8>, tensor<8x3xi8>, tensor<3xf32>, tensor<i8>, tensor<f32>, tensor<i8>) -> tensor<2x4x3xi8>
func.func @product(%q: tensor<2x4x8xi8>) -> tensor<2x4x3xi8> {
  %w = onnx.Constant() {value = dense<5> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sw = onnx.Constant() {value = dense<[0.25, 0.125, 0.5]> : tensor<3xf32>} : () -> tensor<3xf32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<2x4x8xi8>, tensor<f32>) -> tensor<2x4x8xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 1} : (tensor<8x3xi8>, tensor<3xf32>) -> tensor<8x3xf32>
  %y = onnx.MatMul(%x, %v) : (tensor<2x4x8xf32>, tensor<8x3xf32>) -> tensor<2x4x3xf32>
  %r = onnx.QuantizeLinear(%y, %s, _) {output_dtype = 3} : (tensor<2x4x3xf32>, tensor<f32>) -> tensor<2x4x3xi8>
  return %r : tensor<2x4x3xi8>
}

// Both may be computed by the run, if it is known of how many terms the sums are.
// CHECK-LABEL: @product_of_two
// CHECK: onnx.MatMulInteger(%arg0, %arg1, {{.*}}) : (tensor<2x4x8xui8>, tensor<2x8x3xui8>, tensor<ui8>, tensor<ui8>) -> tensor<2x4x3xi32>
// CHECK: onnx.MatMul(%{{.*}}) : (tensor<2x4x?xf32>, tensor<2x?x3xf32>)
func.func @product_of_two(%q: tensor<2x4x8xui8>, %r: tensor<2x8x3xui8>, %t: tensor<2x4x?xui8>, %u: tensor<2x?x3xui8>) -> (tensor<2x4x3xf32>, tensor<2x4x3xf32>) {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<7> : tensor<ui8>} : () -> tensor<ui8>
  %x = onnx.DequantizeLinear(%q, %s, %z) : (tensor<2x4x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4x8xf32>
  %v = onnx.DequantizeLinear(%r, %s, %z) : (tensor<2x8x3xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x8x3xf32>
  %y = onnx.MatMul(%x, %v) : (tensor<2x4x8xf32>, tensor<2x8x3xf32>) -> tensor<2x4x3xf32>
  %a = onnx.DequantizeLinear(%t, %s, %z) : (tensor<2x4x?xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4x?xf32>
  %b = onnx.DequantizeLinear(%u, %s, %z) : (tensor<2x?x3xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x?x3xf32>
  %c = onnx.MatMul(%a, %b) : (tensor<2x4x?xf32>, tensor<2x?x3xf32>) -> tensor<2x4x3xf32>
  return %y, %c : tensor<2x4x3xf32>, tensor<2x4x3xf32>
}

// Scales along the terms of the sum are no factor of it.
// CHECK-LABEL: @not_of_integers
// CHECK: onnx.MatMul(
func.func @not_of_integers(%q: tensor<4x8xi8>) -> tensor<4x3xf32> {
  %w = onnx.Constant() {value = dense<5> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sw = onnx.Constant() {value = dense<0.5> : tensor<8xf32>} : () -> tensor<8xf32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4x8xi8>, tensor<f32>) -> tensor<4x8xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 0} : (tensor<8x3xi8>, tensor<8xf32>) -> tensor<8x3xf32>
  %y = onnx.MatMul(%x, %v) : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// 16 bits are two halves of 8, of numbers from 0 on.
// CHECK-LABEL: @halves
// CHECK: %[[WIDE:.*]] = onnx.Cast(%arg0) {to = 6} : (tensor<4x8xi16>) -> tensor<4x8xi32>
// CHECK: %[[MIDDLE:.*]] = onnx.Constant() {value = dense<32768> : tensor<i32>}
// CHECK: %[[FROM0:.*]] = onnx.Add(%[[WIDE]], %[[MIDDLE]])
// CHECK: %[[U:.*]] = onnx.Div(%[[FROM0]], %{{.*}})
// CHECK: %[[L:.*]] = onnx.BitwiseAnd(%[[FROM0]], %{{.*}})
// CHECK: %[[UPPER:.*]] = onnx.Cast(%[[U]]) {to = 2} : (tensor<4x8xi32>) -> tensor<4x8xui8>
// CHECK: %[[LOWER:.*]] = onnx.Cast(%[[L]]) {to = 2} : (tensor<4x8xi32>) -> tensor<4x8xui8>
// CHECK: onnx.MatMulInteger(%[[UPPER]]
// CHECK: onnx.MatMulInteger(%[[LOWER]]
// CHECK: onnx.Add
// CHECK: onnx.QuantizeLinear
func.func @halves(%q: tensor<4x8xi16>) -> tensor<4x3xi16> {
  %w = onnx.Constant() {value = dense<5> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4x8xi16>, tensor<f32>) -> tensor<4x8xf32>
  %v = onnx.DequantizeLinear(%w, %s, _) : (tensor<8x3xi8>, tensor<f32>) -> tensor<8x3xf32>
  %y = onnx.MatMul(%x, %v) : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %r = onnx.QuantizeLinear(%y, %s, _) {output_dtype = 5} : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xi16>
  return %r : tensor<4x3xi16>
}

// The unit of the sums is 0.5 * 0.5 * 2, of which a bias in steps of 0.25 is one twice.
// CHECK-LABEL: @multiplied
// CHECK: onnx.microsoft.QGemm(%arg0, {{.*}}) {alpha = 2.000000e+00} : {{.*}}, tensor<3xi32>, {{.*}} -> tensor<4x3xi8>
func.func @multiplied(%q: tensor<4x8xi8>) -> tensor<4x3xi8> {
  %w = onnx.Constant() {value = dense<5> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %b = onnx.Constant() {value = dense<[100, -7, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sb = onnx.Constant() {value = dense<0.25> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4x8xi8>, tensor<f32>) -> tensor<4x8xf32>
  %v = onnx.DequantizeLinear(%w, %s, _) : (tensor<8x3xi8>, tensor<f32>) -> tensor<8x3xf32>
  %c = onnx.DequantizeLinear(%b, %sb, _) : (tensor<3xi32>, tensor<f32>) -> tensor<3xf32>
  %y = onnx.Gemm(%x, %v, %c) {alpha = 2.0 : f32, beta = 2.0 : f32} : (tensor<4x8xf32>, tensor<8x3xf32>, tensor<3xf32>) -> tensor<4x3xf32>
  %r = onnx.QuantizeLinear(%y, %s, _) {output_dtype = 3} : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xi8>
  return %r : tensor<4x3xi8>
}

// 255 * 255 * 33026 is more than 31 bits hold.
// CHECK-LABEL: @too_many_terms
// CHECK: onnx.MatMulInteger(%arg0, {{.*}} tensor<33025x1xui8>
// CHECK: onnx.MatMul(%{{.*}}) : (tensor<1x33026xf32>
func.func @too_many_terms(%q: tensor<1x33025xui8>, %p: tensor<1x33026xui8>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %w = onnx.Constant() {value = dense<5> : tensor<33025x1xui8>} : () -> tensor<33025x1xui8>
  %v = onnx.Constant() {value = dense<5> : tensor<33026x1xui8>} : () -> tensor<33026x1xui8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.DequantizeLinear(%q, %s, _) : (tensor<1x33025xui8>, tensor<f32>) -> tensor<1x33025xf32>
  %1 = onnx.DequantizeLinear(%w, %s, _) : (tensor<33025x1xui8>, tensor<f32>) -> tensor<33025x1xf32>
  %2 = onnx.MatMul(%0, %1) : (tensor<1x33025xf32>, tensor<33025x1xf32>) -> tensor<1x1xf32>
  %3 = onnx.DequantizeLinear(%p, %s, _) : (tensor<1x33026xui8>, tensor<f32>) -> tensor<1x33026xf32>
  %4 = onnx.DequantizeLinear(%v, %s, _) : (tensor<33026x1xui8>, tensor<f32>) -> tensor<33026x1xf32>
  %5 = onnx.MatMul(%3, %4) : (tensor<1x33026xf32>, tensor<33026x1xf32>) -> tensor<1x1xf32>
  return %2, %5 : tensor<1x1xf32>, tensor<1x1xf32>
}

// Weights of 4 bits are held in 8. Without a quantization the result is a float.
// CHECK-LABEL: @matrices
// CHECK: %[[W:.*]] = onnx.Cast(%{{.*}}) {to = 3} : (tensor<3x8xi4>) -> tensor<3x8xi8>
// CHECK: onnx.microsoft.QGemm(%arg0, %{{.*}}, %{{.*}}, %[[W]], %{{.*}}, %{{.*}}, %{{.*}}) {transB = 1} : {{.*}} -> tensor<4x3xf32>
func.func @matrices(%q: tensor<4x8xi8>) -> tensor<4x3xf32> {
  %w = onnx.Constant() {value = dense<5> : tensor<3x8xi4>} : () -> tensor<3x8xi4>
  %b = onnx.Constant() {value = dense<[100, -7, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sw = onnx.Constant() {value = dense<[0.25, 0.125, 0.5]> : tensor<3xf32>} : () -> tensor<3xf32>
  %sb = onnx.Constant() {value = dense<[0.125, 0.0625, 0.25]> : tensor<3xf32>} : () -> tensor<3xf32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4x8xi8>, tensor<f32>) -> tensor<4x8xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 0} : (tensor<3x8xi4>, tensor<3xf32>) -> tensor<3x8xf32>
  %c = onnx.DequantizeLinear(%b, %sb, _) {axis = 0} : (tensor<3xi32>, tensor<3xf32>) -> tensor<3xf32>
  %y = onnx.Gemm(%x, %v, %c) {transB = 1} : (tensor<4x8xf32>, tensor<3x8xf32>, tensor<3xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// A bias with a scale for each row is none in units of the columns.
// CHECK-LABEL: @bias_along_rows
// CHECK: onnx.microsoft.QGemm(%arg0, {{.*}}, tensor<i8>) -> tensor<3x3xf32>
// CHECK: onnx.Add
func.func @bias_along_rows(%q: tensor<3x8xi8>) -> tensor<3x3xf32> {
  %w = onnx.Constant() {value = dense<5> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %b = onnx.Constant() {value = dense<7> : tensor<3x3xi32>} : () -> tensor<3x3xi32>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sw = onnx.Constant() {value = dense<[0.25, 0.125, 0.5]> : tensor<3xf32>} : () -> tensor<3xf32>
  %sb = onnx.Constant() {value = dense<[0.125, 0.0625, 0.25]> : tensor<3xf32>} : () -> tensor<3xf32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<3x8xi8>, tensor<f32>) -> tensor<3x8xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 1} : (tensor<8x3xi8>, tensor<3xf32>) -> tensor<8x3xf32>
  %c = onnx.DequantizeLinear(%b, %sb, _) {axis = 0} : (tensor<3x3xi32>, tensor<3xf32>) -> tensor<3x3xf32>
  %y = onnx.Gemm(%x, %v, %c) : (tensor<3x8xf32>, tensor<8x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// As many channels as the filter has, where a bias does not say its extent.
// CHECK-LABEL: @bias_of_unknown_extent
// CHECK: %[[SHAPE:.*]] = onnx.Constant() {value = dense<[1, 3, 1, 1]> : tensor<4xi64>}
// CHECK: onnx.Reshape(%arg1, %[[SHAPE]]) : (tensor<?xf32>, tensor<4xi64>) -> tensor<1x3x1x1xf32>
func.func @bias_of_unknown_extent(%q: tensor<1x2x8x8xui8>, %b: tensor<?xf32>) -> tensor<1x3x6x6xf32> {
  %w = onnx.Constant() {value = dense<5> : tensor<3x2x3x3xi8>} : () -> tensor<3x2x3x3xi8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<1x2x8x8xui8>, tensor<f32>) -> tensor<1x2x8x8xf32>
  %v = onnx.DequantizeLinear(%w, %s, _) : (tensor<3x2x3x3xi8>, tensor<f32>) -> tensor<3x2x3x3xf32>
  %y = onnx.Conv(%x, %v, %b) : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>, tensor<?xf32>) -> tensor<1x3x6x6xf32>
  return %y : tensor<1x3x6x6xf32>
}
