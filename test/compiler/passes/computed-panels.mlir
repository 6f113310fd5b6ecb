// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-pack-operands,canonicalize,cse))' | FileCheck %s
// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-pack-operands,canonicalize,cse),mlc-form-kernels)' | FileCheck %s --check-prefix=KERNEL

// CHECK-DAG: #[[TERMS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, (d2 + d3) * 2 + d4)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d1 floordiv 16, d4, d1 mod 16)>
// CHECK-DAG: #[[WEIGHTS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d0, d1, d4)>
// CHECK-DAG: #[[SCALES:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d0, d4)>
module attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v4", features = "+avx512f,+avx512vnni", vector_bytes = 64>} {

// Two weights of 4 bits in each byte: 1 + 16 * 4, 2 + 16 * 5... A scale belongs to a block of 2 terms of a column. The
// kernel has the weights as they are.
// CHECK-LABEL: @model
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[\[}}65, 82, 99, 0, {{.*}}7, 24, 47, 0, {{.*}}> : tensor<1x2x1x16xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{.*}}> : tensor<1x2x16xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<2x1x1x2x16xf32>
// CHECK: %[[D:.*]] = linalg.generic {indexing_maps = [#[[WEIGHTS]], #[[SCALES]], {{.*}}} ins(%[[W]], %[[S]] : {{.*}}) outs(%[[E]]
// CHECK: linalg.index 3
// CHECK: mlc.contract ins(%arg0, %[[D]] : {{.*}}) {lhs_map = #[[TERMS]], rhs_map = #[[PANELS]]}
// KERNEL: func.func private @{{.*}}(%{{.*}}: tensor<1x2x1x16xi8>, %{{.*}}: tensor<1x2x16xf32>, %{{.*}}: tensor<5x4xf32>, %{{.*}}: tensor<5x3xf32>)
// KERNEL: arith.sitofp
// KERNEL: mlc.contract
func.func @model(%x: tensor<5x4xf32>) -> tensor<5x3xf32> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6], [7, -8, -1], [0, 1, 2]]> : tensor<4x3xi8>
  %s = arith.constant dense<[[0.5, 0.25, 0.125], [1.0, 2.0, 4.0]]> : tensor<2x3xf32>
  %blocks = tensor.expand_shape %w [[0, 1], [2]] output_shape [2, 2, 3] : tensor<4x3xi8> into tensor<2x2x3xi8>
  %e = tensor.empty() : tensor<2x2x3xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(b, k, n) -> (b, k, n)>, affine_map<(b, k, n) -> (b, n)>, affine_map<(b, k, n) -> (b, k, n)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%blocks, %s : tensor<2x2x3xi8>, tensor<2x3xf32>) outs(%e : tensor<2x2x3xf32>) {
  ^bb0(%q: i8, %scale: f32, %out: f32):
    %wide = arith.extsi %q : i8 to i32
    %real = arith.sitofp %wide : i32 to f32
    %product = arith.mulf %real, %scale : f32
    linalg.yield %product : f32
  } -> tensor<2x2x3xf32>
  %matrix = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x2x3xf32> into tensor<4x3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %matrix : tensor<5x4xf32>, tensor<4x3xf32>) outs(%init : tensor<5x3xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}
}
