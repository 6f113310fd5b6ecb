// The largest register tiles keep all their sums in registers, however many depth loops there are, and multiply by lanes of what one load
// has fetched for four terms.
// RUN: mlc-opt %s -mlc-build-micro-kernels=by-lane=true | mlir-opt -canonicalize -convert-scf-to-cf -convert-vector-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm -convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm -reconcile-unrealized-casts \
// RUN:   | mlir-translate -mlir-to-llvmir | opt -O3 -mtriple=aarch64-linux -S | llc -O3 -mtriple=aarch64-linux > %t.s
// RUN: FileCheck %s < %t.s
// RUN: not grep -E "q[0-9]+.*(Spill|Reload)" %t.s

// CHECK-DAG: fmla v{{[0-9]+}}.4s, v{{[0-9]+}}.4s, v{{[0-9]+}}.s[0]
// CHECK-DAG: fmla v{{[0-9]+}}.4s, v{{[0-9]+}}.4s, v{{[0-9]+}}.s[3]
func.func @tiles(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %add: i1) {
  mlc.ukernel broadcast 10 x 4 lanes 4 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [4] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 10 x 4 lanes 4 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 4] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 8 x 8 lanes 4 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [8] out %c[%n] by [%n]
    width [] accumulate %add : memref<f32>, memref<f32>, memref<f32>
  mlc.ukernel broadcast 8 x 8 lanes 4 depth [%n, %n, %n] lhs %a[%n] by [%n, %n, %n, 1] rhs %b[%n] by [%n, %n, 8] out %c[%n] by [%n]
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

// A register does not hold four terms of float64: they are loaded one by one.
// CHECK-DAG: fmla v{{[0-9]+}}.2d, v{{[0-9]+}}.2d, v{{[0-9]+}}.d[0]
func.func @wide_tiles(%a: memref<f64>, %b: memref<f64>, %c: memref<f64>, %n: index, %add: i1) {
  mlc.ukernel broadcast 10 x 2 lanes 2 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [2] out %c[%n] by [%n]
    width [] accumulate %add : memref<f64>, memref<f64>, memref<f64>
  mlc.ukernel broadcast 8 x 4 lanes 2 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [4] out %c[%n] by [%n]
    width [] accumulate %add : memref<f64>, memref<f64>, memref<f64>
  mlc.ukernel broadcast 6 x 6 lanes 2 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [6] out %c[%n] by [%n]
    width [] accumulate %add : memref<f64>, memref<f64>, memref<f64>
  mlc.ukernel broadcast 5 x 8 lanes 2 depth [%n] lhs %a[%n] by [%n, 1] rhs %b[%n] by [8] out %c[%n] by [%n]
    width [] accumulate %add : memref<f64>, memref<f64>, memref<f64>
  return
}
