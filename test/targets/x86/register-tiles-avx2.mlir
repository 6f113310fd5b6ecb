// The largest register tiles that are used with AVX2 keep all their sums in registers, however many depth loops there are.
// RUN: mlc-opt %s -mlc-build-micro-kernels | mlir-opt -canonicalize -convert-scf-to-cf -convert-vector-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm -convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm -reconcile-unrealized-casts \
// RUN:   | mlir-translate -mlir-to-llvmir | opt -O3 -mtriple=x86_64-linux -mattr=+avx2,+fma -S \
// RUN:   | llc -O3 -mtriple=x86_64-linux -mattr=+avx2,+fma | FileCheck %s

// CHECK-NOT: 32-byte Spill
// CHECK: vfmadd231ps
// CHECK-NOT: 32-byte Spill
func.func @tiles(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %add: i1) {
  mlc.ukernel broadcast 8 x 8 lanes 8 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [8] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 8 x 8 lanes 8 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 8] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 6 x 16 lanes 8 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 6 x 16 lanes 8 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 4 x 24 lanes 8 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [24] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 4 x 24 lanes 8 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 24] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  return
}
