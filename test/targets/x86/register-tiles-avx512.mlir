// The largest register tiles that are used with AVX-512 keep all their sums in registers, however many depth loops there are.
// RUN: mlc-opt %s -mlc-build-micro-kernels | mlir-opt -canonicalize -convert-scf-to-cf -convert-vector-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm -convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm -reconcile-unrealized-casts \
// RUN:   | mlir-translate -mlir-to-llvmir | opt -O3 -mtriple=x86_64-linux -mattr=+avx512f,+avx512vl,+avx512bw,+avx512dq,+fma -S \
// RUN:   | llc -O3 -mtriple=x86_64-linux -mattr=+avx512f,+avx512vl,+avx512bw,+avx512dq,+fma | FileCheck %s

// CHECK-NOT: 64-byte Spill
// CHECK: vfmadd231ps
// CHECK-NOT: 64-byte Spill
func.func @tiles(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %add: i1) {
  mlc.ukernel broadcast 12 x 16 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 12 x 16 lanes 16 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 9 x 32 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [32] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 9 x 32 lanes 16 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 32] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 8 x 48 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [48] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 8 x 48 lanes 16 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 48] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 6 x 64 lanes 16 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [64] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 6 x 64 lanes 16 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 64] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  return
}
