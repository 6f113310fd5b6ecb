// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes -mlc-convert-onnx-to-linalg

func.func @extents_that_do_not_broadcast(%a: tensor<2x3xf32>, %b: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects operands that broadcast, got 'tensor<2x3xf32>', 'tensor<4xf32>'}}
  %0 = onnx.Add(%a, %b) : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @slope_larger_than_operand(%a: tensor<2x1xf32>, %slope: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a slope that broadcasts to X, got 'tensor<2x1xf32>', 'tensor<2x3xf32>'}}
  %0 = onnx.PRelu(%a, %slope) : (tensor<2x1xf32>, tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @bound_of_many_elements(%a: tensor<4xf32>, %min: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects min with one element, got 'tensor<4xf32>'}}
  %0 = onnx.Clip(%a, %min) : (tensor<4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
