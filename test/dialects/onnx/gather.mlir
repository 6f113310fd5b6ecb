// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// One reduction finds what is out of range, before anything is read.
// CHECK-LABEL: @rows_of_a_table
// CHECK: arith.maxui
// CHECK: mlc.check %{{.*}}, "{{.*}} (Gather) expects indices in [-%0, %0), got %1"
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<?x64xf32>)
// CHECK: tensor.extract
func.func @rows_of_a_table(%table: tensor<1000x64xf32>, %ids: tensor<?xi64>) -> tensor<*xf32> {
  %y = onnx.Gather(%table, %ids) : (tensor<1000x64xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @constant_indices_in_a_row_are_a_view
// CHECK-NOT: mlc.check
// CHECK: tensor.extract_slice %{{.*}}[0, 1] [%{{.*}}, 3] [1, 2]
// CHECK-NOT: linalg
// CHECK: return
func.func @constant_indices_in_a_row_are_a_view(%x: tensor<?x7xf32>) -> tensor<*xf32> {
  %odd = onnx.Constant() {value_ints = [1, 3, 5]} : () -> tensor<*xi64>
  %y = onnx.Gather(%x, %odd) {axis = 1} : (tensor<?x7xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @last_step
// CHECK: tensor.extract_slice %{{.*}}[0, 6] [%{{.*}}, 1] [1, 1] : tensor<?x7xf32> to tensor<?xf32>
// CHECK-NEXT: return
func.func @last_step(%x: tensor<?x7xf32>) -> tensor<*xf32> {
  %last = onnx.Constant() {value_int = -1} : () -> tensor<*xi64>
  %y = onnx.Gather(%x, %last) {axis = 1} : (tensor<?x7xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @sums_in_order
// CHECK: mlc.check
// CHECK: scf.for
// CHECK: arith.addf
// CHECK: tensor.insert
func.func @sums_in_order(%x: tensor<4xf32>, %at: tensor<9xi64>, %by: tensor<9xf32>) -> tensor<*xf32> {
  %y = onnx.ScatterElements(%x, %at, %by) {reduction = "add"} : (tensor<4xf32>, tensor<9xi64>, tensor<9xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// What the data decides is counted first.
// CHECK-LABEL: @places_of_what_is_not_zero
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "reduction"]
// CHECK: tensor.empty(%{{.*}}) : tensor<2x?xi64>
func.func @places_of_what_is_not_zero(%x: tensor<?x4xf32>) -> tensor<*xi64> {
  %y = onnx.NonZero(%x) : (tensor<?x4xf32>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}


// Four neighbours, whose positions stay inside of the operand whatever the coordinates are; those outside count as 0.
// CHECK-LABEL: @sampled_linearly
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x4x5xf32>)
// CHECK: math.floor
// CHECK: arith.minsi
// CHECK: arith.maxsi
// CHECK-COUNT-4: tensor.extract %{{.*}} : tensor<2x3x8x9xf32>
// CHECK-NOT: tensor.extract
// CHECK: linalg.yield
func.func @sampled_linearly(%x: tensor<2x3x8x9xf32>, %grid: tensor<2x4x5x2xf32>) -> tensor<*xf32> {
  %y = onnx.GridSample(%x, %grid) : (tensor<2x3x8x9xf32>, tensor<2x4x5x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
