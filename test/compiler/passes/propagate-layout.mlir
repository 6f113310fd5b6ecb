// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-propagate-layout,canonicalize,cse))' | FileCheck %s

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#channel = affine_map<(d0, d1, d2) -> (d1)>
#lhs = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#rhs = affine_map<(d0, d1, d2, d3) -> (d3, d2)>

// Two inverse transpositions meet behind what is elementwise between them.
// CHECK-LABEL: @meets_its_inverse
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg1 : tensor<2x50x30xf32>, tensor<30xf32>)
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @meets_its_inverse(%x: tensor<2x50x30xf32>, %bias: tensor<30xf32>) -> tensor<2x50x30xf32> {
  %e0 = tensor.empty() : tensor<2x30x50xf32>
  %0 = linalg.transpose ins(%x : tensor<2x50x30xf32>) outs(%e0 : tensor<2x30x50xf32>) permutation = [0, 2, 1]
  %1 = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0, %bias : tensor<2x30x50xf32>, tensor<30xf32>) outs(%e0 : tensor<2x30x50xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x30x50xf32>
  %e1 = tensor.empty() : tensor<2x50x30xf32>
  %2 = linalg.transpose ins(%1 : tensor<2x30x50xf32>) outs(%e1 : tensor<2x50x30xf32>) permutation = [0, 2, 1]
  return %2 : tensor<2x50x30xf32>
}

// One operand against another of the same size: neither gives way, and the pass ends.
// CHECK-LABEL: @tie_stays
// CHECK: linalg.transpose ins(%arg0
// CHECK: linalg.generic
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @tie_stays(%x: tensor<2x50x30xf32>, %y: tensor<2x30x50xf32>) -> tensor<2x30x50xf32> {
  %e0 = tensor.empty() : tensor<2x30x50xf32>
  %0 = linalg.transpose ins(%x : tensor<2x50x30xf32>) outs(%e0 : tensor<2x30x50xf32>) permutation = [0, 2, 1]
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0, %y : tensor<2x30x50xf32>, tensor<2x30x50xf32>) outs(%e0 : tensor<2x30x50xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x30x50xf32>
  return %1 : tensor<2x30x50xf32>
}

// Two against one: the one is transposed before, and the result behind.
// CHECK-LABEL: @majority_decides
// CHECK: %[[Z:.*]] = linalg.transpose ins(%arg2
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%arg0, %arg1, %[[Z]]
// CHECK: linalg.transpose ins(%[[SUM]]
func.func @majority_decides(%x: tensor<2x50x30xf32>, %y: tensor<2x50x30xf32>, %z: tensor<2x30x50xf32>) -> tensor<2x30x50xf32> {
  %e0 = tensor.empty() : tensor<2x30x50xf32>
  %0 = linalg.transpose ins(%x : tensor<2x50x30xf32>) outs(%e0 : tensor<2x30x50xf32>) permutation = [0, 2, 1]
  %1 = linalg.transpose ins(%y : tensor<2x50x30xf32>) outs(%e0 : tensor<2x30x50xf32>) permutation = [0, 2, 1]
  %2 = linalg.generic {indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0, %1, %z : tensor<2x30x50xf32>, tensor<2x30x50xf32>, tensor<2x30x50xf32>) outs(%e0 : tensor<2x30x50xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %t = arith.addf %s, %c : f32
    linalg.yield %t : f32
  } -> tensor<2x30x50xf32>
  return %2 : tensor<2x30x50xf32>
}

// What is left is done before padding, and so writes into the padded tensor.
// CHECK-LABEL: @moves_up_over_padding
// CHECK: %[[T:.*]] = linalg.transpose ins(%arg0 : tensor<?x50x30xf32>)
// CHECK: tensor.pad %[[T]] low[0, 0, 1] high[0, 0, 2]
// CHECK-NOT: linalg.transpose
func.func @moves_up_over_padding(%x: tensor<?x50x30xf32>) -> tensor<?x30x53xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.pad %x low[0, 1, 0] high[0, 2, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<?x50x30xf32> to tensor<?x53x30xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %0, %c0 : tensor<?x53x30xf32>
  %e = tensor.empty(%n) : tensor<?x30x53xf32>
  %1 = linalg.transpose ins(%0 : tensor<?x53x30xf32>) outs(%e : tensor<?x30x53xf32>) permutation = [0, 2, 1]
  return %1 : tensor<?x30x53xf32>
}

