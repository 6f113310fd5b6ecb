// RUN: mlc-opt %s -mlc-outline-blocks -mlc-emit-cuda | FileCheck %s

// The parameters are those of the launch: a buffer is an address, whatever extents only the run knows. What the threads
// of a block share is aligned for wide moves; between two phases is a barrier. Nothing is left to link.
// CHECK: llvm.mlir.global internal constant @mlc.device.arguments.0("rlwl\00")
// CHECK: @mlc.device.chip.0("compute_80\00")
// CHECK: @mlc.device.code.0({{.*}}.target sm_80\0A
// CHECK-NOT: .extern
// CHECK-SAME: .visible .entry shift_0(
// CHECK-SAME: .param .u64 .ptr .align 1 shift_0_param_0,
// CHECK-SAME: .param .u64 shift_0_param_1,
// CHECK-SAME: .maxntid 64
// CHECK-SAME: .minnctapersm 1
// CHECK-SAME: .shared .align 128 .b8 __wg_shift_0_0[256];
// CHECK-SAME: ld.global.b32
// CHECK-SAME: st.shared.b32
// CHECK-SAME: bar.sync
// CHECK-SAME: ld.shared.b32
// CHECK-NOT: bar.sync
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
