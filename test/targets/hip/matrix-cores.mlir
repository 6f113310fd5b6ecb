// RUN: sed 's/CHIPS/gfx942/' %s | mlc-opt -mlc-form-blocks | FileCheck %s
// RUN: sed 's/CHIPS/gfx90a/' %s | mlc-opt -mlc-form-blocks | FileCheck %s --check-prefix=EXACT
// RUN: sed 's/CHIPS/gfx942,gfx1100,gfx1101/' %s | mlc-opt -mlc-form-blocks | FileCheck %s --check-prefix=BOTH
// RUN: sed 's/CHIPS/gfx1030/' %s | mlc-opt -mlc-form-blocks | FileCheck %s --check-prefix=NONE

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (k, n)>

module attributes {mlc.target = #mlc.target<"hip", chip = "CHIPS", features = "", vector_bytes = 32>} {
  // Tiles of words of four halves. In a wave of 64 lanes each has one word of its row and of its column for an instruction, the next 16
  // lanes the next word, and four sums that lie below each other.
  // CHECK-LABEL: func.func private @product
  // CHECK-DAG: %[[LHS:.*]] = memref.alloca() : memref<64x9x4xf16, #gpu.address_space<workgroup>>
  // CHECK-DAG: %[[RHS:.*]] = memref.alloca() : memref<8x64x4xf16, #gpu.address_space<workgroup>>
  // CHECK-DAG: memref.alloca() : memref<4x64x16xf32, #gpu.address_space<private>>
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  // CHECK: vector.from_elements {{.*}} : vector<4xf32>
  // CHECK: vector.load %[[LHS]]{{.*}} {alignment = 8 : i64} : memref<64x9x4xf16, {{.*}}>, vector<4xf16>
  // CHECK: vector.load %[[RHS]]{{.*}} {alignment = 8 : i64} : memref<8x64x4xf16, {{.*}}>, vector<4xf16>
  // CHECK-COUNT-8: rocdl.mfma.f32.16x16x16f16 {{.*}} : (vector<4xf16>, vector<4xf16>, vector<4xf32>, i32, i32, i32) -> vector<4xf32>
  // CHECK-NOT: rocdl
  // CHECK-NOT: llvm.call_intrinsic

  // These take subnormal halves as zero: what is staged is multiplied as f32.
  // EXACT-LABEL: func.func private @product
  // EXACT: arith.extf %{{.*}} : vector<4xf16> to vector<4xf32>
  // EXACT-COUNT-32: rocdl.mfma.f32.16x16x4f32 {{.*}} : (f32, f32, vector<4xf32>, i32, i32, i32) -> vector<4xf32>
  // EXACT-NOT: rocdl

  // The same tiles for both, and a part of the function for each. In a wave of 32 lanes all have 16 terms, and eight sums of every other
  // row.
  // BOTH-LABEL: func.func private @product
  // BOTH: memref<64x9x4xf16, #gpu.address_space<workgroup>>
  // BOTH: %[[IS:.*]] = llvm.call_intrinsic "llvm.mlc.chip.is.gfx942"() : () -> i1
  // BOTH: scf.if %[[IS]]
  // BOTH-COUNT-8: rocdl.mfma.f32.16x16x16f16
  // BOTH-NOT: rocdl.mfma
  // BOTH: } else {
  // BOTH-COUNT-4: rocdl.wmma.f32.16x16x16.f16 {{.*}} : (vector<16xf16>, vector<16xf16>, vector<8xf32>) -> vector<8xf32>
  // BOTH-NOT: rocdl
  // BOTH: arith.select
  // BOTH: memref.store %{{.*}}, %arg2

