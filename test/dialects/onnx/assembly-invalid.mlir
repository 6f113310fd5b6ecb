// RUN: mlc-opt %s -split-input-file -verify-diagnostics

func.func @no_optional_operand(%x: tensor<*xf32>) {
  // expected-error @+1 {{'onnx.Add' has no optional operand or result that `_` could stand for here}}
  %0 = onnx.Add(_, %x) : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @attribute_twice(%x: tensor<*xf32>) {
  // expected-error @+1 {{attribute 'axis' is given twice}}
  %0 = onnx.Softmax(%x) {axis = 1, axis = 2} : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @one_type(%x: tensor<*xf32>, %y: tensor<*xi64>) {
  // expected-error @+1 {{operands and results of type variable T to have one element type}}
  %0 = onnx.Add(%x, %y) : (tensor<*xf32>, tensor<*xi64>) -> tensor<*xf32>
  return
}
