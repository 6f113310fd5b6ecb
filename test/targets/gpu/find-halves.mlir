// RUN: mlc-opt %s -mlc-find-halves | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>

func.func private @extend(%in: memref<64x32xf16>, %out: memref<64x32xf32>) attributes {mlc.kernel} {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%in : memref<64x32xf16>) outs(%out : memref<64x32xf32>) {
  ^bb0(%x: f16, %y: f32):
    %0 = arith.extf %x : f16 to f32
    linalg.yield %0 : f32
  }
  return
}
func.func private @double(%in: memref<64x32xf32>, %out: memref<64x32xf32>) attributes {mlc.kernel} {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%in : memref<64x32xf32>) outs(%out : memref<64x32xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %x : f32
    linalg.yield %0 : f32
  }
  return
}

// Both are f16: the one in memory, the other where it was before it was extended.
// CHECK-LABEL: func.func private @product
// CHECK: mlc.contract {{.*}}mlc.halves = f16
func.func private @product(%a: memref<64x32xf32>, %b: memref<1x32x64xf16>, %c: memref<64x64xf32>) attributes {mlc.kernel} {
  mlc.contract ins(%a, %b : memref<64x32xf32>, memref<1x32x64xf16>) outs(%c : memref<64x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}
// A sum of two f16 may be none, and neither are f16 and bf16 the same.
// CHECK-LABEL: func.func private @product_of_sums
// CHECK-NOT: mlc.halves
func.func private @product_of_sums(%a: memref<64x32xf32>, %b: memref<1x32x64xf16>, %c: memref<64x64xf32>) attributes {mlc.kernel} {
  mlc.contract ins(%a, %b : memref<64x32xf32>, memref<1x32x64xf16>) outs(%c : memref<64x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}
func.func private @product_of_both(%a: memref<64x32xf32>, %b: memref<1x32x64xbf16>, %c: memref<64x64xf32>) attributes {mlc.kernel} {
  mlc.contract ins(%a, %b : memref<64x32xf32>, memref<1x32x64xbf16>) outs(%c : memref<64x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}
// Nor is what is written to again, as f32.
func.func private @product_of_shared(%a: memref<64x32xf32>, %b: memref<1x32x64xf16>, %c: memref<64x64xf32>) attributes {mlc.kernel} {
  mlc.contract ins(%a, %b : memref<64x32xf32>, memref<1x32x64xf16>) outs(%c : memref<64x64xf32>) {lhs_map = #lhs, rhs_map = #rhs}
  return
}

func.func @model(%x: memref<64x32xf16>, %w: memref<1x32x64xf16>, %v: memref<1x32x64xbf16>, %arena: memref<?xi8>, %y: memref<64x64xf32>) {
  %first = arith.constant 0 : index
  %second = arith.constant 8192 : index
  %third = arith.constant 16384 : index
  %a = memref.view %arena[%first][] : memref<?xi8> to memref<64x32xf32>
  call @extend(%x, %a) : (memref<64x32xf16>, memref<64x32xf32>) -> ()
  call @product(%a, %w, %y) : (memref<64x32xf32>, memref<1x32x64xf16>, memref<64x64xf32>) -> ()
  call @product_of_both(%a, %v, %y) : (memref<64x32xf32>, memref<1x32x64xbf16>, memref<64x64xf32>) -> ()
  %b = memref.view %arena[%second][] : memref<?xi8> to memref<64x32xf32>
  call @double(%a, %b) : (memref<64x32xf32>, memref<64x32xf32>) -> ()
  call @product_of_sums(%b, %w, %y) : (memref<64x32xf32>, memref<1x32x64xf16>, memref<64x64xf32>) -> ()
  %c = memref.view %arena[%third][] : memref<?xi8> to memref<64x32xf32>
  call @extend(%x, %c) : (memref<64x32xf16>, memref<64x32xf32>) -> ()
  call @double(%a, %c) : (memref<64x32xf32>, memref<64x32xf32>) -> ()
  call @product_of_shared(%c, %w, %y) : (memref<64x32xf32>, memref<1x32x64xf16>, memref<64x64xf32>) -> ()
  return
}
