// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-move-quantization,cse))' | FileCheck %s

// CHECK-LABEL: @below_what_moves
// CHECK: %[[T:.*]] = onnx.Transpose(%arg0) {perm = [0, 2, 1]} : (tensor<1x4x6xui8>) -> tensor<1x6x4xui8>
// CHECK: %[[Y:.*]] = onnx.DequantizeLinear(%[[T]], %arg1, %arg2)
// CHECK: return %[[Y]]
func.func @below_what_moves(%q: tensor<1x4x6xui8>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<1x6x4xf32> {
  %x = onnx.DequantizeLinear(%q, %s, %z) : (tensor<1x4x6xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x4x6xf32>
  %y = onnx.Transpose(%x) {perm = [0, 2, 1]} : (tensor<1x4x6xf32>) -> tensor<1x6x4xf32>
  return %y : tensor<1x6x4xf32>
}

// Parts of one scale are one whole of it; a scale that only the run knows is itself and nothing else.
// CHECK-LABEL: @parts_of_one_scale
// CHECK: %[[WHOLE:.*]] = onnx.Concat(%arg0, %arg1) {axis = 0} : (tensor<2x3xi8>, tensor<1x3xi8>) -> tensor<3x3xi8>
// CHECK: onnx.DequantizeLinear(%[[WHOLE]], %arg2
func.func @parts_of_one_scale(%a: tensor<2x3xi8>, %b: tensor<1x3xi8>, %s: tensor<f32>) -> tensor<3x3xf32> {
  %x = onnx.DequantizeLinear(%a, %s, _) : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
  %y = onnx.DequantizeLinear(%b, %s, _) : (tensor<1x3xi8>, tensor<f32>) -> tensor<1x3xf32>
  %z = onnx.Concat(%x, %y) {axis = 0} : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
  return %z : tensor<3x3xf32>
}

// CHECK-LABEL: @parts_of_two_scales
// CHECK: onnx.Concat({{.*}}) {axis = 0} : (tensor<2x3xf32>, tensor<1x3xf32>)
func.func @parts_of_two_scales(%a: tensor<2x3xi8>, %b: tensor<1x3xi8>, %s: tensor<f32>, %t: tensor<f32>) -> tensor<3x3xf32> {
  %x = onnx.DequantizeLinear(%a, %s, _) : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
  %y = onnx.DequantizeLinear(%b, %t, _) : (tensor<1x3xi8>, tensor<f32>) -> tensor<1x3xf32>
  %z = onnx.Concat(%x, %y) {axis = 0} : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
  return %z : tensor<3x3xf32>
}

// Padding with 0 is padding with what stands for it.
// CHECK-LABEL: @padding_is_the_zero_point
// CHECK: %[[SEVEN:.*]] = onnx.Constant() {value = dense<7> : tensor<ui8>}
// CHECK: onnx.Pad(%arg0, %arg1, %[[SEVEN]]) : (tensor<4xui8>
func.func @padding_is_the_zero_point(%q: tensor<4xui8>, %pads: tensor<2xi64>) -> tensor<?xf32> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<7> : tensor<ui8>} : () -> tensor<ui8>
  %x = onnx.DequantizeLinear(%q, %s, %z) : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  %y = onnx.Pad(%x, %pads, _, _) : (tensor<4xf32>, tensor<2xi64>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// 0.25 is none of the numbers that a scale of 0.5 gives.
// CHECK-LABEL: @padding_between_the_numbers
// CHECK: onnx.Pad({{.*}}) : (tensor<4xf32>
func.func @padding_between_the_numbers(%q: tensor<4xui8>, %pads: tensor<2xi64>) -> tensor<?xf32> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<7> : tensor<ui8>} : () -> tensor<ui8>
  %value = onnx.Constant() {value = dense<0.25> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, %z) : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  %y = onnx.Pad(%x, %pads, %value, _) : (tensor<4xf32>, tensor<2xi64>, tensor<f32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// A positive scale keeps the order; of one that only the run knows nobody can tell.
// CHECK-LABEL: @greatest_of_a_window
// CHECK: onnx.MaxPool(%arg0) {{.*}} : (tensor<1x1x4x4xui8>)
// CHECK: onnx.MaxPool(%{{.*}}) {{.*}} : (tensor<1x1x4x4xf32>)
func.func @greatest_of_a_window(%q: tensor<1x1x4x4xui8>, %unknown: tensor<f32>) -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<1x1x4x4xui8>, tensor<f32>) -> tensor<1x1x4x4xf32>
  %y = onnx.MaxPool(%x) {kernel_shape = [2, 2], strides = [2, 2]} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  %v = onnx.DequantizeLinear(%q, %unknown, _) : (tensor<1x1x4x4xui8>, tensor<f32>) -> tensor<1x1x4x4xf32>
  %w = onnx.MaxPool(%v) {kernel_shape = [2, 2], strides = [2, 2]} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  return %y, %w : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

// A window in the padding alone has no greatest element.
// CHECK-LABEL: @window_without_elements
// CHECK: onnx.MaxPool(%{{.*}}) {{.*}} : (tensor<1x1x4xf32>)
func.func @window_without_elements(%q: tensor<1x1x4xui8>) -> tensor<1x1x7xf32> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<1x1x4xui8>, tensor<f32>) -> tensor<1x1x4xf32>
  %y = onnx.MaxPool(%x) {kernel_shape = [2], pads = [2, 2]} : (tensor<1x1x4xf32>) -> tensor<1x1x7xf32>
  return %y : tensor<1x1x7xf32>
}

