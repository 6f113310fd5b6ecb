// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-pack-operands,canonicalize,cse))' | FileCheck %s

// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 64, d2, d1 mod 64)>
// CHECK-DAG: #[[WINDOW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 + d4, d2 + d5, d6)>
// CHECK-DAG: #[[LANES:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4, d2 + d5, d3)>
module attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v4", features = "+avx512f", vector_bytes = 64>} {

// 66 columns are two panels of 64, the second filled up; what the destination held does not matter.
// CHECK-LABEL: @weights_become_panels
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x3x64xf32>
// CHECK: mlc.contract ins(%arg0, %[[W]] : {{.*}}) outs(%{{.*}}) {lhs_map = #[[ROWS]], rhs_map = #[[PANELS]]}
func.func @weights_become_panels(%x: tensor<5x3xf32>) -> tensor<5x66xf32> {
  %w = arith.constant dense<2.0> : tensor<3x66xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x66xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x66xf32>) -> tensor<5x66xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x3xf32>, tensor<3x66xf32>) outs(%init : tensor<5x66xf32>) -> tensor<5x66xf32>
  return %y : tensor<5x66xf32>
}

// Of weights that are a part of a constant, the part becomes panels.
// CHECK-LABEL: @part_of_weights
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[\[}}3.000000e+00, 5.000000e+00, 0.000000e+00{{.*}}> : tensor<1x2x16xf32>
// CHECK: mlc.contract ins(%arg0, %[[W]]
func.func @part_of_weights(%x: tensor<5x2xf32>) -> tensor<5x2xf32> {
  %all = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]> : tensor<3x3xf32>
  %w = tensor.extract_slice %all[1, 0] [2, 2] [1, 2] : tensor<3x3xf32> to tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x2xf32>) -> tensor<5x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x2xf32>, tensor<2x2xf32>) outs(%init : tensor<5x2xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// Weights are on the right, whatever the order, and are added to what is there.
// CHECK-LABEL: @weights_on_the_left
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x3x16xf32>
// CHECK: mlc.contract accumulate ins(%arg0, %[[W]]
func.func @weights_on_the_left(%x: tensor<3x40xf32>, %init: tensor<5x40xf32>) -> tensor<5x40xf32> {
  %w = arith.constant dense<2.0> : tensor<5x3xf32>
  %y = linalg.matmul ins(%w, %x : tensor<5x3xf32>, tensor<3x40xf32>) outs(%init : tensor<5x40xf32>) -> tensor<5x40xf32>
  return %y : tensor<5x40xf32>
}

// Two rows are not worth making panels for.
// CHECK-LABEL: @few_rows_read_rows
// CHECK-NOT: linalg.generic
// CHECK: mlc.contract accumulate ins(%arg0, %arg1 : tensor<2x3xf32>, tensor<3x200xf32>)
func.func @few_rows_read_rows(%x: tensor<2x3xf32>, %w: tensor<3x200xf32>, %init: tensor<2x200xf32>) -> tensor<2x200xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x200xf32>) outs(%init : tensor<2x200xf32>) -> tensor<2x200xf32>
  return %y : tensor<2x200xf32>
}

// Many may be.
// CHECK-LABEL: @panels_at_run_time
// CHECK: tensor.pad %arg1 low[0, 0] high[0, 56]
// CHECK: %[[W:.*]] = linalg.generic {{.*}} outs({{.*}} : tensor<4x3x64xf32>)
// CHECK: mlc.contract accumulate ins(%arg0, %[[W]]
func.func @panels_at_run_time(%x: tensor<?x3xf32>, %w: tensor<3x200xf32>, %init: tensor<?x200xf32>) -> tensor<?x200xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x200xf32>) outs(%init : tensor<?x200xf32>) -> tensor<?x200xf32>
  return %y : tensor<?x200xf32>
}

// CHECK-LABEL: @convolution_is_channels_last
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x27x16xf32>
// CHECK: %[[X:.*]] = linalg.transpose ins(%arg0 : tensor<1x3x9x9xf32>) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[Y:.*]] = mlc.contract ins(%[[X]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<1x7x7x16xf32>) {lhs_map = #[[WINDOW]]
// CHECK: linalg.transpose ins(%[[Y]] : {{.*}} permutation = [0, 3, 1, 2]
func.func @convolution_is_channels_last(%x: tensor<1x3x9x9xf32>) -> tensor<1x16x7x7xf32> {
  %w = arith.constant dense<2.0> : tensor<16x3x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x16x7x7xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x16x7x7xf32>) -> tensor<1x16x7x7xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x9x9xf32>, tensor<16x3x3x3xf32>) outs(%init : tensor<1x16x7x7xf32>) -> tensor<1x16x7x7xf32>
  return %y : tensor<1x16x7x7xf32>
}

// Each channel by itself: the columns have their own inputs.
// CHECK-LABEL: @depthwise_is_lanewise
// CHECK: mlc.contract ins(%{{.*}}, %{{.*}} : tensor<1x9x9x32xf32>, tensor<1x9x32xf32>) {{.*}} {lhs_map = #[[LANES]]
func.func @depthwise_is_lanewise(%x: tensor<1x32x9x9xf32>) -> tensor<1x32x7x7xf32> {
  %w = arith.constant dense<2.0> : tensor<32x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x32x7x7xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x32x7x7xf32>) -> tensor<1x32x7x7xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw ins(%x, %w : tensor<1x32x9x9xf32>, tensor<32x3x3xf32>) outs(%init : tensor<1x32x7x7xf32>) -> tensor<1x32x7x7xf32>
  return %y : tensor<1x32x7x7xf32>
}

// Integers as wide as their sum are multiplied one by one.
// CHECK-LABEL: @integers
// CHECK: mlc.contract accumulate ins(%arg0, %arg1 : tensor<5x3xi32>, tensor<3x66xi32>)
func.func @integers(%x: tensor<5x3xi32>, %w: tensor<3x66xi32>, %init: tensor<5x66xi32>) -> tensor<5x66xi32> {
  %y = linalg.matmul ins(%x, %w : tensor<5x3xi32>, tensor<3x66xi32>) outs(%init : tensor<5x66xi32>) -> tensor<5x66xi32>
  return %y : tensor<5x66xi32>
}

// What would be packed for a single row is left as it is.
// CHECK-LABEL: @matrix_times_vector
// CHECK: linalg.matvec
func.func @matrix_times_vector(%x: tensor<5x3xf32>, %v: tensor<3xf32>, %init: tensor<5xf32>) -> tensor<5xf32> {
  %y = linalg.matvec ins(%x, %v : tensor<5x3xf32>, tensor<3xf32>) outs(%init : tensor<5xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}
}
