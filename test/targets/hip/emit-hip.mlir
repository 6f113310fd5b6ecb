// RUN: mlc-opt %s -mlc-outline-blocks -mlc-emit-hip='chips=gfx942,gfx1100' -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: python3 %S/code_objects.py --show %t.mlir | FileCheck %s --check-prefix=CODE

// There is code for each chip. Local memory is told as what the variables of a function may take of it.
// CHECK: llvm.mlir.global internal constant @mlc.device.name.0("shift_0\00")
// CHECK: llvm.mlir.global internal constant @mlc.device.arguments.0("rlwl\00")
// CHECK: @mlc.device.kernels
// CHECK: llvm.mlir.constant(128 : i32)
// CHECK: llvm.mlir.constant(512 : i32)
// CHECK: @mlc.device.chip.0("gfx942\00")
// CHECK: @mlc.device.code.0("\7FELF
// CHECK: @mlc.device.chip.1("gfx1100\00")
// CHECK: @mlc.device.code.1("\7FELF

// The parameters are those of the launch: a buffer is an address, whatever extents only the run knows. Memory is found to be the
// device's, and between two phases is a barrier. A wave has 64 lanes, and 32 on the other chip.
// CODE: amdhsa.target: amdgcn-amd-amdhsa--gfx942
// CODE: .offset: 0
// CODE-NEXT: .size: 8
// CODE-NEXT: .value_kind: global_buffer
// CODE: .offset: 8
// CODE-NEXT: .size: 8
// CODE-NEXT: .value_kind: by_value
// CODE: .group_segment_fixed_size: 512
// CODE: .kernarg_segment_size: 32
// CODE: .max_flat_workgroup_size: 128
// CODE: .name: shift_0
// CODE: .private_segment_fixed_size: 0
// CODE: .wavefront_size: 64
// CODE: <shift_0>:
// CODE-NOT: flat_
// CODE: global_load_dword
// CODE: ds_write_b32
// CODE: s_barrier
// CODE: ds_read_b32
// CODE: global_store_dword
// CODE: s_endpgm
// CODE: amdhsa.target: amdgcn-amd-amdhsa--gfx1100
// CODE: .wavefront_size: 32
// CODE: <shift_0>:
// CODE: ds_store_b32
func.func private @shift(%in: memref<?xf32>, %out: memref<?xf32>, %blocks: index) attributes {mlc.kernel, mlc.device} {
  scf.forall (%b) in (%blocks) {
    %tile = memref.alloca() : memref<128xf32, #gpu.address_space<workgroup>>
    scf.forall (%t) in (128) {
      %0 = memref.load %in[%t] : memref<?xf32>
      memref.store %0, %tile[%t] : memref<128xf32, #gpu.address_space<workgroup>>
    } {mapping = [#gpu.thread<x>]}
    scf.forall (%t) in (128) {
      %last = arith.constant 127 : index
      %i = arith.subi %last, %t : index
      %0 = memref.load %tile[%i] : memref<128xf32, #gpu.address_space<workgroup>>
      memref.store %0, %out[%t] : memref<?xf32>
    } {mapping = [#gpu.thread<x>]}
  } {mapping = [#gpu.block<x>]}
  return
}
