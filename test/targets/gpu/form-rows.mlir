// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-form-blocks))' | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// A row is a block: what it keeps is in local memory, terms are shared, and half of the threads after half joins sums.
// CHECK-LABEL: func.func private @divide_by_sum
// CHECK: scf.forall (%[[BLOCK:.*]]) in (8) {
// CHECK:   %[[SUM:.*]] = memref.alloca() : memref<1xf32, #gpu.address_space<workgroup>>
// CHECK:   scf.forall (%[[T:.*]]) in (64) {
// CHECK:     scf.for %{{.*}} = %[[T]] to
// CHECK:       memref.store {{.*}}, %[[SUM]]
// CHECK:   %[[PARTIAL:.*]] = memref.alloca() : memref<64xf32, #gpu.address_space<workgroup>>
// CHECK:   scf.for
// CHECK:     scf.forall (%[[T:.*]]) in (64) {
// CHECK:       %[[PART:.*]] = scf.for %{{.*}} = %[[T]] to {{.*}} iter_args
// CHECK:       memref.store %[[PART]], %[[PARTIAL]][%[[T]]]
// CHECK:     scf.for
// CHECK:       %[[HALF:.*]] = arith.shrui
// CHECK:       scf.forall (%[[T:.*]]) in (64) {
// CHECK:         arith.cmpi ult, %[[T]], %[[HALF]]
// CHECK:         memref.store {{.*}}, %[[PARTIAL]][%[[T]]]
// CHECK:     scf.forall (%[[T:.*]]) in (64) {
// CHECK:       memref.store {{.*}}, %[[SUM]]
// CHECK:   scf.forall (%{{.*}}) in (64) {
// CHECK:     arith.divf
// CHECK: } {mapping = [#gpu.block<x>]}
func.func private @divide_by_sum(%x: memref<8x64xf32>, %out: memref<8x64xf32>) attributes {mlc.kernel, mlc.device} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i) in (8) {
    %sum = memref.alloca() : memref<1xf32>
    %in = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<1x64xf32, strided<[64, 1], offset: ?>>
    %to = memref.subview %out[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<1x64xf32, strided<[64, 1], offset: ?>>
    linalg.fill ins(%zero : f32) outs(%sum : memref<1xf32>)
    linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%in : memref<1x64xf32, strided<[64, 1], offset: ?>>) outs(%sum : memref<1xf32>) {
    ^bb0(%a: f32, %s: f32):
      %0 = arith.addf %s, %a : f32
      linalg.yield %0 : f32
    }
    linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in, %sum : memref<1x64xf32, strided<[64, 1], offset: ?>>, memref<1xf32>) outs(%to : memref<1x64xf32, strided<[64, 1], offset: ?>>) {
    ^bb0(%a: f32, %s: f32, %o: f32):
      %0 = arith.divf %a, %s : f32
      linalg.yield %0 : f32
    }
  }
  return
}

// A short row is a thread.
// CHECK-LABEL: func.func private @short_rows
// CHECK: scf.forall (%{{.*}}) in (2) {
// CHECK:   scf.forall (%{{.*}}) in (256) {
// CHECK:     memref.alloca() : memref<1xf32>
// CHECK-NOT: scf.forall
// CHECK: return
func.func private @short_rows(%x: memref<500x4xf32>, %out: memref<500x4xf32>) attributes {mlc.kernel, mlc.device} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i) in (500) {
    %sum = memref.alloca() : memref<1xf32>
    %in = memref.subview %x[%i, 0] [1, 4] [1, 1] : memref<500x4xf32> to memref<1x4xf32, strided<[4, 1], offset: ?>>
    linalg.fill ins(%zero : f32) outs(%sum : memref<1xf32>)
    linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%in : memref<1x4xf32, strided<[4, 1], offset: ?>>) outs(%sum : memref<1xf32>) {
    ^bb0(%a: f32, %s: f32):
      %0 = arith.addf %s, %a : f32
      linalg.yield %0 : f32
    }
    %0 = memref.load %sum[%i] : memref<1xf32>
    memref.store %0, %out[%i, %i] : memref<500x4xf32>
  }
  return
}

// Terms that are neighbours in memory are shared by the threads of a block...
// CHECK-LABEL: func.func private @rows
// CHECK: scf.forall (%{{.*}}) in (300) {
// CHECK: memref.alloca() : memref<256xf32, #gpu.address_space<workgroup>>
func.func private @rows(%in: memref<300x800xf32>, %out: memref<300xf32>) attributes {mlc.kernel, mlc.device} {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%in : memref<300x800xf32>) outs(%out : memref<300xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %0 = arith.addf %sum, %x : f32
    linalg.yield %0 : f32
  }
  return
}

// ...but where results are, a thread for each is as good...
// CHECK-LABEL: func.func private @columns
// CHECK: scf.forall (%{{.*}}) in (2) {
// CHECK-NOT: memref.alloca
func.func private @columns(%in: memref<800x300xf32>, %out: memref<300xf32>) attributes {mlc.kernel, mlc.device} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, #row], iterator_types = ["parallel", "reduction"]}
    ins(%in : memref<800x300xf32>) outs(%out : memref<300xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %0 = arith.addf %sum, %x : f32
    linalg.yield %0 : f32
  }
  return
}

// ...and what depends on the order of the terms is a loop of one thread.
// CHECK-LABEL: func.func private @difference
// CHECK-NOT: memref.alloca
func.func private @difference(%in: memref<300x800xf32>, %out: memref<300xf32>) attributes {mlc.kernel, mlc.device} {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%in : memref<300x800xf32>) outs(%out : memref<300xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %0 = arith.subf %sum, %x : f32
    linalg.yield %0 : f32
  }
  return
}
