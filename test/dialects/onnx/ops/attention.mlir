// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// Heads are read where they lie: nothing is transposed, and keys are not repeated for the heads that share them.
// CHECK: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d2, d5)>
// CHECK: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d5)>
// CHECK-LABEL: @grouped_heads
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {indexing_maps = [#[[Q]], #[[K]], #{{.*}}]
// CHECK: math.exp
// CHECK: return %{{.*}} : tensor<2x?x32xf32>
func.func @grouped_heads(%q: tensor<2x?x32xf32>, %k: tensor<2x5x16xf32>, %v: tensor<2x5x16xf32>) -> tensor<*xf32> {
  %y = onnx.Attention(%q, %k, %v) {q_num_heads = 4, kv_num_heads = 2} : (tensor<2x?x32xf32>, tensor<2x5x16xf32>, tensor<2x5x16xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// CHECK-LABEL: @past_keys
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 0] [1, 2, 3, 8]
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 3, 0] [1, 2, 4, 8]
// CHECK: return %{{.*}}, %{{.*}} : tensor<1x2x4x8xf32>, tensor<1x2x7x8xf32>
func.func @past_keys(%x: tensor<1x2x4x8xf32>, %past: tensor<1x2x3x8xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y, %key, %value = onnx.Attention(%x, %x, %x, _, %past, %past) {is_causal = 1} : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y, %key : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @heads_that_cannot_share(%q: tensor<1x3x4x8xf32>, %k: tensor<1x2x4x8xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects heads of Q that are a multiple of those of K, got 3 and 2}}
  %y = onnx.Attention(%q, %k, %k) : (tensor<1x3x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The number of heads is an attribute, of which the type of the past need not know.
// CHECK-LABEL: @past_of_unknown_heads
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: tensor<?x?x?x?xf32>
// CHECK: %[[CAST:.*]] = tensor.cast %[[PAST]] : tensor<?x?x?x?xf32> to tensor<?x3x?x?xf32>
// CHECK: tensor.insert_slice %[[CAST]] into %{{.*}} : tensor<?x3x?x?xf32> into tensor<?x3x?x?xf32>
func.func @past_of_unknown_heads(%x: tensor<?x?x?xf32>, %past: tensor<?x?x?x?xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %y, %key, %value = onnx.Attention(%x, %x, %x, _, %past, %past) {q_num_heads = 3, kv_num_heads = 3} : (tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y, %key, %value : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: @rotation
// CHECK: mlc.check
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 0] [1, 2, 4, 4]
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 4] [1, 2, 4, 4]
func.func @rotation(%x: tensor<1x2x4x8xf32>, %cache: tensor<50x4xf32>, %ids: tensor<1x4xi64>) -> tensor<*xf32> {
  %y = onnx.RotaryEmbedding(%x, %cache, %cache, %ids) : (tensor<1x2x4x8xf32>, tensor<50x4xf32>, tensor<50x4xf32>, tensor<1x4xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
