// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-pack-operands,cse))' | FileCheck %s

#rows = affine_map<(i, j, k) -> (i, k)>
#transposed = affine_map<(i, j, k) -> (j, k)>
#out = affine_map<(i, j, k) -> (i, j)>
#id1 = affine_map<(i) -> (i)>
module attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v4", features = "+avx512f", vector_bytes = 64>} {

// An embedding that is the weight of the last layer, too: rows are read from the panels.
// CHECK-LABEL: @tied
// CHECK-NOT: tensor<1000x40xf32>
// CHECK: %[[W:.*]] = arith.constant dense<2.0{{.*}}> : tensor<16x40x64xf32>
// CHECK: %[[PANEL:.*]] = arith.divui %[[ROW:.*]], %{{.*}}
// CHECK: %[[LANE:.*]] = arith.remui %[[ROW]], %{{.*}}
// CHECK: tensor.extract %[[W]][%[[PANEL]], %{{.*}}, %[[LANE]]]
// CHECK: mlc.contract {{.*}}ins(%arg0, %[[W]]
func.func @tied(%x: tensor<?x40xf32>, %row: index, %acc: tensor<?x1000xf32>, %empty: tensor<40xf32>) -> (tensor<40xf32>, tensor<?x1000xf32>) {
  %w = arith.constant dense<2.0> : tensor<1000x40xf32>
  %read = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%empty : tensor<40xf32>) {
  ^bb0(%out: f32):
    %k = linalg.index 0 : index
    %e = tensor.extract %w[%row, %k] : tensor<1000x40xf32>
    linalg.yield %e : f32
  } -> tensor<40xf32>
  %y = linalg.generic {indexing_maps = [#rows, #transposed, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x40xf32>, tensor<1000x40xf32>) outs(%acc : tensor<?x1000xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x1000xf32>
  return %read, %y : tensor<40xf32>, tensor<?x1000xf32>
}

// Its neighbour: somebody reads all of it, so it stays beside its panels.
// CHECK-LABEL: @read_whole
// CHECK: %[[W:.*]] = arith.constant dense<2.0{{.*}}> : tensor<1000x40xf32>
// CHECK: tensor.extract %[[W]]{{.*}} : tensor<1000x40xf32>
// CHECK: arith.constant dense<2.0{{.*}}> : tensor<16x40x64xf32>
func.func @read_whole(%x: tensor<?x40xf32>, %row: index, %acc: tensor<?x1000xf32>) -> (f32, tensor<1000x40xf32>, tensor<?x1000xf32>) {
  %w = arith.constant dense<2.0> : tensor<1000x40xf32>
  %e = tensor.extract %w[%row, %row] : tensor<1000x40xf32>
  %y = linalg.generic {indexing_maps = [#rows, #transposed, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x40xf32>, tensor<1000x40xf32>) outs(%acc : tensor<?x1000xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x1000xf32>
  return %e, %w, %y : f32, tensor<1000x40xf32>, tensor<?x1000xf32>
}
}
