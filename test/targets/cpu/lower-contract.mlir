// RUN: mlc-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(mlc-lower-contract,canonicalize,cse))' | FileCheck %s

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>

// 20 rows are 4 tiles of 5, not 3 of 6 and one of 2.
// CHECK-LABEL: @rows_in_equal_tiles
// CHECK: scf.for %{{.*}} = %c0 to %c20 step %c5
// CHECK: mlc.ukernel broadcast 5 x 64 lanes 16 depth [%c32] lhs %{{.*}}[%{{.*}}] by [%c32, 1] rhs %{{.*}}[%c0] by [64] out %{{.*}} by [%c64] width [] accumulate %false
// CHECK-NOT: mlc.ukernel
func.func @rows_in_equal_tiles(%x: memref<20x32xf32>, %w: memref<1x32x64xf32>, %y: memref<20x64xf32>) {
  mlc.contract ins(%x, %w : memref<20x32xf32>, memref<1x32x64xf32>) outs(%y : memref<20x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>

// CHECK-LABEL: @rows_unknown
// CHECK: mlc.ukernel broadcast 6 x 64
// CHECK: mlc.ukernel broadcast 4 x 64
// CHECK: mlc.ukernel broadcast 2 x 64
// CHECK: mlc.ukernel broadcast 1 x 64
func.func @rows_unknown(%x: memref<?x32xf32>, %w: memref<1x32x64xf32>, %y: memref<?x64xf32>) {
  mlc.contract ins(%x, %w : memref<?x32xf32>, memref<1x32x64xf32>) outs(%y : memref<?x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>

// The last panel has 36 columns: three vectors, the last of them with 4.
// CHECK-LABEL: @columns_left_over
// CHECK: mlc.ukernel broadcast 6 x 64 {{.*}} width [] accumulate
// CHECK: mlc.ukernel broadcast 6 x 48 {{.*}} width [36] accumulate
func.func @columns_left_over(%x: memref<6x32xf32>, %w: memref<2x32x64xf32>, %y: memref<6x100xf32>) {
  mlc.contract ins(%x, %w : memref<6x32xf32>, memref<2x32x64xf32>) outs(%y : memref<6x100xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>

// The sum of 3000 terms goes through memory twice.
// CHECK-LABEL: @depth_in_blocks
// CHECK: scf.for %[[K:.*]] = %c0 to %c3000 step %c1000
// CHECK: %[[LATER:.*]] = arith.cmpi ne, %[[K]], %c0
// CHECK: mlc.ukernel broadcast 6 x 64 lanes 16 depth [%c1000] {{.*}} accumulate %[[LATER]]
func.func @depth_in_blocks(%x: memref<6x3000xf32>, %w: memref<1x3000x64xf32>, %y: memref<6x64xf32>) {
  mlc.contract ins(%x, %w : memref<6x3000xf32>, memref<1x3000x64xf32>) outs(%y : memref<6x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(b, y, x, n, i, j, c) -> (b, y + i, x + j, c)>
#rhs = affine_map<(b, y, x, n, i, j, c) -> (n floordiv 64, i * 192 + j * 64 + c, n mod 64)>

// A row of the window is one run of 3 x 64 elements.
// CHECK-LABEL: @window
// CHECK: mlc.ukernel broadcast {{.*}} depth [%c3, %c192] lhs %{{.*}} by [%c64, %c1920, 1] rhs %{{.*}} by [%{{.*}}, 64]
func.func @window(%x: memref<1x30x30x64xf32>, %w: memref<1x576x64xf32>, %y: memref<1x28x28x64xf32>) {
  mlc.contract ins(%x, %w : memref<1x30x30x64xf32>, memref<1x576x64xf32>) outs(%y : memref<1x28x28x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(b, y, x, n, c) -> (b, y, x, c)>
#rhs = affine_map<(b, y, x, n, c) -> (n floordiv 64, c, n mod 64)>

// A convolution of 1 x 1 is one matrix product with 784 rows.
// CHECK-LABEL: @pointwise
// CHECK: scf.for %{{.*}} = %c0 to %c774 step %c6
// CHECK: scf.for %{{.*}} = %c774 to %c784 step %c5
// CHECK-NOT: scf.for
func.func @pointwise(%x: memref<1x28x28x64xf32>, %w: memref<1x64x64xf32>, %y: memref<1x28x28x64xf32>) {
  mlc.contract ins(%x, %w : memref<1x28x28x64xf32>, memref<1x64x64xf32>) outs(%y : memref<1x28x28x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(b, y, x, n, i, j) -> (b, y + i, x + j, n)>
#rhs = affine_map<(b, y, x, n, i, j) -> (n floordiv 16, i * 3 + j, n mod 16)>

// CHECK-LABEL: @depthwise
// CHECK: mlc.ukernel lanes 9 x 16 lanes 16 depth [3, 3] lhs %{{.*}} by [32, 960, 32] rhs %{{.*}} by [48, 16]
func.func @depthwise(%x: memref<1x30x30x32xf32>, %w: memref<2x9x16xf32>, %y: memref<1x28x28x32xf32>) {
  mlc.contract ins(%x, %w : memref<1x30x30x32xf32>, memref<2x9x16xf32>) outs(%y : memref<1x28x28x32xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

// A window of one element has no depth loops left; a tile still has one, of one step.
// CHECK-LABEL: @window_of_one
// CHECK: mlc.ukernel lanes {{.*}} depth [1]
func.func @window_of_one(%x: memref<1x28x28x32xf32>, %w: memref<1x1x32xf32>, %y: memref<1x28x28x32xf32>) {
  mlc.contract ins(%x, %w : memref<1x28x28x32xf32>, memref<1x1x32xf32>) outs(%y : memref<1x28x28x32xf32>)
    {lhs_map = affine_map<(b, y, x, n, i, j) -> (b, y + i, x + j, n)>,
     rhs_map = affine_map<(b, y, x, n, i, j) -> (n floordiv 32, i + j, n mod 32)>}
  return
}

// -----

#lhs = affine_map<(m, n, k, g) -> (m, k * 4 + g)>
#rhs = affine_map<(m, n, k, g) -> (n floordiv 32, k, n mod 32, g)>

// A step of the depth takes a group of four terms; a panel is cut into strips of vectors of groups.
// CHECK-LABEL: @groups_of_integers
// CHECK: mlc.ukernel broadcast 6 x 32 lanes 16 depth [%c8] lhs %{{.*}}[%c0] by [%c32, 4] rhs %{{.*}}[%c0] by [128] {{.*}} {group = 4 : i64, lhs_unsigned} : memref<i8>, memref<i8>, memref<i32>
// CHECK: mlc.ukernel broadcast 6 x 16 lanes 16 depth [%c8] lhs %{{.*}}[%c0] by [%c32, 4] rhs %{{.*}}[%c1024] by [128]
func.func @groups_of_integers(%x: memref<6x32xi8>, %w: memref<2x8x32x4xi8>, %y: memref<6x48xi32>) {
  mlc.contract ins(%x, %w : memref<6x32xi8>, memref<2x8x32x4xi8>) outs(%y : memref<6x48xi32>) {lhs_map = #lhs, rhs_map = #rhs, lhs_unsigned}
  return
}
