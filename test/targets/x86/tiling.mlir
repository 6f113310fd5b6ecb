// How kernels are cut for threads: mlc-tile-kernels asks the target.
// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-tile-kernels,canonicalize,cse))' | FileCheck %s

#rows = affine_map<(m, n, k) -> (m, k)>
#panels = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#id1 = affine_map<(d0) -> (d0)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>
module attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v4", features = "+avx512f", vector_bytes = 64>} {

// Whole panels, and rows in equal parts; the epilogue joins the tile.
// CHECK-LABEL: @product_with_epilogue
// CHECK: scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (512, 1024) step (64, 64)
// CHECK: mlc.contract {{.*}} -> tensor<64x64xf32>
// CHECK: arith.maximumf
func.func private @product_with_epilogue(%x: tensor<512x1024xf32>, %w: tensor<16x1024x64xf32>, %out: tensor<512x1024xf32>) -> tensor<512x1024xf32> attributes {mlc.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x1024xf32>
  %0 = mlc.contract ins(%x, %w : tensor<512x1024xf32>, tensor<16x1024x64xf32>) outs(%e : tensor<512x1024xf32>) {lhs_map = #rows, rhs_map = #panels} -> tensor<512x1024xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<512x1024xf32>) outs(%out : tensor<512x1024xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.maximumf %a, %zero : f32
    linalg.yield %s : f32
  } -> tensor<512x1024xf32>
  return %1 : tensor<512x1024xf32>
}

// Rows that only the run counts come in fixed steps.
// CHECK-LABEL: @open_rows
// CHECK: scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (%{{.*}}, 768) step (36, 64)
func.func private @open_rows(%x: tensor<?x768xf32>, %w: tensor<12x768x64xf32>, %out: tensor<?x768xf32>) -> tensor<?x768xf32> attributes {mlc.kernel} {
  %0 = mlc.contract ins(%x, %w : tensor<?x768xf32>, tensor<12x768x64xf32>) outs(%out : tensor<?x768xf32>) {lhs_map = #rows, rhs_map = #panels} -> tensor<?x768xf32>
  return %0 : tensor<?x768xf32>
}

// Elementwise loops are cut at the outside.
// CHECK-LABEL: @rows_of_elements
// CHECK: scf.forall (%{{.*}}) = (0) to (4096) step (128)
func.func private @rows_of_elements(%x: tensor<4096x1000xf32>, %out: tensor<4096x1000xf32>) -> tensor<4096x1000xf32> attributes {mlc.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4096x1000xf32>) outs(%out : tensor<4096x1000xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<4096x1000xf32>
  return %0 : tensor<4096x1000xf32>
}

// What goes from one operation to the next stays in the first cache: 6 rows of 1000 floats would not be equal parts of 4096.
// CHECK-LABEL: @held_rows
// CHECK: scf.forall (%{{.*}}) = (0) to (4096) step (4)
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: arith.mulf
func.func private @held_rows(%x: tensor<4096x1000xf32>, %out: tensor<4096x1000xf32>) -> tensor<4096x1000xf32> attributes {mlc.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4096x1000xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4096x1000xf32>) outs(%e : tensor<4096x1000xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<4096x1000xf32>
  %rows = tensor.empty() : tensor<4096xf32>
  %none = linalg.fill ins(%zero : f32) outs(%rows : tensor<4096xf32>) -> tensor<4096xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<4096x1000xf32>) outs(%none : tensor<4096xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4096xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %sums : tensor<4096x1000xf32>, tensor<4096xf32>) outs(%out : tensor<4096x1000xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4096x1000xf32>
  return %1 : tensor<4096x1000xf32>
}

// A few numbers that are made of nothing are made again in each tile.
// CHECK-LABEL: @numbers_of_columns
// CHECK: scf.forall (%{{.*}}) = (0) to (4096) step ({{[0-9]+}})
// CHECK: linalg.index
func.func private @numbers_of_columns(%x: tensor<4096x1000xf32>, %out: tensor<4096x1000xf32>) -> tensor<4096x1000xf32> attributes {mlc.kernel} {
  %e = tensor.empty() : tensor<1000xf32>
  %numbers = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e : tensor<1000xf32>) {
  ^bb0(%b: f32):
    %i = linalg.index 0 : index
    %n = arith.index_cast %i : index to i64
    %s = arith.sitofp %n : i64 to f32
    linalg.yield %s : f32
  } -> tensor<1000xf32>
  %0 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %numbers : tensor<4096x1000xf32>, tensor<1000xf32>) outs(%out : tensor<4096x1000xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4096x1000xf32>
  return %0 : tensor<4096x1000xf32>
}

// What is done before a second thread would wake stays whole.
// CHECK-LABEL: @little
// CHECK-NOT: scf.forall
func.func private @little(%x: tensor<16x10xf32>, %out: tensor<16x10xf32>) -> tensor<16x10xf32> attributes {mlc.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x10xf32>) outs(%out : tensor<16x10xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<16x10xf32>
  return %0 : tensor<16x10xf32>
}
}
