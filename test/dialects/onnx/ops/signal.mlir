// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes | FileCheck %s

// CHECK-LABEL: @half_of_a_spectrum
// CHECK: -> tensor<2x5x3x2xf32>
func.func @half_of_a_spectrum(%x: tensor<2x8x3x1xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant() {value_int = 1} : () -> tensor<i64>
  %y = onnx.DFT(%x, _, %axis) {onesided = 1} : (tensor<2x8x3x1xf32>, tensor<i64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// CHECK-LABEL: @signal_of_half_a_spectrum
// CHECK: -> tensor<2x8x1xf64>
func.func @signal_of_half_a_spectrum(%x: tensor<2x5x2xf64>) -> tensor<*xf64> {
  %y = onnx.DFT(%x, _, _) {inverse = 1, onesided = 1} : (tensor<2x5x2xf64>) -> tensor<*xf64>
  return %y : tensor<*xf64>
}

// -----

func.func @along_its_components(%x: tensor<2x8x2xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant() {value_int = -1} : () -> tensor<i64>
  // expected-error @+1 {{expects an axis of the signal, in [-3, -1) or [0, 2), got -1}}
  %y = onnx.DFT(%x, _, %axis) : (tensor<2x8x2xf32>, tensor<i64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @three_components(%x: tensor<2x8x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects a last axis of 1 or 2 components, got 'tensor<2x8x3xf32>'}}
  %y = onnx.DFT(%x, _, _) : (tensor<2x8x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// CHECK-LABEL: @frames
// CHECK: -> tensor<1x7x5x2xf32>
func.func @frames(%x: tensor<1x20x1xf32>, %w: tensor<8xf32>) -> tensor<*xf32> {
  %step = onnx.Constant() {value_int = 2} : () -> tensor<i64>
  %y = onnx.STFT(%x, %step, %w, _) : (tensor<1x20x1xf32>, tensor<i64>, tensor<8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @signal_shorter_than_a_frame(%x: tensor<1x7x1xf32>, %w: tensor<8xf32>) -> tensor<*xf32> {
  %step = onnx.Constant() {value_int = 2} : () -> tensor<i64>
  // expected-error @+1 {{expects a signal that holds at least one frame, got 'tensor<1x7x1xf32>'}}
  %y = onnx.STFT(%x, %step, %w, _) : (tensor<1x7x1xf32>, tensor<i64>, tensor<8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
