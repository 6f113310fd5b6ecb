// RUN: mlc-opt %s -mlc-outline-blocks -mlc-emit-opencl | FileCheck %s

// A buffer is an address and an offset, whatever extents only the run knows; between two phases is a barrier.
// CHECK: llvm.mlir.global internal constant @mlc.device.arguments.0("rlwl\00")
// CHECK: @mlc.device.code.0({{.*}}__kernel __attribute__((reqd_work_group_size(64, 1, 1)))\0Avoid shift_0(
// CHECK-SAME: __local float [[TILE:tile[0-9]+]][64];
// CHECK-SAME: get_local_id(0)
// CHECK-SAME: [[TILE]][
// CHECK-SAME: barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
// CHECK-NOT: barrier
func.func private @shift(%in: memref<?xf32>, %out: memref<?xf32>, %blocks: index) attributes {mlc.kernel, mlc.device} {
  scf.forall (%b) in (%blocks) {
    %tile = memref.alloca() : memref<64xf32, #gpu.address_space<workgroup>>
    scf.forall (%t) in (64) {
      %0 = memref.load %in[%t] : memref<?xf32>
      memref.store %0, %tile[%t] : memref<64xf32, #gpu.address_space<workgroup>>
    } {mapping = [#gpu.thread<x>]}
    scf.forall (%t) in (64) {
      %last = arith.constant 63 : index
      %i = arith.subi %last, %t : index
      %0 = memref.load %tile[%i] : memref<64xf32, #gpu.address_space<workgroup>>
      memref.store %0, %out[%t] : memref<?xf32>
    } {mapping = [#gpu.thread<x>]}
  } {mapping = [#gpu.block<x>]}
  return
}
