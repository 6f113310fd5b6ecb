// RUN: mlc-opt %s -split-input-file -verify-diagnostics

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
func.func @panels_for_other_columns(%x: memref<8x64xf32>, %w: memref<2x64x16xf32>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects 1 panels for 16 columns, got 2}}
  mlc.contract ins(%x, %w : memref<8x64xf32>, memref<2x64x16xf32>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
func.func @depth_longer_than_rows(%x: memref<8x60xf32>, %w: memref<1x64x16xf32>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects lhs to have at least 64 elements along dimension 1, got 'memref<8x60xf32>'}}
  mlc.contract ins(%x, %w : memref<8x60xf32>, memref<1x64x16xf32>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
func.func @columns_not_last(%x: memref<8x64xf32>, %w: memref<16x64xf32>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects rhs_map to end in the columns, d1, or in panels of them}}
  mlc.contract ins(%x, %w : memref<8x64xf32>, memref<16x64xf32>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, i, j) -> (m, i, j)>
#rhs = affine_map<(m, n, i, j) -> (n floordiv 16, i * 5 + j * 2, n mod 16)>
func.func @depth_is_no_number(%x: memref<8x3x5xf32>, %w: memref<1x15x16xf32>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects rhs_map to index a panel by a mixed-radix number of the depth loops}}
  mlc.contract ins(%x, %w : memref<8x3x5xf32>, memref<1x15x16xf32>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m + n, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
func.func @columns_in_window(%x: memref<23x64xf32>, %w: memref<1x64x16xf32>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects lhs_map to sum loops other than the columns times constants}}
  mlc.contract ins(%x, %w : memref<23x64xf32>, memref<1x64x16xf32>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
func.func @wide_weights(%x: memref<8x64xf32>, %w: memref<1x64x16xf64>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects rhs to have floats no wider than 'f32', got 'memref<1x64x16xf64>'}}
  mlc.contract ins(%x, %w : memref<8x64xf32>, memref<1x64x16xf64>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

func.func @too_many_registers(%a: memref<f32>, %i: index, %yes: i1) {
  // expected-error @+1 {{expects a tile that fits in 32 registers, got one that needs 33}}
  mlc.ukernel broadcast 7 x 64 lanes 16 depth [%i] lhs %a[%i] by [%i, 1] rhs %a[%i] by [64] out %a[%i] by [%i]
    width [] accumulate %yes : memref<f32>, memref<f32>, memref<f32>
  return
}

// -----

func.func @stride_missing(%a: memref<f32>, %i: index, %yes: i1) {
  // expected-error @+1 {{expects lhs strides of the rows and each depth loop}}
  mlc.ukernel broadcast 6 x 64 lanes 16 depth [%i] lhs %a[%i] by [1] rhs %a[%i] by [64] out %a[%i] by [%i]
    width [] accumulate %yes : memref<f32>, memref<f32>, memref<f32>
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
func.func @factors_of_four_bits(%x: memref<8x64xi4>, %w: memref<1x64x16xi8>, %y: memref<8x16xi32>) {
  // expected-error @+1 {{expects factors of 8, 16 or 32 bits for a sum of integers, got 'memref<8x64xi4>'}}
  mlc.contract ins(%x, %w : memref<8x64xi4>, memref<1x64x16xi8>) outs(%y : memref<8x16xi32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>
func.func @unsigned_floats(%x: memref<8x64xf32>, %w: memref<1x64x16xf32>, %y: memref<8x16xf32>) {
  // expected-error @+1 {{expects integers where lhs_unsigned is, got 'memref<8x64xf32>'}}
  mlc.contract ins(%x, %w : memref<8x64xf32>, memref<1x64x16xf32>) outs(%y : memref<8x16xf32>) {lhs_map = #lhs, rhs_map = #rhs, lhs_unsigned}
  return
}
