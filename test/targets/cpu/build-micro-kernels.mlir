// RUN: mlc-opt %s -mlc-build-micro-kernels | FileCheck %s

// Equal tiles call one function, whatever is dynamic in them.
// CHECK-LABEL: func.func @equal
// CHECK: call @ukernel_broadcast_2x32_f32_depthn_lhsnx1_rhs32(
// CHECK: call @ukernel_broadcast_2x32_f32_depthn_lhsnx1_rhs32(
// CHECK-NOT: func.func private @ukernel_broadcast_2x32_f32_depthn_lhsnx1_rhs32{{.*}}
func.func @equal(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %k: index, %add: i1) {
  mlc.ukernel broadcast 2 x 32 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [32] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 2 x 32 lanes 16 depth [%k] lhs %a[%n] by [%k, 1] rhs %b[%k] by [32] out %c[%n] by [%k]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  return
}

// The right-hand side is extended as it is loaded.
// CHECK-LABEL: func.func @narrow
// CHECK: call @ukernel_broadcast_1x16_bf16_f32_depthn_lhsnx1_rhs16(
func.func @narrow(%a: memref<f32>, %b: memref<bf16>, %c: memref<f32>, %n: index, %add: i1) {
  mlc.ukernel broadcast 1 x 16 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<bf16>, memref<f32>
  return
}

// Two rows of two vectors, four steps of the depth written out, then one at a time for what is left.
// CHECK-LABEL: func.func private @ukernel_broadcast_2x32_f32
// CHECK: scf.for {{.*}} step %c4_i64
// CHECK-COUNT-16: vector.fma
// CHECK: scf.for {{.*}} step %c1_i64
// CHECK-COUNT-4: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-4: llvm.store

// CHECK-LABEL: func.func private @ukernel_broadcast_1x16_bf16_f32
// CHECK: llvm.load {{.*}} -> vector<16xbf16>
// CHECK: arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK: vector.fma
