// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-infer-shapes

func.func @five_coordinates(%x: tensor<1x1x8x8xf32>, %rois: tensor<3x5xf32>, %b: tensor<3xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{expects rois of 4 coordinates each, got 'tensor<3x5xf32>'}}
  %y = onnx.RoiAlign(%x, %rois, %b) : (tensor<1x1x8x8xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @unknown_mode(%x: tensor<1x1x8x8xf32>, %rois: tensor<3x4xf32>, %b: tensor<3xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{expects mode avg or max, got 'sum'}}
  %y = onnx.RoiAlign(%x, %rois, %b) {mode = "sum"} : (tensor<1x1x8x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @no_batch(%x: tensor<1x1x8x8xf32>, %rois: tensor<3x4xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{expects rois of a batch and 4 coordinates each, got 'tensor<3x4xf32>'}}
  %y = onnx.MaxRoiPool(%x, %rois) {pooled_shape = [2, 2]} : (tensor<1x1x8x8xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scores_of_other_boxes(%boxes: tensor<1x6x4xf32>, %scores: tensor<1x2x5xf32>) -> tensor<*xi64> {
  // expected-error @+1 {{expects scores of as many batches and boxes as boxes has, got 'tensor<1x2x5xf32>' for 'tensor<1x6x4xf32>'}}
  %y = onnx.NonMaxSuppression(%boxes, %scores, _, _, _) : (tensor<1x6x4xf32>, tensor<1x2x5xf32>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}
