func.func @model(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["N", ""], onnx.type = tensor<?x4xf32>}, %y: tensor<4xf32> {onnx.name = "y", onnx.dims = [""], onnx.type = tensor<4xf32>}) -> (tensor<?x4xf32> {onnx.name = "z", onnx.dims = ["N", ""], onnx.type = tensor<?x4xf32>}) {
  %z = onnx.Add(%x, %y) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}
