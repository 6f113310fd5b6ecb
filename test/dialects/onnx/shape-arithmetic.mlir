// Arithmetic on shapes is followed element by element, so that extents stay expressions over the model's dimensions.
// RUN: mlc-opt %s --mlc-infer-shapes | FileCheck %s --check-prefix=TYPE
// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// Shape -> Gather -> Unsqueeze -> Concat -> Reshape, as exporters write `x.view(batch, seq, 12, 64)`.
// TYPE-LABEL: @view
// TYPE: onnx.Reshape{{.*}} -> tensor<?x?x12x64xf32>
// CHECK-LABEL: @view
// CHECK-NOT: linalg
// CHECK-NOT: mlc.check
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]]
// CHECK-NEXT: return
func.func @view(%x: tensor<?x?x768xf32>) -> tensor<*xf32> {
  %shape = onnx.Shape(%x) : (tensor<?x?x768xf32>) -> tensor<*xi64>
  %0 = onnx.Constant() {value_int = 0} : () -> tensor<*xi64>
  %1 = onnx.Constant() {value_int = 1} : () -> tensor<*xi64>
  %axes = onnx.Constant() {value_ints = [0]} : () -> tensor<*xi64>
  %batch = onnx.Gather(%shape, %0) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %seq = onnx.Gather(%shape, %1) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %b = onnx.Unsqueeze(%batch, %axes) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %s = onnx.Unsqueeze(%seq, %axes) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %heads = onnx.Constant() {value_ints = [12, -1]} : () -> tensor<*xi64>
  %to = onnx.Concat(%b, %s, %heads) {axis = 0} : (tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %y = onnx.Reshape(%x, %to) : (tensor<?x?x768xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// The last `seq` of `past + seq` places have the extent `seq`: nothing is checked when they meet.
// CHECK-LABEL: @end_of_a_cache
// CHECK: linalg.generic
// CHECK-NOT: mlc.check
// CHECK: return
func.func @end_of_a_cache(%past: tensor<?x8xf32>, %x: tensor<?x8xf32>) -> tensor<*xf32> {
  %all = onnx.Concat(%past, %x) {axis = 0} : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<*xf32>
  %start = onnx.Shape(%past) {end = 1} : (tensor<?x8xf32>) -> tensor<*xi64>
  %end = onnx.Shape(%all) {end = 1} : (tensor<*xf32>) -> tensor<*xi64>
  %last = onnx.Slice(%all, %start, %end, _, _) : (tensor<*xf32>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xf32>
  %y = onnx.Add(%last, %x) : (tensor<*xf32>, tensor<?x8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// The pads of torch are turned around through a matrix.
// TYPE-LABEL: @elements_of_a_matrix
// TYPE: onnx.Pad{{.*}} -> tensor<1x10x9xf32>
func.func @elements_of_a_matrix(%x: tensor<1x3x4xf32>) -> tensor<*xf32> {
  %pads = onnx.Constant() {value_ints = [2, 3, 4, 3, 0, 0]} : () -> tensor<*xi64>
  %pairs = onnx.Constant() {value_ints = [-1, 2]} : () -> tensor<*xi64>
  %matrix = onnx.Reshape(%pads, %pairs) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %start = onnx.Constant() {value_ints = [-1]} : () -> tensor<*xi64>
  %end = onnx.Constant() {value_ints = [-9223372036854775807]} : () -> tensor<*xi64>
  %axes = onnx.Constant() {value_ints = [0]} : () -> tensor<*xi64>
  %reversed = onnx.Slice(%matrix, %start, %end, %axes, %start) : (tensor<*xi64>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %columns = onnx.Transpose(%reversed) {perm = [1, 0]} : (tensor<*xi64>) -> tensor<*xi64>
  %list = onnx.Reshape(%columns, %start) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %y = onnx.Pad(%x, %list, _, _) : (tensor<1x3x4xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// TYPE-LABEL: @parts
// TYPE: onnx.Split{{.*}} -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x2xf32>)
func.func @parts(%x: tensor<?x10xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %0:3 = onnx.Split(%x, _) {axis = 1, num_outputs = 3} : (tensor<?x10xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %0#0, %0#1, %0#2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// What is known to be the same number in every run is one, wherever it is used.
// CHECK-LABEL: @elements_as_data
// CHECK: tensor.from_elements
// CHECK-NOT: linalg
func.func @elements_as_data(%x: tensor<?x?xf32>) -> tensor<*xi64> {
  %shape = onnx.Shape(%x) : (tensor<?x?xf32>) -> tensor<*xi64>
  %y = onnx.Add(%shape, %shape) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}
