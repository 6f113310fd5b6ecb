// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-vectorize-loops{vector-bytes=64},canonicalize))' --split-input-file | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// Contiguous dimensions are one loop; what remains after whole vectors is masked.
// CHECK-LABEL: @collapsed
// CHECK: scf.for %[[I:.*]] = %c0 to %c576 step %c16
// CHECK: vector.load {{.*}} vector<16xf32>
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
func.func @collapsed(%x: memref<84x7xf32>, %y: memref<84x7xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<84x7xf32>) outs(%y : memref<84x7xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A sum along rows keeps partial sums in registers.
// CHECK-LABEL: @along
// CHECK: scf.for
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: vector.reduction <add>
func.func @along(%x: memref<?x128xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x128xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A sum along columns has a vector of columns for its accumulator: nothing is added across lanes.
// CHECK-LABEL: @across
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.load
// CHECK-NOT: vector.reduction
// CHECK-NOT: vector.gather
// CHECK: return
func.func @across(%x: memref<?x128xf32>, %y: memref<128xf32>) {
  linalg.generic {indexing_maps = [affine_map<(j, i) -> (i, j)>, affine_map<(j, i) -> (j)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x128xf32>) outs(%y : memref<128xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// What a body with control flow computes stays scalar.
// CHECK-LABEL: @plain
// CHECK-NOT: vector
// CHECK: return
func.func @plain(%x: memref<8xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %zero = arith.constant 0.0 : f32
    %p = arith.cmpf ogt, %a, %zero : f32
    %0 = scf.if %p -> f32 {
      %q = arith.mulf %a, %a : f32
      scf.yield %q : f32
    } else {
      scf.yield %zero : f32
    }
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>

// Every fifth element of a row has no axis of stride one: lanes are counted along the row that the memory spans.
// CHECK-LABEL: @strided
// CHECK-SAME: (%[[X:.*]]: memref<8x64xf32, strided<[400, 5], offset: 1>>, %[[Y:.*]]: memref<8x64xf32, strided<[400, 5]>>)
// CHECK: %[[FROM:.*]] = memref.reinterpret_cast %[[X]] to offset: [1], sizes: [3116], strides: [1]
// CHECK: vector.gather %[[FROM]]
// CHECK: %[[TO:.*]] = memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [3116], strides: [1]
// CHECK: vector.scatter %[[TO]]
func.func @strided(%x: memref<8x64xf32, strided<[400, 5], offset: 1>>, %y: memref<8x64xf32, strided<[400, 5]>>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<8x64xf32, strided<[400, 5], offset: 1>>) outs(%y : memref<8x64xf32, strided<[400, 5]>>) {
  ^bb0(%a: f32, %b: f32):
    %0 = math.sqrt %a : f32
    %1 = arith.addf %0, %a : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

#id = affine_map<(i, j, k) -> (i, j, k)>

// Rows of a tile that follow one another in the larger buffer are one.
// CHECK-LABEL: @tile
// CHECK: %[[X:.*]] = memref.collapse_shape %arg0 {{\[\[}}0], [1, 2]] : memref<4x16x8xf32, strided<[1000, 8, 1]>> into memref<4x128xf32, strided<[1000, 1]>>
// CHECK: scf.for %[[I:.*]] = %c0 to %c4
// CHECK: scf.for %[[J:.*]] = %c0 to %c128 step %c16
// CHECK: vector.load %[[X]][%[[I]], %[[J]]]
func.func @tile(%x: memref<4x16x8xf32, strided<[1000, 8, 1]>>, %y: memref<4x16x8xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : memref<4x16x8xf32, strided<[1000, 8, 1]>>) outs(%y : memref<4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#packed = affine_map<(k, j, g) -> (k * 4 + g, j)>
#out = affine_map<(k, j, g) -> (k, j, g)>

// Four rows lie side by side in the output: a vector of each, and these interleaved.
// CHECK-LABEL: @groups
// CHECK-SAME: (%[[X:.*]]: memref<32x64xi8>, %[[Y:.*]]: memref<8x64x4xi8>)
// CHECK: scf.for %[[K:.*]] = %c0 to %c8
// CHECK: scf.for %[[J:.*]] = %c0 to %c64 step %c16
// CHECK-COUNT-4: vector.load %[[X]][%{{.*}}, %[[J]]] : memref<32x64xi8>, vector<16xi8>
// CHECK: %[[EVEN:.*]] = vector.interleave %{{.*}}, %{{.*}} : vector<16xi8> -> vector<32xi8>
// CHECK: %[[ODD:.*]] = vector.interleave %{{.*}}, %{{.*}} : vector<16xi8> -> vector<32xi8>
// CHECK: vector.interleave %[[EVEN]], %[[ODD]] : vector<32xi8> -> vector<64xi8>
// CHECK-NEXT: vector.store %{{.*}}, %[[Y]][%[[K]], %[[J]], %c0] : memref<8x64x4xi8>, vector<64xi8>
func.func @groups(%x: memref<32x64xi8>, %y: memref<8x64x4xi8>) {
  linalg.generic {indexing_maps = [#packed, #out], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : memref<32x64xi8>) outs(%y : memref<8x64x4xi8>) {
  ^bb0(%in: i8, %out: i8):
    linalg.yield %in : i8
  }
  return
}

// -----

#even = affine_map<(i, j) -> (i, j * 2)>
#all = affine_map<(i, j) -> (i, j)>

// Every second element is picked out of vectors of all, of which the last does not reach behind the row; so is the rest.
// CHECK-LABEL: @every_second
// CHECK-SAME: (%[[X:.*]]: memref<4x39xf32>
// CHECK-DAG: %[[BUT_ONE:.*]] = arith.constant dense<[true, {{.*}}, true, false]> : vector<16xi1>
// CHECK-DAG: %[[SEVEN:.*]] = arith.constant dense<[true, true, true, true, true, true, true, false, {{.*}}]> : vector<16xi1>
// CHECK: %[[A:.*]] = vector.load %[[X]][%[[I:.*]], %c0]
// CHECK: %[[B:.*]] = vector.maskedload %[[X]][%[[I]], %c16], %[[BUT_ONE]]
// CHECK: vector.shuffle %[[A]], %[[B]] [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30] : vector<16xf32>, vector<16xf32>
// CHECK: vector.maskedload %[[X]][%[[I]], %c32], %[[SEVEN]]
// CHECK-NOT: vector.gather
// CHECK: return
func.func @every_second(%x: memref<4x39xf32>, %y: memref<4x20xf32>) {
  linalg.generic {indexing_maps = [#even, #all], iterator_types = ["parallel", "parallel"]} ins(%x : memref<4x39xf32>) outs(%y : memref<4x20xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return
}

// -----

#row = affine_map<(i, j) -> (i)>
#all = affine_map<(i, j) -> (i, j)>

// What is the same in all lanes is a scalar: a row that is chosen by one is read as a run, not gathered.
// CHECK-LABEL: @rows
// CHECK-SAME: (%[[TABLE:.*]]: memref<9x40xf32>, %[[CHOSEN:.*]]: memref<4xindex>
// CHECK: scf.for %[[J:.*]] = %c0 to %c32 step %c8
// CHECK: %[[ROW:.*]] = memref.load %[[CHOSEN]]
// CHECK: %[[FIRST:.*]] = arith.subi %[[J]], %c3
// CHECK: %[[LOADED:.*]] = vector.load %[[TABLE]][%[[ROW]], %[[FIRST]]] : memref<9x40xf32>, vector<8xf32>
// CHECK: vector.store %[[LOADED]]
// CHECK-NOT: vector.gather
// CHECK: return
func.func @rows(%table: memref<9x40xf32>, %chosen: memref<4xindex>, %y: memref<4x37xf32>) {
  %three = arith.constant 3 : index
  linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel"]} ins(%chosen : memref<4xindex>) outs(%y : memref<4x37xf32>) {
  ^bb0(%in: index, %out: f32):
    %j = linalg.index 1 : index
    %k = arith.subi %j, %three : index
    %v = memref.load %table[%in, %k] : memref<9x40xf32>
    linalg.yield %v : f32
  }
  return
}
