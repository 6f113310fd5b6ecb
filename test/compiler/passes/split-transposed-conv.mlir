// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-split-transposed-conv))' | FileCheck %s

// Each of the four phases is a filter of 2 x 2: 3 elements at a stride of 2, filled up with the zero point.
// CHECK-LABEL: @phases
// CHECK: %[[P:.*]] = onnx.Pad(%{{.*}}) : (tensor<4x5x3x3xi8>, tensor<8xi64>, tensor<i8>) -> tensor<4x5x4x4xi8>
// CHECK: onnx.Reshape(%[[P]], %{{.*}}) : {{.*}} -> tensor<1x4x5x2x2x2x2xi8>
// CHECK: %[[F:.*]] = onnx.Slice({{.*}}) : (tensor<20x4x2x2xi8>, {{.*}} -> tensor<20x4x2x2xi8>
// CHECK: %[[W:.*]] = onnx.DequantizeLinear(%[[F]], %{{.*}}) {axis = 0} : (tensor<20x4x2x2xi8>, tensor<20xf32>)
// CHECK: %[[B:.*]] = onnx.Reshape({{.*}}) : (tensor<5x4xf32>, tensor<1xi64>) -> tensor<20xf32>
// CHECK: %[[C:.*]] = onnx.Conv(%{{.*}}, %[[W]], %[[B]]) {{{.*}}pads = [1, 1, 1, 1]} : {{.*}} -> tensor<1x20x9x7xf32>
// CHECK: %[[D:.*]] = onnx.DepthToSpace(%[[C]]) {blocksize = 2, mode = "CRD"} : {{.*}} -> tensor<1x5x18x14xf32>
// CHECK: %[[FROM:.*]] = onnx.Constant() {value = dense<1> : tensor<2xi64>}
// CHECK: %[[TO:.*]] = onnx.Constant() {value = dense<-1> : tensor<2xi64>}
// CHECK: onnx.Slice(%[[D]], %[[FROM]], %[[TO]], {{.*}} -> tensor<1x5x16x12xf32>
func.func @phases(%q: tensor<1x4x8x6xui8>, %b: tensor<5xf32>) -> tensor<1x5x16x12xf32> {
  %w = onnx.Constant() {value = dense<5> : tensor<4x5x3x3xi8>} : () -> tensor<4x5x3x3xi8>
  %s = onnx.Constant() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %sw = onnx.Constant() {value = dense<[0.1, 0.2, 0.3, 0.4, 0.5]> : tensor<5xf32>} : () -> tensor<5xf32>
  %x = onnx.DequantizeLinear(%q, %s, _) : (tensor<1x4x8x6xui8>, tensor<f32>) -> tensor<1x4x8x6xf32>
  %v = onnx.DequantizeLinear(%w, %sw, _) {axis = 1} : (tensor<4x5x3x3xi8>, tensor<5xf32>) -> tensor<4x5x3x3xf32>
  %y = onnx.ConvTranspose(%x, %v, %b) {strides = [2, 2], pads = [1, 1, 1, 1], output_padding = [1, 1]} : (tensor<1x4x8x6xf32>, tensor<4x5x3x3xf32>, tensor<5xf32>) -> tensor<1x5x16x12xf32>
  return %y : tensor<1x5x16x12xf32>
}

// Floats are filled up with 0.
// CHECK-LABEL: @floats
// CHECK: %[[ZERO:.*]] = onnx.Constant() {value = dense<0.000000e+00> : tensor<f32>}
// CHECK: onnx.Pad({{.*}}, %[[ZERO]]) : {{.*}} -> tensor<4x5x4x4xf32>
// CHECK: %[[F:.*]] = onnx.Slice({{.*}} -> tensor<20x4x2x2xf32>
// CHECK: %[[C:.*]] = onnx.Conv(%arg0, %[[F]]) {{{.*}}} : {{.*}} -> tensor<?x20x9x7xf32>
// CHECK: onnx.DepthToSpace(%[[C]])
func.func @floats(%x: tensor<?x4x8x6xf32>) -> tensor<?x5x17x13xf32> {
  %w = onnx.Constant() {value = dense<0.5> : tensor<4x5x3x3xf32>} : () -> tensor<4x5x3x3xf32>
  %y = onnx.ConvTranspose(%x, %w, _) {strides = [2, 2]} : (tensor<?x4x8x6xf32>, tensor<4x5x3x3xf32>) -> tensor<?x5x17x13xf32>
  return %y : tensor<?x5x17x13xf32>
}

// A filter that only the run knows, strides that differ, and a result that reaches beyond the last phase.
// CHECK-LABEL: @no_phases
// CHECK-COUNT-3: onnx.ConvTranspose
func.func @no_phases(%x: tensor<1x4x8x6xf32>, %f: tensor<4x5x2x2xf32>) -> (tensor<1x5x16x12xf32>, tensor<1x5x16x7xf32>, tensor<1x5x17x12xf32>) {
  %w = onnx.Constant() {value = dense<0.5> : tensor<4x5x2x2xf32>} : () -> tensor<4x5x2x2xf32>
  %y = onnx.ConvTranspose(%x, %f, _) {strides = [2, 2]} : (tensor<1x4x8x6xf32>, tensor<4x5x2x2xf32>) -> tensor<1x5x16x12xf32>
  %z = onnx.ConvTranspose(%x, %w, _) {strides = [2, 1]} : (tensor<1x4x8x6xf32>, tensor<4x5x2x2xf32>) -> tensor<1x5x16x7xf32>
  %u = onnx.ConvTranspose(%x, %w, _) {strides = [2, 2], output_padding = [1, 0]} : (tensor<1x4x8x6xf32>, tensor<4x5x2x2xf32>) -> tensor<1x5x17x12xf32>
  return %y, %z, %u : tensor<1x5x16x12xf32>, tensor<1x5x16x7xf32>, tensor<1x5x17x12xf32>
}