// Padding in between does not keep them apart.
// CHECK-LABEL: @meets_behind_padding
// CHECK-NOT: linalg.transpose
// CHECK: tensor.pad %arg0 low[0, 1, 0] high[0, 2, 0]
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @meets_behind_padding(%x: tensor<2x50x30xf32>) -> tensor<2x53x30xf32> {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<2x30x50xf32>
  %0 = linalg.transpose ins(%x : tensor<2x50x30xf32>) outs(%e0 : tensor<2x30x50xf32>) permutation = [0, 2, 1]
  %1 = tensor.pad %0 low[0, 0, 1] high[0, 0, 2] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<2x30x50xf32> to tensor<2x30x53xf32>
  %e1 = tensor.empty() : tensor<2x53x30xf32>
  %2 = linalg.transpose ins(%1 : tensor<2x30x53xf32>) outs(%e1 : tensor<2x53x30xf32>) permutation = [0, 2, 1]
  return %2 : tensor<2x53x30xf32>
}

// CHECK-LABEL: @constants_are_moved_now
// CHECK: arith.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]>
// CHECK-NOT: linalg.transpose
func.func @constants_are_moved_now() -> tensor<2x2xf32> {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.transpose ins(%x : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  return %0 : tensor<2x2xf32>
}

// So is what reads them backwards, as transposed convolutions do.
// CHECK-LABEL: @constants_are_read_backwards_now
// CHECK: arith.constant dense<{{\[\[}}3.000000e+00, 1.000000e+00], [4.000000e+00, 2.000000e+00]]>
// CHECK-NOT: linalg
func.func @constants_are_read_backwards_now() -> tensor<2x2xf32> {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (1 - d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2x2xf32>
  %1 = linalg.transpose ins(%0 : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  return %1 : tensor<2x2xf32>
}

// A product reads its rows by any stride.
// CHECK-LABEL: @product_reads_the_original
// CHECK-NOT: linalg.transpose
// CHECK: mlc.contract ins(%arg0, %arg1
func.func @product_reads_the_original(%x: tensor<50x2x30xf32>, %w: tensor<30x7xf32>) -> tensor<2x50x7xf32> {
  %e0 = tensor.empty() : tensor<2x50x30xf32>
  %0 = linalg.transpose ins(%x : tensor<50x2x30xf32>) outs(%e0 : tensor<2x50x30xf32>) permutation = [1, 0, 2]
  %e1 = tensor.empty() : tensor<2x50x7xf32>
  %1 = mlc.contract ins(%0, %w : tensor<2x50x30xf32>, tensor<30x7xf32>) outs(%e1 : tensor<2x50x7xf32>) {lhs_map = #lhs, rhs_map = #rhs} -> tensor<2x50x7xf32>
  return %1 : tensor<2x50x7xf32>
}

// ... and writes its outer loops in any order, but for its columns, which stay contiguous.
// CHECK-LABEL: @product_writes_in_order
// CHECK: %[[Y:.*]] = mlc.contract {{.*}} -> tensor<50x2x7xf32>
// CHECK: return %[[Y]]
func.func @product_writes_in_order(%x: tensor<2x50x30xf32>, %w: tensor<30x7xf32>) -> tensor<50x2x7xf32> {
  %e0 = tensor.empty() : tensor<2x50x7xf32>
  %0 = mlc.contract ins(%x, %w : tensor<2x50x30xf32>, tensor<30x7xf32>) outs(%e0 : tensor<2x50x7xf32>) {lhs_map = #lhs, rhs_map = #rhs} -> tensor<2x50x7xf32>
  %e1 = tensor.empty() : tensor<50x2x7xf32>
  %1 = linalg.transpose ins(%0 : tensor<2x50x7xf32>) outs(%e1 : tensor<50x2x7xf32>) permutation = [1, 0, 2]
  return %1 : tensor<50x2x7xf32>
}
// CHECK-LABEL: @columns_stay
// CHECK: linalg.transpose
func.func @columns_stay(%x: tensor<2x50x30xf32>, %w: tensor<30x7xf32>) -> tensor<2x7x50xf32> {
  %e0 = tensor.empty() : tensor<2x50x7xf32>
  %0 = mlc.contract ins(%x, %w : tensor<2x50x30xf32>, tensor<30x7xf32>) outs(%e0 : tensor<2x50x7xf32>) {lhs_map = #lhs, rhs_map = #rhs} -> tensor<2x50x7xf32>
  %e1 = tensor.empty() : tensor<2x7x50xf32>
  %1 = linalg.transpose ins(%0 : tensor<2x50x7xf32>) outs(%e1 : tensor<2x7x50xf32>) permutation = [0, 2, 1]
  return %1 : tensor<2x7x50xf32>
}
