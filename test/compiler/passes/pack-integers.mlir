// RUN: mlc-opt %s --pass-pipeline='builtin.module(func.func(mlc-pack-operands,canonicalize,cse))' | FileCheck %s

// CHECK-DAG: #[[GROUPS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2 * 4 + d3)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2, d3) -> (d1 floordiv 16, d2, d1 mod 16, d3)>
// CHECK-DAG: #[[PAIRS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2 * 2 + d3)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>
module attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v4", features = "+avx512f,+avx512vnni", vector_bytes = 64>} {

// vpdpbusd multiplies four unsigned by four signed bytes.
// CHECK-LABEL: @unsigned_by_signed
// CHECK: %[[W:.*]] = arith.constant dense<2> : tensor<1x2x16x4xi8>
// CHECK: %[[Y:.*]] = mlc.contract ins(%arg0, %[[W]] : {{.*}}) {lhs_map = #[[GROUPS]], lhs_unsigned, rhs_map = #[[PANELS]]}
// CHECK: return %[[Y]]
func.func @unsigned_by_signed(%x: tensor<5x8xi8>) -> tensor<5x16xi32> {
  %w = arith.constant dense<2> : tensor<8x16xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<5x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<5x16xi32>) -> tensor<5x16xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<5x8xi8>, tensor<8x16xi8>) outs(%init : tensor<5x16xi32>) {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %p = arith.extui %a : i8 to i32
    %q = arith.extsi %b : i8 to i32
    %product = arith.muli %p, %q : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  } -> tensor<5x16xi32>
  return %y : tensor<5x16xi32>
}

// Signed activations are moved by 128, and each column loses 128 times the sum of its weights: 128 * 6 * 2. The depth is
// filled up to groups.
// CHECK-LABEL: @signed_by_signed
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x2x16x4xi8>
// CHECK-DAG: %[[TOP:.*]] = arith.constant -128 : i8
// CHECK-DAG: %[[LOST:.*]] = arith.constant dense<-1536> : tensor<16xi32>
// CHECK: arith.xori %{{.*}}, %[[TOP]]
// CHECK: %[[X:.*]] = tensor.pad {{.*}} low[0, 0] high[0, 2]
// CHECK: %[[Y:.*]] = mlc.contract ins(%[[X]], %[[W]] : {{.*}}) {lhs_map = #[[GROUPS]], lhs_unsigned, rhs_map = #[[PANELS]]}
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[COLUMN]], #{{.*}}], {{.*}} ins(%[[Y]], %[[LOST]]
func.func @signed_by_signed(%x: tensor<5x6xi8>) -> tensor<5x16xi32> {
  %w = arith.constant dense<2> : tensor<6x16xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<5x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<5x16xi32>) -> tensor<5x16xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<5x6xi8>, tensor<6x16xi8>) outs(%init : tensor<5x16xi32>) {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %p = arith.extsi %a : i8 to i32
    %q = arith.extsi %b : i8 to i32
    %product = arith.muli %p, %q : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  } -> tensor<5x16xi32>
  return %y : tensor<5x16xi32>
}

// Wider weights are multiplied in pairs of 16 bits.
// CHECK-LABEL: @unsigned_by_wide
// CHECK: %[[X:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<5x8xi8>)
// CHECK: arith.extui %{{.*}} : i8 to i16
// CHECK: mlc.contract ins(%[[X]], %{{.*}} : tensor<5x8xi16>, tensor<1x4x16x2xi16>) {{.*}} {lhs_map = #[[PAIRS]], rhs_map
func.func @unsigned_by_wide(%x: tensor<5x8xi8>) -> tensor<5x16xi32> {
  %w = arith.constant dense<200> : tensor<8x16xi16>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<5x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<5x16xi32>) -> tensor<5x16xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<5x8xi8>, tensor<8x16xi16>) outs(%init : tensor<5x16xi32>) {
  ^bb0(%a: i8, %b: i16, %sum: i32):
    %p = arith.extui %a : i8 to i32
    %q = arith.extsi %b : i16 to i32
    %product = arith.muli %p, %q : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  } -> tensor<5x16xi32>
  return %y : tensor<5x16xi32>
}

// Bytes that the run computes go into groups, too; signed ones by signed ones as pairs of 16 bits, since there is no column's constant
// for a shift. Both sides are filled up to whole groups.
// CHECK-LABEL: @computed
// CHECK: %[[FULL_X:.*]] = tensor.pad %arg0 low[0, 0] high[0, 2]
// CHECK: %[[FULL:.*]] = tensor.pad %arg1 low[0, 0] high[2, 0]
// CHECK: %[[PANELS_OF_W:.*]] = linalg.generic {{.*}} ins(%[[FULL]] : tensor<12x16xi8>) outs(%{{.*}} : tensor<1x3x16x4xi8>)
// CHECK: mlc.contract ins(%[[FULL_X]], %[[PANELS_OF_W]] : tensor<20x12xi8>, tensor<1x3x16x4xi8>) {{.*}} {lhs_map = #[[GROUPS]], lhs_unsigned, rhs_map = #[[PANELS]]}
func.func @computed(%x: tensor<20x10xi8>, %w: tensor<10x16xi8>) -> tensor<20x16xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<20x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<20x16xi32>) -> tensor<20x16xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<20x10xi8>, tensor<10x16xi8>) outs(%init : tensor<20x16xi32>) {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %p = arith.extui %a : i8 to i32
    %q = arith.extsi %b : i8 to i32
    %product = arith.muli %p, %q : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  } -> tensor<20x16xi32>
  return %y : tensor<20x16xi32>
}

// CHECK-LABEL: @computed_signs
// CHECK: arith.extsi %{{.*}} : i8 to i16
// CHECK: mlc.contract ins(%{{.*}}, %{{.*}} : tensor<20x8xi16>, tensor<1x4x16x2xi8>) {{.*}} {lhs_map = #[[PAIRS]], rhs_map = #[[PANELS]]}
func.func @computed_signs(%x: tensor<20x8xi8>, %w: tensor<8x16xi8>) -> tensor<20x16xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<20x16xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<20x16xi32>) -> tensor<20x16xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<20x8xi8>, tensor<8x16xi8>) outs(%init : tensor<20x16xi32>) {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %p = arith.extsi %a : i8 to i32
    %q = arith.extsi %b : i8 to i32
    %product = arith.muli %p, %q : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  } -> tensor<20x16xi32>
  return %y : tensor<20x16xi32>
}

}
