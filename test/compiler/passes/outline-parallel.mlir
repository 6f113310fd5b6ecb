// RUN: mlc-opt %s --mlc-outline-parallel --split-input-file | FileCheck %s

// CHECK-LABEL: func.func private @k(
// CHECK-SAME: %[[X:.*]]: memref<64xf32>, %[[Y:.*]]: memref<64xf32>)
// CHECK: mlc.parallel @k_parallel_0 count(%c64) captures(%[[X]], %[[Y]] : memref<64xf32>, memref<64xf32>)
// CHECK: func.func private @k_parallel_0(%[[BEGIN:.*]]: index, %[[END:.*]]: index,
// CHECK-SAME: memref<64xf32> {llvm.noalias}, %{{.*}}: memref<64xf32> {llvm.noalias})
// CHECK: scf.for %[[I:.*]] = %[[BEGIN]] to %[[END]]
func.func private @k(%x: memref<64xf32>, %y: memref<64xf32>) attributes {mlc.kernel} {
  scf.forall (%i) in (64) {
    %v = memref.load %x[%i] : memref<64xf32>
    memref.store %v, %y[%i] : memref<64xf32>
  } {mlc.work = 1000 : i64}
  return
}

// -----

// Little work stays on its thread.
// CHECK-LABEL: func.func private @little(
// CHECK-NOT: mlc.parallel
// CHECK: scf.for
func.func private @little(%x: memref<64xf32>, %y: memref<64xf32>) attributes {mlc.kernel} {
  scf.forall (%i) in (64) {
    %v = memref.load %x[%i] : memref<64xf32>
    memref.store %v, %y[%i] : memref<64xf32>
  } {mlc.work = 10 : i64}
  return
}

// -----

// Where only the run knows how much there is, it chooses. Two dimensions count as one.
// CHECK-LABEL: func.func private @open(
// CHECK: %[[WORTH:.*]] = arith.cmpi uge
// CHECK: scf.if %[[WORTH]] {
// CHECK: mlc.parallel @open_parallel_0
// CHECK: } else {
// CHECK: call @open_parallel_0(
// CHECK-LABEL: func.func private @open_parallel_0(
// CHECK: arith.remui
// CHECK: arith.divui
func.func private @open(%n: index, %x: memref<?x?xf32>) attributes {mlc.kernel} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i, %j) in (%n, %n) {
    memref.store %zero, %x[%i, %j] : memref<?x?xf32>
  } {mlc.work = 100 : i64}
  return
}
