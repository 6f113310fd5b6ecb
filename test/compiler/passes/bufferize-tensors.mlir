// RUN: mlc-opt %s --split-input-file --mlc-bufferize-tensors --verify-diagnostics | FileCheck %s

// The result is computed in its destination.
// CHECK-LABEL: func.func private @in_place(
// CHECK-SAME: %[[X:.*]]: memref<8xf32> {llvm.noalias}, %[[OUT:.*]]: memref<8xf32> {llvm.noalias})
// CHECK-NEXT: linalg.exp ins(%[[X]] : memref<8xf32>) outs(%[[OUT]] : memref<8xf32>)
// CHECK: return
func.func private @in_place(%x: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {mlc.kernel} {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// Inputs of the model are never written, though the kernel could work in place.
// CHECK-LABEL: func.func @model(
// CHECK-SAME: %[[X:.*]]: memref<8xf32>
// CHECK: %[[COPY:.*]] = memref.alloc
// CHECK: call @in_place(%[[X]], %[[COPY]])
func.func @model(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = call @in_place(%x, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// Kernels get contiguous buffers: a slice of columns is copied before.
func.func private @k(%x: tensor<8x2xf32>, %out: tensor<8x2xf32>) -> tensor<8x2xf32> attributes {mlc.kernel} {
  %0 = linalg.exp ins(%x : tensor<8x2xf32>) outs(%out : tensor<8x2xf32>) -> tensor<8x2xf32>
  return %0 : tensor<8x2xf32>
}
// CHECK-LABEL: func.func @model(
// CHECK: %[[COLUMNS:.*]] = memref.subview
// CHECK: memref.copy %[[COLUMNS]], %[[COPY:.*]] : memref<8x2xf32, strided<[4, 1], offset: 1>> to memref<8x2xf32>
// CHECK: call @k(%[[COPY]],
func.func @model(%x: tensor<8x4xf32>) -> tensor<8x2xf32> {
  %s = tensor.extract_slice %x[0, 1][8, 2][1, 1] : tensor<8x4xf32> to tensor<8x2xf32>
  %e = tensor.empty() : tensor<8x2xf32>
  %0 = call @k(%s, %e) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
  return %0 : tensor<8x2xf32>
}

// -----

// A loop that writes into the destination, as a scatter does, needs no copy of it.
// CHECK-LABEL: func.func private @scatter(
// CHECK-SAME: memref<4xf32> {llvm.noalias}, %[[OUT:.*]]: memref<8xf32> {llvm.noalias}) attributes
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: scf.for
// CHECK-NOT: iter_args
// CHECK: memref.store %{{.*}}, %[[OUT]]
func.func private @scatter(%places: tensor<4xindex>, %updates: tensor<4xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {mlc.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %0 = scf.for %i = %c0 to %c4 step %c1 iter_args(%soFar = %out) -> (tensor<8xf32>) {
    %place = tensor.extract %places[%i] : tensor<4xindex>
    %update = tensor.extract %updates[%i] : tensor<4xf32>
    %next = tensor.insert %update into %soFar[%place] : tensor<8xf32>
    scf.yield %next : tensor<8xf32>
  }
  return %0 : tensor<8xf32>
}

// -----

// expected-error @+1 {{expects one destination for each of its 1 results}}
func.func private @no_destination() -> tensor<8xf32> attributes {mlc.kernel} {
  %0 = arith.constant dense<0.0> : tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// Two results are written to two places, although equal expressions have made one destination of them.
// CHECK-LABEL: func.func @two_results(
// CHECK-DAG: %[[A:.*]] = memref.alloc{{.*}} memref<8xf32>
// CHECK-DAG: %[[B:.*]] = memref.alloc{{.*}} memref<8xf32>
// CHECK: call @pair(%{{.*}}, %[[A]], %[[B]])
func.func private @pair(%x: tensor<8xf32>, %a: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) attributes {mlc.kernel} {
  %0:2 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : tensor<8xf32>) outs(%a, %b : tensor<8xf32>, tensor<8xf32>) {
  ^bb0(%in: f32, %out0: f32, %out1: f32):
    %sum = arith.addf %in, %in : f32
    linalg.yield %in, %sum : f32, f32
  } -> (tensor<8xf32>, tensor<8xf32>)
  return %0#0, %0#1 : tensor<8xf32>, tensor<8xf32>
}
func.func @two_results(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %0:2 = call @pair(%x, %e, %e) : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
  return %0#0, %0#1 : tensor<8xf32>, tensor<8xf32>
}
