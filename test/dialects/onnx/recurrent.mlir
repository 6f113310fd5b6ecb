// Recurrent layers: what is inferred, and the loops that they become.
// RUN: mlc-opt %s --mlc-infer-shapes | FileCheck %s --check-prefix=TYPE
// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// One product for all steps, one for each; the state stays in one place though the batch is open.
// TYPE-LABEL: @forward
// TYPE: onnx.LSTM{{.*}} -> (tensor<?x1x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>)
// CHECK-LABEL: @forward
// CHECK: linalg.generic {{.*}} ins({{.*}} : tensor<?x3xf32>, tensor<16x3xf32>)
// CHECK: scf.for {{.*}} -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x4xf32>)
// CHECK: linalg.generic {{.*}} ins({{.*}} : tensor<?x4xf32>, tensor<16x4xf32>)
// CHECK-COUNT-2: bufferization.materialize_in_destination
// CHECK: tensor.insert_slice
func.func @forward(%x: tensor<?x?x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<*xf32> {
  %y, %h, %c = onnx.LSTM(%x, %w, %r) : (tensor<?x?x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}

// Each direction has a loop.
// TYPE-LABEL: @both
// TYPE: onnx.GRU{{.*}} -> (tensor<5x2x2x4xf32>, tensor<2x2x4xf32>)
// CHECK-LABEL: @both
// CHECK-COUNT-2: scf.for
// CHECK-NOT: scf.for
// CHECK: return
func.func @both(%x: tensor<5x2x3xf32>, %w: tensor<2x12x3xf32>, %r: tensor<2x12x4xf32>) -> tensor<*xf32> {
  %y, %h = onnx.GRU(%x, %w, %r) {direction = "bidirectional"} : (tensor<5x2x3xf32>, tensor<2x12x3xf32>, tensor<2x12x4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}

// TYPE-LABEL: @batch_first
// TYPE: onnx.RNN{{.*}} -> (tensor<2x5x1x4xf32>, tensor<2x1x4xf32>)
// CHECK-LABEL: @batch_first
// CHECK: linalg.transpose
func.func @batch_first(%x: tensor<2x5x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<*xf32> {
  %y, %h = onnx.RNN(%x, %w, %r) {layout = 1} : (tensor<2x5x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}
