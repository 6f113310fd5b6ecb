// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-cast-expand-shapes))' | FileCheck %s

// CHECK-LABEL: @several_dynamic_extents
// CHECK-SAME: %[[X:.*]]: memref<?xf32>, %[[N:.*]]: index, %[[M:.*]]: index
// CHECK: %[[STRIDE:.*]] = affine.apply {{.*}}[%[[M]]]
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [%[[N]], %[[M]], 4], strides: [%[[STRIDE]], 4, 1]
func.func @several_dynamic_extents(%x: memref<?xf32>, %n: index, %m: index) -> memref<?x?x4xf32> {
  %y = memref.expand_shape %x [[0, 1, 2]] output_shape [%n, %m, 4] : memref<?xf32> into memref<?x?x4xf32>
  return %y : memref<?x?x4xf32>
}

// CHECK-LABEL: @one_dynamic_extent
// CHECK: memref.expand_shape
func.func @one_dynamic_extent(%x: memref<?xf32>, %n: index) -> memref<?x4xf32> {
  %y = memref.expand_shape %x [[0, 1]] output_shape [%n, 4] : memref<?xf32> into memref<?x4xf32>
  return %y : memref<?x4xf32>
}
