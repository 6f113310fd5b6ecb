// RUN: mlc-opt %s -split-input-file -verify-diagnostics --mlc-simplify --mlc-lower

func.func @model(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  // expected-error @+1 {{expects kernel_type LINEAR, POLY, RBF or SIGMOID, got 'CUBIC'}}
  %y = onnx.ml.SVMRegressor(%x) {kernel_type = "CUBIC", post_transform = "NONE", n_supports = 1, one_class = 0, coefficients = [1.0], rho = [0.0], support_vectors = [1.0, 2.0]} : (tensor<2x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

func.func @model(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  // expected-error @+1 {{expects coefficients of 2 vectors, got 1}}
  %y = onnx.ml.SVMRegressor(%x) {kernel_type = "LINEAR", post_transform = "NONE", n_supports = 2, one_class = 0, coefficients = [1.0], rho = [0.0], support_vectors = [1.0, 2.0, 3.0, 4.0]} : (tensor<2x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}
