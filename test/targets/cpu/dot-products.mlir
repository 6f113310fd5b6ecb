// RUN: mlc-opt %s '-mlc-build-micro-kernels=dots=llvm.x86.avx512.vpdpbusd.512,llvm.x86.avx512.pmaddw.d.512' | FileCheck %s
// RUN: not mlc-opt %s -mlc-build-micro-kernels 2>&1 | FileCheck %s --check-prefix=NONE

// NONE: error: 'mlc.ukernel' op expects groups of products that the machine has an instruction for, got groups of 4 of 'i8'

// A group of a row is a word that all lanes get; rhs holds a group for each lane.
// CHECK-LABEL: func.func private @ukernel_broadcast_1x16_i8_unsigned_group4_depthn_lhsnx4_rhs64
// CHECK: %[[WORD:.*]] = llvm.load {{.*}} : !llvm.ptr -> i32
// CHECK: %[[ALL:.*]] = vector.broadcast %[[WORD]] : i32 to vector<16xi32>
// CHECK: %[[LEFT:.*]] = llvm.bitcast %[[ALL]] : vector<16xi32> to vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[LEFT]], %{{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>

// CHECK-LABEL: func.func private @ukernel_broadcast_1x16_i8_i16_group2_depthn_lhsnx2_rhs32
// CHECK: arith.extsi %{{.*}} : vector<32xi8> to vector<32xi16>
// CHECK: %[[SUMS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"(
// CHECK: arith.addi %{{.*}}, %[[SUMS]] : vector<16xi32>

// CHECK-LABEL: func.func private @ukernel_broadcast_1x16_i8_unsigned_depthn_lhsnx1_rhs16
// CHECK: arith.extsi %{{.*}} : vector<16xi8> to vector<16xi32>
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.muli
func.func @integers(%a: memref<i8>, %p: memref<i16>, %b: memref<i8>, %c: memref<i32>, %n: index, %add: i1) {
  mlc.ukernel broadcast 1 x 16 lanes 16 depth [%n] lhs %a[%n] by [%n, 4] rhs %b[%n] by [64] out %c[%n] by [%n]
    width [] accumulate %add {group = 4, lhs_unsigned} : memref<i8>, memref<i8>, memref<i32>
  mlc.ukernel broadcast 1 x 16 lanes 16 depth [%n] lhs %p[%n] by [%n, 2] rhs %b[%n] by [32] out %c[%n] by [%n]
    width [] accumulate %add {group = 2} : memref<i16>, memref<i8>, memref<i32>
  mlc.ukernel broadcast 1 x 16 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [16] out %c[%n] by [%n]
    width [] accumulate %add {lhs_unsigned} : memref<i8>, memref<i8>, memref<i32>
  return
}
