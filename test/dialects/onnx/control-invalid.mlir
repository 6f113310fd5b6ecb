// RUN: mlc-opt %s --mlc-infer-shapes --split-input-file --verify-diagnostics

func.func @number_of_values(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects 1 values from each branch, got 2}}
  %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch {
    onnx.Yield %x, %x : tensor<2xf32>, tensor<2xf32>
  } then_branch {
    onnx.Yield %x : tensor<2xf32>
  }
  return %y : tensor<*xf32>
}

// -----

func.func @contradiction_in_the_body(%n: tensor<i64>, %x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<*xf32> {
  %z = onnx.Loop(%n, _, %x) : (tensor<i64>, tensor<2xf32>) -> tensor<*xf32> {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<*xf32>):
    // expected-error @+1 {{expects}}
    %0 = onnx.Add(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<*xf32>
    onnx.Yield %c, %0 : tensor<i1>, tensor<*xf32>
  }
  return %z : tensor<*xf32>
}

// -----

func.func @lengths(%x: tensor<5xf32>, %y: tensor<6xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects scan inputs of one length, got 5 and 6}}
  %z = onnx.Scan(%x, %y) {num_scan_inputs = 2} : (tensor<5xf32>, tensor<6xf32>) -> tensor<*xf32> {
  ^bb0(%a: tensor<*xf32>, %b: tensor<*xf32>):
    %0 = onnx.Add(%a, %b) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %0 : tensor<*xf32>
  }
  return %z : tensor<*xf32>
}