// MaxPool takes bytes, not words.
// CHECK-LABEL: @elements_of_another_type
// CHECK: onnx.MaxPool(%{{.*}}) {{.*}} : (tensor<1x1x4xf32>)
func.func @elements_of_another_type(%q: tensor<1x1x4xui16>) -> tensor<1x1x3xf32> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<1x1x4xui16>, tensor<f32>) -> tensor<1x1x4xf32>
  %y = onnx.MaxPool(%x) {kernel_shape = [2]} : (tensor<1x1x4xf32>) -> tensor<1x1x3xf32>
  return %y : tensor<1x1x3xf32>
}

// Weights with a scale for each row have one for each column when they are transposed.
// CHECK-LABEL: @scales_along_an_axis
// CHECK: %[[T:.*]] = onnx.Transpose(%arg0) {perm = [1, 0]} : (tensor<3x5xi8>) -> tensor<5x3xi8>
// CHECK: onnx.DequantizeLinear(%[[T]], %arg1) : (tensor<5x3xi8>, tensor<3xf32>)
// CHECK: %[[S:.*]] = onnx.Transpose(%arg2) {perm = [1, 0]} : (tensor<3x1xf32>) -> tensor<1x3xf32>
// CHECK: onnx.DequantizeLinear(%[[T]], %[[S]]) {axis = 0, block_size = 5}
func.func @scales_along_an_axis(%q: tensor<3x5xi8>, %s: tensor<3xf32>, %blocks: tensor<3x1xf32>) -> (tensor<5x3xf32>, tensor<5x3xf32>) {
  %x = onnx.DequantizeLinear(%q, %s, _) {axis = 0} : (tensor<3x5xi8>, tensor<3xf32>) -> tensor<3x5xf32>
  %y = onnx.Transpose(%x) {perm = [1, 0]} : (tensor<3x5xf32>) -> tensor<5x3xf32>
  %v = onnx.DequantizeLinear(%q, %blocks, _) {axis = 1, block_size = 5} : (tensor<3x5xi8>, tensor<3x1xf32>) -> tensor<3x5xf32>
  %w = onnx.Transpose(%v) {perm = [1, 0]} : (tensor<3x5xf32>) -> tensor<5x3xf32>
  return %y, %w : tensor<5x3xf32>, tensor<5x3xf32>
}

