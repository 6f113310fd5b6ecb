// RUN: mlc-opt %s -mlc-infer-shapes -mlc-convert-onnx-to-linalg | FileCheck %s

// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 * 2 + d6)>
// CHECK: #[[FILTER:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>
// CHECK-LABEL: @convolution
// CHECK: %[[PADDED:.*]] = tensor.pad {{.*}} low[0, 0, 1, 1] high[0, 0, 1, 1]
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[IN]], #[[FILTER]], #[[OUT]]]{{.*}} ins(%[[PADDED]],
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}} ins(%[[SUM]], %{{.*}} : tensor<1x4x4x4xf32>, tensor<4xf32>)
func.func @convolution(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>) -> tensor<*xf32> {
  %0 = onnx.Conv(%x, %w, %b) {strides = [2, 2], pads = [1, 1, 1, 1]} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// One filter for each channel: no loop over input channels.
// CHECK-LABEL: @depthwise
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]{{.*}}, tensor<4x3x3xf32>)
func.func @depthwise(%x: tensor<1x4x8x8xf32>, %w: tensor<4x1x3x3xf32>) -> tensor<*xf32> {
  %0 = onnx.Conv(%x, %w) {group = 4} : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @grouped
// CHECK: tensor.expand_shape {{.*}} : tensor<1x4x8xf32> into tensor<1x2x2x8xf32>
// CHECK: tensor.expand_shape {{.*}} : tensor<6x2x3xf32> into tensor<2x3x2x3xf32>
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x2x3x6xf32> into tensor<1x6x6xf32>
func.func @grouped(%x: tensor<1x4x8xf32>, %w: tensor<6x2x3xf32>) -> tensor<*xf32> {
  %0 = onnx.Conv(%x, %w) {group = 2} : (tensor<1x4x8xf32>, tensor<6x2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// CHECK-LABEL: @same_padding_of_any_extent
// CHECK-SAME: -> tensor<1x4x?xf32>
func.func @same_padding_of_any_extent(%x: tensor<1x3x?xf32>, %w: tensor<4x3x3xf32>) -> tensor<*xf32> {
  %0 = onnx.Conv(%x, %w) {auto_pad = "SAME_UPPER", strides = [2]} : (tensor<1x3x?xf32>, tensor<4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// Too short an operand is found when the model runs.
// CHECK-LABEL: @window_that_may_not_fit
// CHECK: mlc.check %{{.*}}, " (Conv) expects an operand that holds the window
func.func @window_that_may_not_fit(%x: tensor<1x3x?xf32>, %w: tensor<4x3x3xf32>) -> tensor<*xf32> {
  %0 = onnx.Conv(%x, %w) : (tensor<1x3x?xf32>, tensor<4x3x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// The window is as large as its stride: a matrix product, whose blocks are laid side by side.
// CHECK-LABEL: @transposed_in_blocks
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK: linalg.transpose {{.*}} permutation = [0, 1, 2, 4, 3, 5]
// CHECK: return %{{.*}} : tensor<1x2x8x8xf32>
func.func @transposed_in_blocks(%x: tensor<1x3x4x4xf32>, %w: tensor<3x2x2x2xf32>) -> tensor<*xf32> {
  %0 = onnx.ConvTranspose(%x, %w) {strides = [2, 2]} : (tensor<1x3x4x4xf32>, tensor<3x2x2x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// Otherwise the operand is spread and its edges are padded, less what `pads` cuts off.
// CHECK-LABEL: @transposed_by_spreading
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0] [1, 3, 4] [1, 1, 2] : tensor<1x3x4xf32> into tensor<1x3x7xf32>
// CHECK: tensor.pad {{.*}} low[0, 0, 1] high[0, 0, 2]
// CHECK: return %{{.*}} : tensor<1x2x8xf32>
func.func @transposed_by_spreading(%x: tensor<1x3x4xf32>, %w: tensor<3x2x3xf32>) -> tensor<*xf32> {
  %0 = onnx.ConvTranspose(%x, %w) {strides = [2], pads = [1, 1], output_padding = [1]} : (tensor<1x3x4xf32>, tensor<3x2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
