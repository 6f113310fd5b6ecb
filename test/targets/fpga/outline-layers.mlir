// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-outline-layers | FileCheck %s

#input = affine_map<(m, n, k) -> (m, k)>
#panels = affine_map<(m, n, k) -> (n floordiv 4, k, n mod 4)>
#all = affine_map<(m, n) -> (m, n)>
#columns = affine_map<(m, n) -> (n)>

// The sums lie nowhere: the function has no argument for them.
// CHECK-LABEL: func.func private @layer
// CHECK-SAME: mlc.device
// CHECK: gpu.launch_func @device::@layer
// CHECK-SAME: args(%arg0 : memref<2x8xi8>, %arg1 : memref<1x8x4xi8>, %arg2 : memref<4xi32>, %arg3 : memref<2x4xi32>)
// CHECK-NOT: mlc.contract
// CHECK: gpu.func @layer(%[[X:.*]]: memref<2x8xi8>, %[[W:.*]]: memref<1x8x4xi8>, %[[B:.*]]: memref<4xi32>, %[[Y:.*]]: memref<2x4xi32>) kernel
// CHECK: %[[SUMS:.*]] = memref.alloca() : memref<2x4xi32>
// CHECK: mlc.contract ins(%[[X]], %[[W]] {{.*}} outs(%[[SUMS]]
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]], %[[B]] {{.*}} outs(%[[Y]]
module {
  func.func private @layer(%x: memref<2x8xi8>, %w: memref<1x8x4xi8>, %b: memref<4xi32>, %y: memref<2x4xi32>, %sums: memref<2x4xi32> {mlc.temporary}) attributes {mlc.kernel} {
    mlc.contract ins(%x, %w : memref<2x8xi8>, memref<1x8x4xi8>) outs(%sums : memref<2x4xi32>) {lhs_map = #input, rhs_map = #panels}
    linalg.generic {indexing_maps = [#all, #columns, #all], iterator_types = ["parallel", "parallel"]} ins(%sums, %b : memref<2x4xi32>, memref<4xi32>) outs(%y : memref<2x4xi32>) {
    ^bb0(%s: i32, %c: i32, %o: i32):
      %0 = arith.addi %s, %c : i32
      linalg.yield %0 : i32
    }
    return
  }
}

// -----

// Where somebody else reads the sums, they are stored.
// CHECK-LABEL: gpu.func @stored
// CHECK-SAME: memref<4xf32>, %{{.*}}: memref<f32>
// CHECK-NOT: memref.alloca
#one = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>
module {
  func.func private @stored(%x: memref<4xf32>, %y: memref<f32>) attributes {mlc.kernel} {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%y : memref<f32>)
    linalg.generic {indexing_maps = [#one, #none], iterator_types = ["reduction"]} ins(%x : memref<4xf32>) outs(%y : memref<f32>) {
    ^bb0(%in: f32, %sum: f32):
      %0 = arith.addf %sum, %in : f32
      linalg.yield %0 : f32
    }
    return
  }
}

// -----

module {
  func.func private @double(%x: memref<4xf64>, %y: memref<4xf64>) attributes {mlc.kernel} {
    // expected-error @+1 {{it has elements of 'f64', expected float32, or integers of 8, 16, 32 or 64 bits}}
    memref.copy %x, %y : memref<4xf64> to memref<4xf64>
    return
  }
}

// -----

module {
  func.func private @one_store(%y: memref<8xf32>, %i: index) attributes {mlc.kernel} {
    %zero = arith.constant 0.0 : f32
    // expected-error @+1 {{it is no loop over whole tensors (memref.store); leave it to a host}}
    memref.store %zero, %y[%i] : memref<8xf32>
    return
  }
}
