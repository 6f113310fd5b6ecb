// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-tile-kernels))' | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#one = affine_map<(i) -> (i)>

module attributes {mlc.target = #mlc.target<"opencl", chip = "x86-64", features = "", vector_bytes = 16>} {
  // Operations that share a loop over rows are computed row by row.
  // CHECK-LABEL: func.func private @divide_by_sum
  // CHECK: scf.forall {{.*}} in (%{{.*}}) shared_outs
  // CHECK:   linalg.fill {{.*}}tensor<1xf32>
  // CHECK:   linalg.generic {{.*}}ins({{.*}} tensor<1x64xf32>) outs({{.*}} tensor<1xf32>)
  // CHECK:   linalg.generic {{.*}}ins({{.*}} tensor<1x64xf32>, tensor<1xf32>) outs({{.*}} tensor<1x64xf32>)
  func.func private @divide_by_sum(%x: tensor<?x64xf32>, %n: index, %out: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {mlc.kernel} {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty(%n) : tensor<?xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?xf32>) -> tensor<?xf32>
    %2 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%1 : tensor<?xf32>) {
    ^bb0(%a: f32, %s: f32):
      %r = arith.addf %s, %a : f32
      linalg.yield %r : f32
    } -> tensor<?xf32>
    %3 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %2 : tensor<?x64xf32>, tensor<?xf32>) outs(%out : tensor<?x64xf32>) {
    ^bb0(%a: f32, %s: f32, %o: f32):
      %r = arith.divf %a, %s : f32
      linalg.yield %r : f32
    } -> tensor<?x64xf32>
    return %3 : tensor<?x64xf32>
  }

  // What lies between the operations of a row may not be longer than local memory.
  // CHECK-LABEL: func.func private @long_rows
  // CHECK-NOT: scf.forall
  func.func private @long_rows(%x: tensor<8x9000xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {mlc.kernel} {
    %0 = tensor.empty() : tensor<8x9000xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<8x9000xf32>) outs(%0 : tensor<8x9000xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = math.exp %a : f32
      linalg.yield %r : f32
    } -> tensor<8x9000xf32>
    %2 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%1 : tensor<8x9000xf32>) outs(%out : tensor<8xf32>) {
    ^bb0(%a: f32, %s: f32):
      %r = arith.addf %s, %a : f32
      linalg.yield %r : f32
    } -> tensor<8xf32>
    return %2 : tensor<8xf32>
  }

  // An elementwise operation has no intermediates to keep.
  // CHECK-LABEL: func.func private @elementwise
  // CHECK-NOT: scf.forall
  func.func private @elementwise(%x: tensor<64xf32>, %out: tensor<64xf32>) -> tensor<64xf32> attributes {mlc.kernel} {
    %0 = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%x : tensor<64xf32>) outs(%out : tensor<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.negf %a : f32
      linalg.yield %r : f32
    } -> tensor<64xf32>
    return %0 : tensor<64xf32>
  }
}
