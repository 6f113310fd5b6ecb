// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-tile-kernels,canonicalize,cse))' | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

module attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v4", features = "+avx512f", vector_bytes = 64>} {

// The exponential joins the tile; what it writes is as small as the tile.
// CHECK-LABEL: @producer_joins_the_tile
// CHECK: scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (64, 128) step (16, 32)
// CHECK: tensor.empty() : tensor<16x32xf32>
// CHECK: math.exp
// CHECK: arith.negf
// CHECK: tensor.parallel_insert_slice
func.func private @producer_joins_the_tile(%x: tensor<64x128xf32>, %out: tensor<64x128xf32>) -> tensor<64x128xf32> attributes {mlc.kernel} {
  %e = tensor.empty() : tensor<64x128xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x128xf32>) outs(%e : tensor<64x128xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<64x128xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<64x128xf32>) outs(%out : tensor<64x128xf32>)
      attrs = {mlc.tiling = #mlc.tiling<parallel = [16, 32]>} {
  ^bb0(%a: f32, %b: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<64x128xf32>
  return %1 : tensor<64x128xf32>
}

// The sum needs its row whole, so the columns are not cut whatever the attribute says.
// CHECK-LABEL: @reduced_axis_stays_whole
// CHECK: scf.forall (%{{.*}}) = (0) to (64) step (16)
// CHECK: arith.addf
// CHECK: arith.divf
func.func private @reduced_axis_stays_whole(%x: tensor<64x128xf32>, %out: tensor<64x128xf32>) -> tensor<64x128xf32> attributes {mlc.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<64x128xf32>) outs(%f : tensor<64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<64x128xf32>, tensor<64xf32>) outs(%out : tensor<64x128xf32>)
      attrs = {mlc.tiling = #mlc.tiling<parallel = [16, 32]>} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<64x128xf32>
  return %1 : tensor<64x128xf32>
}

// CHECK-LABEL: @serial_loops_lie_inside
// CHECK: scf.forall {{.*}} step (16)
// CHECK: scf.for
// CHECK: arith.negf
func.func private @serial_loops_lie_inside(%x: tensor<64x128xf32>, %out: tensor<64x128xf32>) -> tensor<64x128xf32> attributes {mlc.kernel} {
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x128xf32>) outs(%out : tensor<64x128xf32>)
      attrs = {mlc.tiling = #mlc.tiling<parallel = [16, 0], serial = [0, 32]>} {
  ^bb0(%a: f32, %b: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<64x128xf32>
  return %1 : tensor<64x128xf32>
}

// What reads backwards stays whole: upstream would slice it from the wrong end.
// CHECK-LABEL: @backwards
// CHECK-NOT: scf.forall
func.func private @backwards(%x: tensor<64x128xf32>, %out: tensor<64x128xf32>) -> tensor<64x128xf32> attributes {mlc.kernel} {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, 127 - d1)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x128xf32>) outs(%out : tensor<64x128xf32>) attrs = {mlc.tiling = #mlc.tiling<parallel = [16, 32]>} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<64x128xf32>
  return %0 : tensor<64x128xf32>
}

// Without elements there is nothing to cut.
// CHECK-LABEL: @no_elements
// CHECK-NOT: scf.forall
func.func private @no_elements(%x: tensor<?x3xf32>, %out: tensor<2x?x0x3xf32>) -> tensor<2x?x0x3xf32> attributes {mlc.kernel} {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x3xf32>) outs(%out : tensor<2x?x0x3xf32>) attrs = {mlc.tiling = #mlc.tiling<parallel = [1, 8]>} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2x?x0x3xf32>
  return %0 : tensor<2x?x0x3xf32>
}

// Borders are filled in place; what is inserted is cut like any root.
// CHECK-LABEL: @insertion
// CHECK: %[[TOP:.*]] = tensor.extract_slice %arg1[0, 0] [1, 128]
// CHECK: linalg.fill ins({{.*}}) outs(%[[TOP]]
// CHECK: %[[COPY:.*]] = scf.forall (%{{.*}}) = (0) to (1000) step (
// CHECK: tensor.insert_slice %[[COPY]] into %{{.*}}[1, 0] [1000, 128]
func.func private @insertion(%x: tensor<1000x128xf32>, %out: tensor<1001x128xf32>) -> tensor<1001x128xf32> attributes {mlc.kernel} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x128xf32>
  %0 = linalg.fill ins(%zero : f32) outs(%e : tensor<1x128xf32>) -> tensor<1x128xf32>
  %1 = tensor.insert_slice %0 into %out[0, 0] [1, 128] [1, 1] : tensor<1x128xf32> into tensor<1001x128xf32>
  %2 = tensor.insert_slice %x into %1[1, 0] [1000, 128] [1, 1] : tensor<1000x128xf32> into tensor<1001x128xf32>
  return %2 : tensor<1001x128xf32>
}
}
