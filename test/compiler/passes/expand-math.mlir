// RUN: mlc-opt %s --mlc-expand-math | FileCheck %s
// RUN: mlc-opt %s --mlc-expand-math=scales | FileCheck %s --check-prefix=SCALES

// CHECK-LABEL: @vectors
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: ldexp
// SCALES-LABEL: @vectors
// SCALES: llvm.call_intrinsic "llvm.ldexp"({{.*}}) : (vector<16xf32>, vector<16xi32>) -> vector<16xf32>
func.func @vectors(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// Computed as f32.
// CHECK-LABEL: @half
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @half(%x: f16) -> f16 {
  %0 = math.tanh %x : f16
  return %0 : f16
}

// CHECK-LABEL: @double_is_left
// CHECK: math.exp
func.func @double_is_left(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}

// CHECK-LABEL: @square
// CHECK: %[[Y:.*]] = arith.mulf %[[X:.*]], %[[X]] : f32
// CHECK-NEXT: return %[[Y]]
func.func @square(%x: f32) -> f32 {
  %two = arith.constant 2.0 : f32
  %0 = math.powf %x, %two : f32
  return %0 : f32
}
