// RUN: mlc-opt %s -mlc-outline-blocks | FileCheck %s

// What a thread allocates, wherever that is, is its own and there once; what has an element for each thread is one of each; what
// the block shares stays so. A barrier stands between phases.
// CHECK: gpu.launch_func @device::@phases_0
// CHECK-LABEL: gpu.func @phases_0(
// CHECK-SAME: %[[IN:[a-z0-9]+]]: memref<64xf32>, %[[OUT:[a-z0-9]+]]: memref<64xf32>
// CHECK-SAME: kernel attributes {known_block_size = array<i32: 64, 1, 1>}
// CHECK-DAG: %[[SHARED:.*]] = memref.alloca() : memref<64xf32, #gpu.address_space<workgroup>>
// CHECK-DAG: %[[SUMS:.*]] = memref.alloca() : memref<2xf32, #gpu.address_space<private>>
// CHECK-DAG: %[[OWN:.*]] = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
// CHECK: %[[THREAD:.*]] = gpu.thread_id x
// CHECK: memref.store %{{.*}}, %[[SUMS]][%{{.*}}] : memref<2xf32, #gpu.address_space<private>>
// CHECK: scf.if
// CHECK-NOT: memref.alloca
// CHECK: %[[PART:.*]] = memref.subview %[[OWN]][2] [1] [1] : memref<4xf32, #gpu.address_space<private>> to memref<1xf32, strided<[1], offset: 2>, #gpu.address_space<private>>
// CHECK: memref.load %[[PART]]
// CHECK: gpu.barrier
// CHECK: memref.load %[[SUMS]]
// CHECK-NOT: gpu.barrier
// CHECK: gpu.return
func.func private @phases(%in: memref<64xf32>, %out: memref<64xf32>) attributes {mlc.kernel, mlc.device} {
  scf.forall (%b) in (3) {
    %shared = memref.alloca() : memref<64xf32, #gpu.address_space<workgroup>>
    %sums = memref.alloca() : memref<64x2xf32, #gpu.address_space<private>>
    scf.forall (%t) in (64) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %x = memref.load %in[%t] : memref<64xf32>
      memref.store %x, %sums[%t, %c1] : memref<64x2xf32, #gpu.address_space<private>>
      %isFirst = arith.cmpi ult, %t, %c2 : index
      scf.if %isFirst {
        %own = memref.alloca() : memref<4xf32>
        memref.store %x, %own[%c2] : memref<4xf32>
        %part = memref.subview %own[2] [1] [1] : memref<4xf32> to memref<1xf32, strided<[1], offset: 2>>
        %y = memref.load %part[%c0] : memref<1xf32, strided<[1], offset: 2>>
        memref.store %y, %shared[%t] : memref<64xf32, #gpu.address_space<workgroup>>
      }
    } {mapping = [#gpu.thread<x>]}
    scf.forall (%t) in (64) {
      %c1 = arith.constant 1 : index
      %x = memref.load %sums[%t, %c1] : memref<64x2xf32, #gpu.address_space<private>>
      memref.store %x, %out[%t] : memref<64xf32>
    } {mapping = [#gpu.thread<x>]}
  } {mapping = [#gpu.block<x>]}
  return
}
