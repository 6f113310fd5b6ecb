// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-form-blocks))' | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// An element is a thread, and what it sums up a loop of its thread.
// CHECK-LABEL: func.func private @sums
// CHECK: scf.forall (%[[BLOCK:.*]]) in (2) {
// CHECK:   scf.forall (%[[THREAD:.*]]) in (256) {
// CHECK:     %[[I:.*]] = arith.addi {{.*}}, %[[THREAD]]
// CHECK:     arith.cmpi ult, %[[I]]
// CHECK:     scf.if
// CHECK:       %[[HELD:.*]] = memref.load %arg1[%[[I]]]
// CHECK:       %[[SUM:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[HELD]])
// CHECK:       memref.store %[[SUM]], %arg1[%[[I]]]
// CHECK:   } {mapping = [#gpu.thread<x>]}
// CHECK: } {mapping = [#gpu.block<x>]}
func.func private @sums(%in: memref<300x8xf32>, %out: memref<300xf32>) attributes {mlc.kernel, mlc.device} {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%in : memref<300x8xf32>) outs(%out : memref<300xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %0 = arith.addf %sum, %x : f32
    linalg.yield %0 : f32
  }
  return
}

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>

// A contraction stages both operands in local memory: four phases, of which the middle two repeat. Its blocks are along
// one axis, since devices have few along the others.
// CHECK-LABEL: func.func private @product
// CHECK: scf.forall ({{.*}}) in (2) {
// CHECK:   memref.alloca() : memref<16x64xf32, #gpu.address_space<workgroup>>
// CHECK:   memref.alloca() : memref<16x64xf32, #gpu.address_space<workgroup>>
// CHECK:   memref.alloca() : memref<16x16x16xf32, #gpu.address_space<private>>
// CHECK:   scf.forall ({{.*}}) in (16, 16) {
// CHECK:   scf.for
// CHECK:     scf.forall ({{.*}}) in (16, 16) {
// CHECK:       memref.load %arg0
// CHECK:       memref.load %arg1
// CHECK:     scf.forall ({{.*}}) in (16, 16) {
// CHECK-NOT:   memref.load %arg{{[0-9]}}
// CHECK:       math.fma
// CHECK:   scf.forall ({{.*}}) in (16, 16) {
// CHECK:     memref.store {{.*}}, %arg2
// CHECK: } {mapping = [#gpu.block<x>]}
func.func private @product(%a: memref<100x30xf32>, %b: memref<1x30x64xf32>, %c: memref<100x50xf32>) attributes {mlc.kernel, mlc.device} {
  mlc.contract ins(%a, %b : memref<100x30xf32>, memref<1x30x64xf32>) outs(%c : memref<100x50xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

// What stays on the host is left alone.
// CHECK-LABEL: func.func private @host
// CHECK: linalg.fill
func.func private @host(%out: memref<8xf32>) attributes {mlc.kernel} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%out : memref<8xf32>)
  return
}

#element = affine_map<(m, n) -> (m, n)>

// What is elementwise behind a contraction is computed where its result would be stored, in the same blocks...
// CHECK-LABEL: func.func private @product_exp
// CHECK-COUNT-1: mapping = [#gpu.block
// CHECK-NOT: mapping = [#gpu.block
func.func private @product_exp(%a: memref<100x30xf32>, %b: memref<1x30x64xf32>, %c: memref<100x50xf32>, %t: memref<100x50xf32> {mlc.temporary}) attributes {mlc.kernel, mlc.device} {
  mlc.contract ins(%a, %b : memref<100x30xf32>, memref<1x30x64xf32>) outs(%t : memref<100x50xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  linalg.generic {indexing_maps = [#element, #element], iterator_types = ["parallel", "parallel"]} ins(%t : memref<100x50xf32>) outs(%c : memref<100x50xf32>) {
  ^bb0(%x: f32, %o: f32):
    %0 = math.exp %x : f32
    linalg.yield %0 : f32
  }
  return
}

// ...but not where somebody else may want that result...
// CHECK-LABEL: func.func private @product_and_exp
// CHECK-COUNT-2: mapping = [#gpu.block
// CHECK: return
func.func private @product_and_exp(%a: memref<100x30xf32>, %b: memref<1x30x64xf32>, %c: memref<100x50xf32>, %t: memref<100x50xf32>) attributes {mlc.kernel, mlc.device} {
  mlc.contract ins(%a, %b : memref<100x30xf32>, memref<1x30x64xf32>) outs(%t : memref<100x50xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  linalg.generic {indexing_maps = [#element, #element], iterator_types = ["parallel", "parallel"]} ins(%t : memref<100x50xf32>) outs(%c : memref<100x50xf32>) {
  ^bb0(%x: f32, %o: f32):
    %0 = math.exp %x : f32
    linalg.yield %0 : f32
  }
  return
}

// ...nor where it is written over what other blocks still read.
// CHECK-LABEL: func.func private @product_in_place
// CHECK-COUNT-2: mapping = [#gpu.block
// CHECK: return
func.func private @product_in_place(%a: memref<100x50xf32>, %b: memref<1x50x64xf32>, %t: memref<100x50xf32> {mlc.temporary}) attributes {mlc.kernel, mlc.device} {
  mlc.contract ins(%a, %b : memref<100x50xf32>, memref<1x50x64xf32>) outs(%t : memref<100x50xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  linalg.generic {indexing_maps = [#element, #element], iterator_types = ["parallel", "parallel"]} ins(%t : memref<100x50xf32>) outs(%a : memref<100x50xf32>) {
  ^bb0(%x: f32, %o: f32):
    %0 = math.exp %x : f32
    linalg.yield %0 : f32
  }
  return
}
