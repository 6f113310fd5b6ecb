// RUN: mlc-opt %s | mlc-opt | FileCheck %s

// CHECK-DAG: #[[WINDOW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d6)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3 floordiv 64, d4 * 192 + d5 * 64 + d6, d3 mod 64)>

// CHECK-LABEL: @convolution
// CHECK: mlc.contract ins(%{{.*}}, %{{.*}} : tensor<1x57x57x64xf32>, tensor<2x576x64xf32>) outs(%{{.*}} : tensor<1x28x28x128xf32>)
// CHECK-SAME: lhs_map = #[[WINDOW]], rhs_map = #[[PANELS]]
func.func @convolution(%x: tensor<1x57x57x64xf32>, %w: tensor<2x576x64xf32>, %y: tensor<1x28x28x128xf32>) -> tensor<1x28x28x128xf32> {
  %0 = mlc.contract ins(%x, %w : tensor<1x57x57x64xf32>, tensor<2x576x64xf32>) outs(%y : tensor<1x28x28x128xf32>)
    {lhs_map = affine_map<(b, y, x, n, i, j, c) -> (b, y * 2 + i, x * 2 + j, c)>,
     rhs_map = affine_map<(b, y, x, n, i, j, c) -> (n floordiv 64, i * 192 + j * 64 + c, n mod 64)>} -> tensor<1x28x28x128xf32>
  return %0 : tensor<1x28x28x128xf32>
}

// CHECK-LABEL: @depthwise
// CHECK: mlc.contract
func.func @depthwise(%x: tensor<1x58x58x40xf32>, %w: tensor<3x9x16xf32>, %y: tensor<1x56x56x40xf32>) -> tensor<1x56x56x40xf32> {
  %0 = mlc.contract ins(%x, %w : tensor<1x58x58x40xf32>, tensor<3x9x16xf32>) outs(%y : tensor<1x56x56x40xf32>)
    {lhs_map = affine_map<(b, y, x, n, i, j) -> (b, y + i, x + j, n)>,
     rhs_map = affine_map<(b, y, x, n, i, j) -> (n floordiv 16, i * 3 + j, n mod 16)>} -> tensor<1x56x56x40xf32>
  return %0 : tensor<1x56x56x40xf32>
}

// Scores times values, with the values in rows; the head comes after the position, as it does in memory.
// CHECK-LABEL: @rows
// CHECK: mlc.contract accumulate ins
func.func @rows(%p: tensor<2x12x?x?xf32>, %v: tensor<2x?x12x64xf32>, %y: tensor<2x?x12x64xf32>) -> tensor<2x?x12x64xf32> {
  %0 = mlc.contract accumulate ins(%p, %v : tensor<2x12x?x?xf32>, tensor<2x?x12x64xf32>) outs(%y : tensor<2x?x12x64xf32>)
    {lhs_map = affine_map<(b, s, h, n, k) -> (b, h, s, k)>, rhs_map = affine_map<(b, s, h, n, k) -> (b, k, h, n)>} -> tensor<2x?x12x64xf32>
  return %0 : tensor<2x?x12x64xf32>
}

// CHECK-LABEL: @buffers
// CHECK: mlc.contract ins(%{{.*}}, %{{.*}} : memref<128x64xf32>, memref<1x64x16xbf16>) outs(%{{.*}} : memref<128x16xf32>)
func.func @buffers(%x: memref<128x64xf32>, %w: memref<1x64x16xbf16>, %y: memref<128x16xf32>) {
  mlc.contract ins(%x, %w : memref<128x64xf32>, memref<1x64x16xbf16>) outs(%y : memref<128x16xf32>)
    {lhs_map = affine_map<(m, n, k) -> (m, k)>, rhs_map = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>}
  return
}

// CHECK-LABEL: @ukernel
// CHECK: mlc.ukernel broadcast 6 x 64 lanes 16 depth [3, %{{.*}}] lhs %{{.*}}[%{{.*}}] by [%{{.*}}, %{{.*}}, 1]
func.func @ukernel(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %i: index, %yes: i1) {
  mlc.ukernel broadcast 6 x 64 lanes 16 depth [3, %i] lhs %a[%i] by [%i, %i, 1] rhs %b[%i] by [%i, 64] out %c[%i] by [%i]
    width [%i] accumulate %yes : memref<f32>, memref<f32>, memref<f32>
  return
}
