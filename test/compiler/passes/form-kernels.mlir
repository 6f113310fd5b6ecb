// RUN: mlc-opt %s --split-input-file --mlc-form-kernels | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// The two reductions and the two elementwise operations of a softmax share the loop over rows.
// CHECK-LABEL: func.func @model
// CHECK: %[[R:.*]] = call @[[KERNEL:.*]](%arg0, %{{.*}}, %{{.*}}) :
// CHECK-NEXT: return %[[R]]
// CHECK: func.func private @[[KERNEL]](%{{.*}}: tensor<?x128xf32>, %{{.*}}: index, %[[DEST:.*]]: tensor<?x128xf32>) -> tensor<?x128xf32> attributes {mlc.kernel}
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}} outs(%[[DEST]] :
// CHECK: arith.divf
func.func @model(%x: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x128xf32>
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty(%n) : tensor<?xf32>
  %e2 = tensor.empty(%n) : tensor<?x128xf32>
  %f = linalg.fill ins(%lowest : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x128xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.maximumf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<?x128xf32>, tensor<?xf32>) outs(%e2 : tensor<?x128xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.subf %a, %b : f32
    %t = math.exp %s : f32
    linalg.yield %t : f32
  } -> tensor<?x128xf32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<?x128xf32>) outs(%f0 : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<?x128xf32>, tensor<?xf32>) outs(%e2 : tensor<?x128xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x128xf32>
  return %r : tensor<?x128xf32>
}

// -----

// Equal operations on equal shapes are one kernel.
// CHECK-LABEL: func.func @model
// CHECK: call @[[KERNEL:[a-z_0-9]+]]
// CHECK: call @[[KERNEL]]
// CHECK: return
// CHECK: func.func private @[[KERNEL]]
// CHECK-NOT: func.func private
func.func @model(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.exp ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.exp ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A slice is read inside of the kernel; one that leaves the graph is copied.
// CHECK-LABEL: func.func @model
// CHECK: call @{{.*}}(%arg0, %{{.*}})
// CHECK: call @{{.*}}(%arg0, %{{.*}})
// CHECK: return
// CHECK: tensor.extract_slice
// CHECK-NEXT: linalg.exp
// CHECK: tensor.extract_slice
// CHECK-NEXT: bufferization.materialize_in_destination
func.func @model(%x: tensor<4x8xf32>) -> (tensor<4x2xf32>, tensor<4x4xf32>) {
  %e = tensor.empty() : tensor<4x2xf32>
  %s = tensor.extract_slice %x[0, 2] [4, 2] [1, 1] : tensor<4x8xf32> to tensor<4x2xf32>
  %t = tensor.extract_slice %x[0, 0] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
  %0 = linalg.exp ins(%s : tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0, %t : tensor<4x2xf32>, tensor<4x4xf32>
}

// -----

// A concatenation is one kernel.
// CHECK-LABEL: func.func @model
// CHECK-COUNT-1: call @insert_slice_0
// CHECK: return
func.func @model(%x: tensor<4x8xf32>, %y: tensor<4x2xf32>) -> tensor<4x10xf32> {
  %e = tensor.empty() : tensor<4x10xf32>
  %0 = tensor.insert_slice %x into %e[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<4x10xf32>
  %1 = tensor.insert_slice %y into %0[0, 8] [4, 2] [1, 1] : tensor<4x2xf32> into tensor<4x10xf32>
  return %1 : tensor<4x10xf32>
}

// -----

// Kernels are formed inside of a loop that holds structured operations; the loop stays in the graph.
// CHECK-LABEL: func.func @model
// CHECK: scf.for
// CHECK: call @tanh_0
// CHECK: scf.yield
func.func @model(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %0 = linalg.tanh ins(%h : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %0 : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// -----

// A loop over scalars is a kernel itself.
// CHECK-LABEL: func.func @model
// CHECK-NOT: scf.for
// CHECK: call @for_0
// CHECK: func.func private @for_0
// CHECK: scf.for
func.func @model(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<4xf32> {
    %0 = tensor.insert %one into %h[%i] : tensor<4xf32>
    scf.yield %0 : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// -----

#id2 = affine_map<(d0, d1) -> (d0, d1)>
#bias = affine_map<(d0, d1) -> (d1)>

// A contraction takes the elementwise operation after it as its epilogue.
// CHECK-LABEL: func.func @model
// CHECK-COUNT-1: call
// CHECK: func.func private @contract_addf_maximumf_0
// CHECK: mlc.contract
// CHECK: linalg.generic
func.func @model(%x: tensor<4x8xf32>, %w: tensor<1x8x16xf32>, %b: tensor<16xf32>) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x16xf32>
  %0 = mlc.contract ins(%x, %w : tensor<4x8xf32>, tensor<1x8x16xf32>) outs(%e : tensor<4x16xf32>)
    {lhs_map = affine_map<(m, n, k) -> (m, k)>, rhs_map = affine_map<(m, n, k) -> (n floordiv 16, k, n mod 16)>} -> tensor<4x16xf32>
  %1 = linalg.generic {indexing_maps = [#id2, #bias, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%0, %b : tensor<4x16xf32>, tensor<16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%a: f32, %c: f32, %d: f32):
    %s = arith.addf %a, %c : f32
    %t = arith.maximumf %s, %zero : f32
    linalg.yield %t : f32
  } -> tensor<4x16xf32>
  return %1 : tensor<4x16xf32>
}

// -----

// What a kernel updates in place is its last argument.
// CHECK-LABEL: func.func @model
// CHECK: scf.for %{{.*}} iter_args(%[[Y:.*]] = %arg0)
// CHECK: call @insert_slice_0(%arg1, %{{.*}}, %[[Y]])
func.func @model(%y: tensor<8x4xf32>, %x: tensor<4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%h = %y) -> tensor<8x4xf32> {
    %0 = tensor.insert_slice %x into %h[%i, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
    scf.yield %0 : tensor<8x4xf32>
  }
  return %r : tensor<8x4xf32>
}

// -----

#id2 = affine_map<(d0, d1) -> (d0, d1)>

// Padding fills the border, each element once, and what is padded is computed inside of it.
// CHECK-LABEL: func.func @model
// CHECK: call @negf_insert_slice_0
// CHECK-NOT: call
// CHECK: func.func private @negf_insert_slice_0(%[[X:.*]]: tensor<200x100xf32>, %[[Y:.*]]: tensor<203x101xf32>)
// CHECK: %[[NEGATED:.*]] = linalg.generic {{.*}} ins(%[[X]]
// CHECK: %[[TOP:.*]] = linalg.fill {{.*}} : tensor<1x101xf32>
// CHECK: %[[Y1:.*]] = tensor.insert_slice %[[TOP]] into %[[Y]][0, 0] [1, 101]
// CHECK: %[[BOTTOM:.*]] = linalg.fill {{.*}} : tensor<2x101xf32>
// CHECK: %[[Y2:.*]] = tensor.insert_slice %[[BOTTOM]] into %[[Y1]][201, 0] [2, 101]
// CHECK: %[[RIGHT:.*]] = linalg.fill {{.*}} : tensor<200x1xf32>
// CHECK: %[[Y3:.*]] = tensor.insert_slice %[[RIGHT]] into %[[Y2]][1, 100] [200, 1]
// CHECK: %[[Y4:.*]] = tensor.insert_slice %[[NEGATED]] into %[[Y3]][1, 0] [200, 100]
// CHECK: return %[[Y4]]
func.func @model(%x: tensor<200x100xf32>) -> tensor<203x101xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<200x100xf32>
  %0 = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<200x100xf32>) outs(%e : tensor<200x100xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<200x100xf32>
  %y = tensor.pad %0 low[1, 0] high[2, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<200x100xf32> to tensor<203x101xf32>
  return %y : tensor<203x101xf32>
}

// -----

#id2 = affine_map<(d0, d1) -> (d0, d1)>

// Each part of a large concatenation is computed where it goes; what has another use is copied there.
// CHECK-LABEL: func.func @model
// CHECK: %[[A:.*]] = call @negf_insert_slice_0(%arg0, %{{.*}})
// CHECK: call @insert_slice_0(%arg1, %[[A]])
func.func @model(%x: tensor<200x100xf32>, %y: tensor<300x100xf32>) -> tensor<500x100xf32> {
  %e = tensor.empty() : tensor<200x100xf32>
  %0 = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<200x100xf32>) outs(%e : tensor<200x100xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<200x100xf32>
  %all = tensor.empty() : tensor<500x100xf32>
  %1 = tensor.insert_slice %0 into %all[0, 0] [200, 100] [1, 1] : tensor<200x100xf32> into tensor<500x100xf32>
  %2 = tensor.insert_slice %y into %1[200, 0] [300, 100] [1, 1] : tensor<300x100xf32> into tensor<500x100xf32>
  return %2 : tensor<500x100xf32>
}

// -----

// The parts of a small one are not worth a kernel each.
// CHECK-LABEL: func.func @model
// CHECK-COUNT-1: call
// CHECK-NOT: call
func.func @model(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<5xf32> {
  %all = tensor.empty() : tensor<5xf32>
  %1 = tensor.insert_slice %x into %all[0] [2] [1] : tensor<2xf32> into tensor<5xf32>
  %2 = tensor.insert_slice %y into %1[2] [3] [1] : tensor<3xf32> into tensor<5xf32>
  return %2 : tensor<5xf32>
}
