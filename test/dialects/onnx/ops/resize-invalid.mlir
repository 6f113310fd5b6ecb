// RUN: mlc-opt %s --mlc-infer-shapes --split-input-file --verify-diagnostics

func.func @model(%x: tensor<1x4xf32>) -> tensor<*xf32> {
  %s = onnx.Constant() {value = dense<[1.0, -2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  // expected-error @+1 {{expects positive scales, got -2}}
  %y = onnx.Resize(%x, _, %s) : (tensor<1x4xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @model(%x: tensor<1x?xf32>) -> tensor<*xf32> {
  %s = onnx.Constant() {value = dense<[1.0, 0x7F800000]> : tensor<2xf32>} : () -> tensor<2xf32>
  // expected-error @+1 {{expects positive scales, got}}
  %y = onnx.Resize(%x, _, %s) : (tensor<1x?xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @model(%x: tensor<1x4xf32>) -> tensor<*xf32> {
  %s = onnx.Constant() {value = dense<[1.0, 1.0e+30]> : tensor<2xf32>} : () -> tensor<2xf32>
  // expected-error @+1 {{expects scales whose results 64 bits can hold, got 1.000000e+30 for an extent of 4}}
  %y = onnx.Resize(%x, _, %s) : (tensor<1x4xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The largest that is one.
func.func @model(%x: tensor<1x4xf32>) -> tensor<*xf32> {
  %s = onnx.Constant() {value = dense<[1.0, 1.0e+15]> : tensor<2xf32>} : () -> tensor<2xf32>
  %y = onnx.Resize(%x, _, %s) : (tensor<1x4xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
