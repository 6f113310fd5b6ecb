// The largest register tiles keep all their sums in registers, however many depth loops there are, and multiply by scalars.
// RUN: mlc-opt %s -mlc-build-micro-kernels | mlir-opt -canonicalize -convert-scf-to-cf -convert-vector-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm -convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm -reconcile-unrealized-casts \
// RUN:   | mlir-translate -mlir-to-llvmir | opt -O3 -mtriple=riscv64-linux -mattr=+m,+a,+f,+d,+c,+v -S | llc -O3 -mtriple=riscv64-linux -mattr=+m,+a,+f,+d,+c,+v | FileCheck %s

// CHECK-NOT: vs{{[0-9]}}r.v
// CHECK: vfmacc.vf
// CHECK-NOT: vs{{[0-9]}}r.v
func.func @tiles(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %add: i1) {
  mlc.ukernel broadcast 12 x 4 lanes 4 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [4] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 12 x 4 lanes 4 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 4] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 9 x 8 lanes 4 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [8] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 9 x 8 lanes 4 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 8] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 6 x 12 lanes 4 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [12] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 6 x 12 lanes 4 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 12] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 5 x 16 lanes 4 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 5 x 16 lanes 4 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 16] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  return
}