// CHECK-LABEL: @comes_back
// CHECK-NEXT: return %arg0
func.func @comes_back(%q: tensor<4xi8>) -> tensor<4xi8> {
  %s = onnx.Constant() {value = dense<0.1> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
  %y = onnx.QuantizeLinear(%x, %s, _) {output_dtype = 3} : (tensor<4xf32>, tensor<f32>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// A scale that only the run knows might be 0; another zero point moves the numbers; and a pair that begins with floats
// rounds them.
// CHECK-LABEL: @does_something
// CHECK-COUNT-3: onnx.QuantizeLinear
func.func @does_something(%q: tensor<4xi8>, %unknown: tensor<f32>, %floats: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xi8>, tensor<4xf32>) {
  %s = onnx.Constant() {value = dense<0.1> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<1> : tensor<i8>} : () -> tensor<i8>
  %x = onnx.DequantizeLinear(%q, %unknown, _) : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
  %y = onnx.QuantizeLinear(%x, %unknown, _) {output_dtype = 3} : (tensor<4xf32>, tensor<f32>) -> tensor<4xi8>
  %v = onnx.DequantizeLinear(%q, %s, _) : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
  %w = onnx.QuantizeLinear(%v, %s, %z) : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  %r = onnx.QuantizeLinear(%floats, %s, %z) : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  %t = onnx.DequantizeLinear(%r, %s, %z) : (tensor<4xi8>, tensor<f32>, tensor<i8>) -> tensor<4xf32>
  return %y, %w, %t : tensor<4xi8>, tensor<4xi8>, tensor<4xf32>
}

// The quantization goes to the product; what Relu and Clip cut off is cut off where their bounds are rounded to, and 6 is
// more than 255 steps of 0.02.
// CHECK-LABEL: @above_activations
// CHECK: %[[Y:.*]] = onnx.MatMul
// CHECK: %[[Q:.*]] = onnx.QuantizeLinear(%[[Y]], %[[S:.*]], %{{.*}})
// CHECK: %[[R:.*]] = onnx.Reshape(%[[Q]], %arg1) : (tensor<4x3xui8>
// CHECK: %[[C:.*]] = onnx.Clip(%[[R]], %[[Z:.*]]) : (tensor<12xui8>, tensor<ui8>) -> tensor<12xui8>
// CHECK: return %[[C]]
func.func @above_activations(%q: tensor<4x8xui8>, %shape: tensor<1xi64>) -> tensor<12xui8> {
  %w = onnx.Constant() {value = dense<1> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %s = onnx.Constant() {value = dense<0.02> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<3> : tensor<ui8>} : () -> tensor<ui8>
  %low = onnx.Constant() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %high = onnx.Constant() {value = dense<6.0> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, %z) : (tensor<4x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<4x8xf32>
  %v = onnx.DequantizeLinear(%w, %s, _) : (tensor<8x3xi8>, tensor<f32>) -> tensor<8x3xf32>
  %y = onnx.MatMul(%x, %v) : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %r = onnx.Reshape(%y, %shape) : (tensor<4x3xf32>, tensor<1xi64>) -> tensor<12xf32>
  %c = onnx.Clip(%r, %low, %high) : (tensor<12xf32>, tensor<f32>, tensor<f32>) -> tensor<12xf32>
  %t = onnx.QuantizeLinear(%c, %s, %z) : (tensor<12xf32>, tensor<f32>, tensor<ui8>) -> tensor<12xui8>
  return %t : tensor<12xui8>
}

// Something else needs the floats, or they are no product of quantized numbers.
// CHECK-LABEL: @not_above
// CHECK: onnx.Relu(%{{.*}}) : (tensor<4x3xf32>)
// CHECK: onnx.Relu(%arg1) : (tensor<4xf32>)
func.func @not_above(%q: tensor<4x8xui8>, %floats: tensor<4xf32>) -> (tensor<4x3xf32>, tensor<4x3xui8>, tensor<4xui8>) {
  %w = onnx.Constant() {value = dense<1> : tensor<8x3xi8>} : () -> tensor<8x3xi8>
  %s = onnx.Constant() {value = dense<0.02> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4x8xui8>, tensor<f32>) -> tensor<4x8xf32>
  %v = onnx.DequantizeLinear(%w, %s, _) : (tensor<8x3xi8>, tensor<f32>) -> tensor<8x3xf32>
  %y = onnx.MatMul(%x, %v) : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %r = onnx.Relu(%y) : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %t = onnx.QuantizeLinear(%r, %s, _) : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xui8>
  %n = onnx.Relu(%floats) : (tensor<4xf32>) -> tensor<4xf32>
  %m = onnx.QuantizeLinear(%n, %s, _) : (tensor<4xf32>, tensor<f32>) -> tensor<4xui8>
  return %r, %t, %m : tensor<4x3xf32>, tensor<4x3xui8>, tensor<4xui8>
}

// Relu of numbers that are multiples of a scale cuts off at one of them; an upper bound between two of them does not.
// CHECK-LABEL: @below_activations
// CHECK: %[[Q:.*]] = onnx.Clip(%arg0, %{{.*}}) : (tensor<4xui8>
// CHECK: onnx.DequantizeLinear(%[[Q]]
// CHECK: onnx.Clip(%{{.*}}) : (tensor<4xf32>
func.func @below_activations(%q: tensor<4xui8>) -> (tensor<4xf32>, tensor<4xf32>) {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %z = onnx.Constant() {value = dense<9> : tensor<ui8>} : () -> tensor<ui8>
  %high = onnx.Constant() {value = dense<5.25> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, %z) : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  %y = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %c = onnx.Clip(%x, _, %high) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y, %c : tensor<4xf32>, tensor<4xf32>
}

// NaN is no bound of anything.
// CHECK-LABEL: @bound_of_nan
// CHECK: onnx.Clip(%{{.*}}) : (tensor<4xf32>
func.func @bound_of_nan(%q: tensor<4xui8>) -> tensor<4xf32> {
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %low = onnx.Constant() {value = dense<0x7FC00000> : tensor<f32>} : () -> tensor<f32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<4xui8>, tensor<f32>) -> tensor<4xf32>
  %y = onnx.Clip(%x, %low, _) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
