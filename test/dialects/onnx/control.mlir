// Operators with graphs inside: what is inferred of their results, and what they become.
// RUN: mlc-opt %s --mlc-infer-shapes | FileCheck %s --check-prefix=TYPE
// RUN: mlc-opt %s --mlc-infer-shapes --mlc-convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// TYPE-LABEL: @branches
// TYPE: onnx.If(%{{.*}}) : (tensor<i1>) -> tensor<?x4xf32>
// CHECK-LABEL: @branches
// CHECK: scf.if %{{.*}} -> (tensor<?x4xf32>)
func.func @branches(%c: tensor<i1>, %a: tensor<2x4xf32>, %b: tensor<3x4xf32>) -> tensor<*xf32> {
  %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    %0 = onnx.Relu(%a) : (tensor<2x4xf32>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  } then_branch {
    %0 = onnx.Relu(%b) : (tensor<3x4xf32>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  }
  return %y : tensor<*xf32>
}

// A branch that is never taken need not make sense.
// TYPE-LABEL: @known_condition
// TYPE: onnx.If(%{{.*}}) : (tensor<i1>) -> tensor<2x4xf32>
// CHECK-LABEL: @known_condition
// CHECK-NOT: scf.if
// CHECK: return %{{.*}} : tensor<2x4xf32>
func.func @known_condition(%x: tensor<2x4xf32>) -> tensor<*xf32> {
  %c = onnx.Constant() {value = dense<false> : tensor<i1>} : () -> tensor<i1>
  %axes = onnx.Constant() {value_ints = [0]} : () -> tensor<1xi64>
  %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    %0 = onnx.Relu(%x) : (tensor<2x4xf32>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  } then_branch {
    %0 = onnx.Squeeze(%x, %axes) : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  }
  return %y : tensor<*xf32>
}

// TYPE-LABEL: @counted
// TYPE: onnx.Loop{{.*}} -> (tensor<?x4xf32>, tensor<3x?x4xf32>)
// CHECK-LABEL: @counted
// CHECK: scf.for {{.*}} -> (tensor<?x4xf32>, tensor<3x?x4xf32>)
func.func @counted(%x: tensor<?x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %n = onnx.Constant() {value_int = 3} : () -> tensor<i64>
  %y:2 = onnx.Loop(%n, _, %x) : (tensor<i64>, tensor<?x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %0 = onnx.Add(%s, %x) : (tensor<*xf32>, tensor<?x4xf32>) -> tensor<*xf32>
    onnx.Yield %c, %0, %s : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// What holds of the first iteration only is not assumed of the others.
// TYPE-LABEL: @changing_extents
// TYPE: onnx.Loop{{.*}} -> tensor<?x?xf32>
// CHECK-LABEL: @changing_extents
// CHECK: scf.while {{.*}}tensor<?x?xf32>
func.func @changing_extents(%n: tensor<i64>, %x: tensor<2x3xf32>) -> tensor<*xf32> {
  %y = onnx.Loop(%n, _, %x) : (tensor<i64>, tensor<2x3xf32>) -> tensor<*xf32> {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %0 = onnx.Transpose(%s) {perm = [1, 0]} : (tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %c, %0 : tensor<i1>, tensor<*xf32>
  }
  return %y : tensor<*xf32>
}

// A condition of the body: the number of iterations is open, and the output gets more room whenever it is full.
// TYPE-LABEL: @open
// TYPE: onnx.Loop{{.*}} -> (tensor<4xf32>, tensor<?x4xf32>)
// CHECK-LABEL: @open
// CHECK: scf.while
// CHECK: scf.condition
// CHECK: scf.if %{{.*}} -> (tensor<?x4xf32>)
// CHECK: tensor.insert_slice
func.func @open(%go: tensor<i1>, %x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:2 = onnx.Loop(_, %go, %x) : (tensor<i1>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    %axes = onnx.Constant() {value_ints = [0]} : () -> tensor<1xi64>
    %limit = onnx.Constant() {value_float = 9.0 : f32} : () -> tensor<f32>
    %0 = onnx.Add(%s, %s) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    %1 = onnx.ReduceMax(%0, %axes) {keepdims = 0} : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
    %2 = onnx.Less(%1, %limit) : (tensor<*xf32>, tensor<f32>) -> tensor<*xi1>
    onnx.Yield %2, %0, %0 : tensor<*xi1>, tensor<*xf32>, tensor<*xf32>
  }
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// TYPE-LABEL: @scan
// TYPE: onnx.Scan{{.*}} -> (tensor<4xf32>, tensor<4x?xf32>)
// CHECK-LABEL: @scan
// CHECK: scf.for
// CHECK: linalg.transpose
func.func @scan(%s: tensor<4xf32>, %x: tensor<?x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:2 = onnx.Scan(%s, %x) {num_scan_inputs = 1, scan_output_axes = [1]} : (tensor<4xf32>, tensor<?x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  ^bb0(%a: tensor<*xf32>, %e: tensor<*xf32>):
    %0 = onnx.Add(%a, %e) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %0, %0 : tensor<*xf32>, tensor<*xf32>
  }
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// -----

// Which branch fits was found before; the run checks that it is the one.
// CHECK-LABEL: @settled
// CHECK: %[[TAKEN:.*]] = arith.cmpi ne
// CHECK: mlc.check %[[TAKEN]], " (If) takes the branch whose results are not of the rank that the operators behind it need"
// CHECK-NOT: scf.if
func.func @settled(%c: tensor<i1>, %x: tensor<2x3x1xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant() {value_ints = [-1]} : () -> tensor<1xi64>
  %y = onnx.If(%c) {onnx.taken = true} : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %x : tensor<2x3x1xf32>
  } then_branch {
    %0 = onnx.Squeeze(%x, %axis) : (tensor<2x3x1xf32>, tensor<1xi64>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  }
  return %y : tensor<*xf32>
}
