// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes

func.func @channels(%x: tensor<1x4x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects X with 1 times as many channels as W has, got 'tensor<1x4x8x8xf32>' and 'tensor<4x3x3x3xf32>'}}
  %0 = onnx.Conv(%x, %w) : (tensor<1x4x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @strides(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects strides of at least 1, got 0}}
  %0 = onnx.Conv(%x, %w) {strides = [0, 1]} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @number_of_pads(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects 4 pads, got 2}}
  %0 = onnx.Conv(%x, %w) {pads = [1, 1]} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @filter_beyond_operand(%x: tensor<1x3x2x8xf32>, %w: tensor<4x3x5x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{has a result with the negative extent -2 on axis 2}}
  %0 = onnx.Conv(%x, %w) : (tensor<1x3x2x8xf32>, tensor<4x3x5x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @bias(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects B of one element for each output channel, got 'tensor<3xf32>'}}
  %0 = onnx.Conv(%x, %w, %b) : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
