// RUN: mlc-opt %s -pass-pipeline='builtin.module(mlc-outline-blocks,gpu.module(gpu.func(expand-strided-metadata,convert-scf-to-cf),mlc-convert-gpu-to-rocdl))' | FileCheck %s

// What a block shares is in local memory, 3; what a thread keeps, in its own, 5. Blocks have all threads that they are compiled for,
// so that a thread knows how many registers it may have.
// CHECK: llvm.module_flags [#llvm.mlir.module_flag<error, "amdhsa_code_object_version", 500 : i32>]
// CHECK: llvm.mlir.global internal @[[SHARED:.*]]() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<256 x i8>
// CHECK: llvm.func @own_0(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr
// CHECK-SAME: rocdl.flat_work_group_size = "64,64", rocdl.kernel, rocdl.reqd_work_group_size = array<i32: 64, 1, 1>
// CHECK-DAG: llvm.mlir.addressof @[[SHARED]] : !llvm.ptr<3>
// CHECK-DAG: llvm.alloca %{{.*}} x f32 : (i64) -> !llvm.ptr<5>
// CHECK-DAG: rocdl.workitem.id.x
// CHECK: rocdl.barrier
func.func private @own(%in: memref<64xf32>, %out: memref<64xf32>) attributes {mlc.kernel, mlc.device} {
  scf.forall (%b) in (1) {
    %shared = memref.alloca() : memref<64xf32, #gpu.address_space<workgroup>>
    scf.forall (%t) in (64) {
      %c0 = arith.constant 0 : index
      %own = memref.alloca() : memref<2xf32>
      %x = memref.load %in[%t] : memref<64xf32>
      memref.store %x, %own[%c0] : memref<2xf32>
      %y = memref.load %own[%c0] : memref<2xf32>
      memref.store %y, %shared[%t] : memref<64xf32, #gpu.address_space<workgroup>>
    } {mapping = [#gpu.thread<x>]}
    scf.forall (%t) in (64) {
      %x = memref.load %shared[%t] : memref<64xf32, #gpu.address_space<workgroup>>
      memref.store %x, %out[%t] : memref<64xf32>
    } {mapping = [#gpu.thread<x>]}
  } {mapping = [#gpu.block<x>]}
  return
}
