// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes

func.func @unknown_format(%x: tensor<9xui8>) -> tensor<*xui8> {
  // expected-error @+1 {{expects pixel_format RGB, BGR or Grayscale, got RGBA}}
  %y = onnx.ImageDecoder(%x) {pixel_format = "RGBA"} : (tensor<9xui8>) -> tensor<*xui8>
  return %y : tensor<*xui8>
}

// -----

func.func @files_in_a_table(%x: tensor<2x9xui8>) -> tensor<*xui8> {
  // expected-error @+1 {{expects the bytes of a file, of rank 1, got 'tensor<2x9xui8>'}}
  %y = onnx.ImageDecoder(%x) : (tensor<2x9xui8>) -> tensor<*xui8>
  return %y : tensor<*xui8>
}
