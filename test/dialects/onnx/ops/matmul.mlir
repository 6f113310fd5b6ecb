// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK: #[[A:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[B:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: @one_matrix_for_all_batches
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #{{.*}}], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
func.func @one_matrix_for_all_batches(%a: tensor<?x5x3xf32>, %b: tensor<3x4xf32>) -> tensor<*xf32> {
  %0 = onnx.MatMul(%a, %b) : (tensor<?x5x3xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK: #[[A:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4)>
// CHECK: #[[B:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d4, d3)>
// CHECK-LABEL: @batches_broadcast
// CHECK: return {{.*}} : tensor<6x7x5x4xf32>
func.func @batches_broadcast(%a: tensor<6x1x5x3xf32>, %b: tensor<7x3x4xf32>) -> tensor<*xf32> {
  %0 = onnx.MatMul(%a, %b) : (tensor<6x1x5x3xf32>, tensor<7x3x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Sums of halves are gathered in f32.
// CHECK-LABEL: @halves
// CHECK: arith.extf
// CHECK: arith.mulf {{.*}} : f32
// CHECK: arith.addf {{.*}} : f32
// CHECK: arith.truncf
// CHECK: return {{.*}} : tensor<f16>
func.func @halves(%a: tensor<3xf16>, %b: tensor<3xf16>) -> tensor<*xf16> {
  %0 = onnx.MatMul(%a, %b) : (tensor<3xf16>, tensor<3xf16>) -> tensor<*xf16>
  return %0 : tensor<*xf16>
}

// -----

func.func @depths_differ(%a: tensor<5x3xf32>, %b: tensor<4x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects as many columns of A as rows of B, got 'tensor<5x3xf32>' and 'tensor<4x3xf32>'}}
  %0 = onnx.MatMul(%a, %b) : (tensor<5x3xf32>, tensor<4x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// A transposed operand is read that way.
// CHECK: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: @transposed
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[B]], #{{.*}}]
func.func @transposed(%a: tensor<5x3xf32>, %b: tensor<4x3xf32>, %c: tensor<4xf32>) -> tensor<*xf32> {
  %0 = onnx.Gemm(%a, %b, %c) {transB = 1} : (tensor<5x3xf32>, tensor<4x3xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @bias_larger_than_product(%a: tensor<5x3xf32>, %b: tensor<3x4xf32>, %c: tensor<2x5x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects C that broadcasts to the product, got 'tensor<2x5x4xf32>'}}
  %0 = onnx.Gemm(%a, %b, %c) : (tensor<5x3xf32>, tensor<3x4xf32>, tensor<2x5x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
// CHECK-LABEL: @letters
// CHECK: linalg.generic {indexing_maps = [#[[Q]], #[[K]], #{{.*}}]
// CHECK: return {{.*}} : tensor<2x3x4x5xf32>
func.func @letters(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x5x8xf32>) -> tensor<*xf32> {
  %0 = onnx.Einsum(%q, %k) {equation = "bhid,bhjd->bhij"} : (tensor<2x3x4x8xf32>, tensor<2x3x5x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @letter_of_two_extents(%q: tensor<2x3xf32>, %k: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects one extent for each letter of 'ij,jk'}}
  %0 = onnx.Einsum(%q, %k) {equation = "ij,jk"} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