  // NONE-LABEL: func.func private @product
  // NONE-NOT: rocdl
  // NONE: math.fma
  func.func private @product(%lhs: memref<40x50xf32>, %rhs: memref<50x72xf16>, %out: memref<40x72xf32>) attributes {mlc.kernel, mlc.device} {
    mlc.contract ins(%lhs, %rhs : memref<40x50xf32>, memref<50x72xf16>) outs(%out : memref<40x72xf32>) {lhs_map = #lhs, rhs_map = #rhs, mlc.halves = f16}
    return
  }

  // Products of f32 are those of f32 here; where another chip has no instruction for them, lanes multiply on their own.
  // CHECK-LABEL: func.func private @floats
  // CHECK-COUNT-16: rocdl.mfma.f32.16x16x4f32
  // CHECK-NOT: rocdl
  // EXACT-LABEL: func.func private @floats
  // EXACT-COUNT-16: rocdl.mfma.f32.16x16x4f32
  // BOTH-LABEL: func.func private @floats
  // BOTH: llvm.call_intrinsic "llvm.mlc.chip.is.gfx942"
  // BOTH-COUNT-16: rocdl.mfma.f32.16x16x4f32
  // BOTH: } else {
  // BOTH: scf.for
  // BOTH-COUNT-32: math.fma
  // BOTH-NOT: math.fma
  func.func private @floats(%lhs: memref<40x50xf32>, %rhs: memref<50x72xf32>, %out: memref<40x72xf32>) attributes {mlc.kernel, mlc.device} {
    mlc.contract ins(%lhs, %rhs : memref<40x50xf32>, memref<50x72xf32>) outs(%out : memref<40x72xf32>) {lhs_map = #lhs, rhs_map = #rhs}
    return
  }

  // CHECK-LABEL: func.func private @bytes
  // CHECK: memref<64x9x8xi8, #gpu.address_space<workgroup>>
  // CHECK-COUNT-8: rocdl.mfma.i32.16x16x32.i8 {{.*}} : (i64, i64, vector<4xi32>, i32, i32, i32) -> vector<4xi32>
  // EXACT-LABEL: func.func private @bytes
  // EXACT-COUNT-16: rocdl.mfma.i32.16x16x16i8 {{.*}} : (i32, i32, vector<4xi32>, i32, i32, i32) -> vector<4xi32>
  func.func private @bytes(%lhs: memref<40x50xi8>, %rhs: memref<50x72xi8>, %out: memref<40x72xi32>) attributes {mlc.kernel, mlc.device} {
    mlc.contract ins(%lhs, %rhs : memref<40x50xi8>, memref<50x72xi8>) outs(%out : memref<40x72xi32>) {lhs_map = #lhs, rhs_map = #rhs}
    return
  }

  // Bytes without signs are for the instructions of RDNA alone.
  // CHECK-LABEL: func.func private @unsigned_bytes
  // CHECK-NOT: rocdl
  // BOTH-LABEL: func.func private @unsigned_bytes
  // BOTH: llvm.call_intrinsic "llvm.mlc.chip.is.gfx942"
  // BOTH: arith.extui %{{.*}} : vector<8xi8> to vector<8xi32>
  // BOTH: } else {
  // BOTH-COUNT-8: rocdl.wmma.i32.16x16x16.iu8 {{.*}} {signB = true} : (vector<4xi32>, vector<4xi32>, vector<8xi32>) -> vector<8xi32>
  func.func private @unsigned_bytes(%lhs: memref<40x50xi8>, %rhs: memref<50x72xi8>, %out: memref<40x72xi32>) attributes {mlc.kernel, mlc.device} {
    mlc.contract ins(%lhs, %rhs : memref<40x50xi8>, memref<50x72xi8>) outs(%out : memref<40x72xi32>) {lhs_map = #lhs, rhs_map = #rhs, lhs_unsigned}
    return
  }

  // A tile would be mostly empty.
  // CHECK-LABEL: func.func private @few_rows
  // CHECK-NOT: rocdl
  func.func private @few_rows(%lhs: memref<16x50xf32>, %rhs: memref<50x72xf32>, %out: memref<16x72xf32>) attributes {mlc.kernel, mlc.device} {
    mlc.contract ins(%lhs, %rhs : memref<16x50xf32>, memref<50x72xf32>) outs(%out : memref<16x72xf32>) {lhs_map = #lhs, rhs_map = #rhs}
    return
  }
}
