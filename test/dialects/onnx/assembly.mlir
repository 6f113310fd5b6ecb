// The one assembly of all operations: what is printed is what was written, and can be read again.
// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s | mlc-opt | FileCheck %s

// CHECK-LABEL: @numbers_have_the_types_of_onnx
func.func @numbers_have_the_types_of_onnx(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  // CHECK: onnx.Conv(%{{.*}}, %{{.*}}) {mlc.note = [1, 2], strides = [2, 2]} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  %0 = onnx.Conv(%x, %w, _) {strides = [2, 2], mlc.note = [1, 2]} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  // CHECK: onnx.LeakyRelu(%{{.*}}) {alpha = 3.000000e-01} :
  %1 = onnx.LeakyRelu(%0) {alpha = 0.3} : (tensor<*xf32>) -> tensor<*xf32>
  // CHECK: onnx.MaxPool(%{{.*}}) {dilations = array<i64>, kernel_shape = [2, -2]} : (tensor<*xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  %2, %3 = onnx.MaxPool(%1) {kernel_shape = [2, -2], dilations = array<i64>} : (tensor<*xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  return %2 : tensor<*xf32>
}

// CHECK-LABEL: @defaults_are_left_out
func.func @defaults_are_left_out(%x: tensor<*xf32>, %w: tensor<*xf32>) -> tensor<*xf32> {
  // CHECK: onnx.Conv(%{{.*}}, %{{.*}}) : (
  %0 = onnx.Conv(%x, %w) {group = 1, auto_pad = "NOTSET"} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @absent_ports
func.func @absent_ports(%x: tensor<*xf32>, %w: tensor<*xf32>, %r: tensor<*xf32>) -> tensor<*xf32> {
  // CHECK: onnx.LSTM(%{{.*}}, %{{.*}}, %{{.*}}, _, _, %{{.*}}) {activation_alpha = [5.000000e-01, 9.99999974E-6, 0x7FC00000 : f32], hidden_size = 8} : ({{.*}}) -> (_, tensor<*xf32>)
  %h = onnx.LSTM(%x, %w, %r, _, _, %x, _, _) {hidden_size = 8, activation_alpha = [0.5, 1.0e-5, 0x7FC00000 : f32]} : (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) -> (_, tensor<*xf32>, _)
  // CHECK: onnx.Resize(%{{.*}}, _, %{{.*}}) {mode = "linear"} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %s = onnx.Resize(%x, _, %h) {mode = "linear"} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %s : tensor<*xf32>
}

// CHECK-LABEL: @variadic_ports
func.func @variadic_ports(%x: tensor<*xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  // CHECK: onnx.Concat(%{{.*}}, %{{.*}}, %{{.*}}) {axis = -1} : (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %0 = onnx.Concat(%x, %x, %x) {axis = -1} : (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  // CHECK: %{{.*}}:2 = onnx.Split(%{{.*}}) {num_outputs = 2} : (tensor<*xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  %1:2 = onnx.Split(%0) {num_outputs = 2} : (tensor<*xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %1#0, %1#1 : tensor<*xf32>, tensor<*xf32>
}

// CHECK-LABEL: @regions
func.func @regions(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<*xf32>) -> tensor<*xf32> {
  // CHECK: onnx.If(%{{.*}}) : (tensor<i1>) -> tensor<*xf32> else_branch {
  // CHECK-NEXT: onnx.Yield
  // CHECK-NEXT: } then_branch {
  // CHECK-NEXT: onnx.Relu
  %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %x : tensor<*xf32>
  } then_branch {
    %z = onnx.Relu(%x) : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %z : tensor<*xf32>
  }
  // CHECK: onnx.Loop(%{{.*}}, _, %{{.*}}, %{{.*}}) : (tensor<i64>, tensor<*xf32>, tensor<*xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  // CHECK-NEXT: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %{{.*}}: tensor<*xf32>, %{{.*}}: tensor<*xf32>):
  %l:2 = onnx.Loop(%n, _, %x, %y) : (tensor<i64>, tensor<*xf32>, tensor<*xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %a: tensor<*xf32>, %b: tensor<*xf32>):
    onnx.Yield %go, %b, %a : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }
  return %l#0 : tensor<*xf32>
}

// CHECK-LABEL: @types_that_are_no_numbers
func.func @types_that_are_no_numbers(%x: tensor<?x!onnx.string>) -> !onnx.sequence<tensor<*x!onnx.string>> {
  // CHECK: onnx.Constant() {value = dense<["a", "b\22c"]> : tensor<2x!onnx.string>} : () -> tensor<2x!onnx.string>
  %0 = onnx.Constant() {value = dense<["a", "b\"c"]> : tensor<2x!onnx.string>} : () -> tensor<2x!onnx.string>
  // CHECK: onnx.SequenceConstruct({{.*}}) : (tensor<?x!onnx.string>, tensor<2x!onnx.string>) -> !onnx.sequence<tensor<*x!onnx.string>>
  %1 = onnx.SequenceConstruct(%x, %0) : (tensor<?x!onnx.string>, tensor<2x!onnx.string>) -> !onnx.sequence<tensor<*x!onnx.string>>
  // CHECK: onnx.ml.LabelEncoder({{.*}}) {keys_strings = ["a"], values_int64s = [7]} : (tensor<?x!onnx.string>) -> tensor<?xi64>
  %2 = onnx.ml.LabelEncoder(%x) {keys_strings = ["a"], values_int64s = [7]} : (tensor<?x!onnx.string>) -> tensor<?xi64>
  return %1 : !onnx.sequence<tensor<*x!onnx.string>>
}
