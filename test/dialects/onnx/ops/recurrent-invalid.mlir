// RUN: mlc-opt %s --mlc-infer-shapes -split-input-file -verify-diagnostics

// The attribute repeats an extent of R, and must not contradict it.
func.func @model(%x: tensor<2x1x4xf32>, %w: tensor<1x32x4xf32>, %r: tensor<1x32x8xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects R with the hidden_size, 9, on axis 2, got 8}}
  %y, %h, %c = onnx.LSTM(%x, %w, %r, _, _, _, _, _) {hidden_size = 9} : (tensor<2x1x4xf32>, tensor<1x32x4xf32>, tensor<1x32x8xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y : tensor<*xf32>
}
