// RUN: mlc-opt %s -split-input-file -verify-diagnostics --mlc-lower
func.func @model(%x: tensor<2x3xf32>) -> !onnx.sequence<!onnx.map<i64, f32>> {
  // expected-error @+1 {{expects a score for each of its 2 labels, got 3}}
  %0 = onnx.ml.ZipMap(%x) {classlabels_int64s = array<i64: 1, 2>} : (tensor<2x3xf32>) -> !onnx.sequence<!onnx.map<i64, f32>>
  return %0 : !onnx.sequence<!onnx.map<i64, f32>>
}

// -----

func.func @model(%x: tensor<2x3xf32>) -> !onnx.sequence<!onnx.map<i64, f32>> {
  // expected-error @+1 {{expects classlabels_int64s or classlabels_strings}}
  %0 = onnx.ml.ZipMap(%x) : (tensor<2x3xf32>) -> !onnx.sequence<!onnx.map<i64, f32>>
  return %0 : !onnx.sequence<!onnx.map<i64, f32>>
}

// -----

func.func @model(%m: !onnx.map<i64, f32>) -> tensor<1x1xf32> {
  // expected-error @+1 {{expects a vocabulary of the type of the keys, 'i64', got '!onnx.string'}}
  %0 = onnx.ml.DictVectorizer(%m) {string_vocabulary = ["a"]} : (!onnx.map<i64, f32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// -----

func.func @model(%m: !onnx.map<i64, f32>) -> tensor<1x?xf32> {
  // expected-error @+1 {{expects map_form DENSE or SPARSE, got 'LOOSE'}}
  %0 = onnx.ml.CastMap(%m) {map_form = "LOOSE"} : (!onnx.map<i64, f32>) -> tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}
