"""Writes small models with what an FPGA's layers differ in: windows, strides, borders, groups, ranks, kinds of numbers.

    make_models.py DIR
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def bytes_of(*shape):
    return rng.integers(-100, 100, shape, dtype=np.int8)


def save(folder, name, nodes, shape, constants):
    """A model of one float input and one float output."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model)
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    onnx.save(model, os.path.join(folder, name, "model.onnx"))


def quantized(node, weights, bias=None):
    """QLinearConv or QLinearMatMul between a quantization and a dequantization."""
    scale = np.float32(0.013)
    weight_scales = (0.002 + 0.01 * rng.random(weights.shape[0 if node.op_type == "QLinearConv" else -1])).astype(np.float32)
    constants = {
        "scale": scale,
        "zero": np.uint8(87),
        "w": weights,
        "w_scale": weight_scales,
        "w_zero": np.zeros(weight_scales.shape, np.int8),
        "y_scale": np.float32(0.11),
        "y_zero": np.uint8(120),
    }
    if bias is not None:
        constants["b"] = bias
    return [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        node,
        helper.make_node("DequantizeLinear", ["r", "y_scale", "y_zero"], ["y"]),
    ], constants


operands = ["q", "scale", "zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"]

convolutions = {
    "plain": ((1, 3, 9, 11), (8, 3, 3, 3), {}),
    "same": ((2, 4, 8, 8), (6, 4, 3, 3), {"pads": [1, 1, 1, 1]}),
    "stride": ((1, 4, 11, 13), (8, 4, 3, 3), {"strides": [2, 3], "pads": [1, 0, 0, 2]}),
    "point": ((1, 12, 7, 5), (10, 12, 1, 1), {}),
    "point-stride": ((1, 6, 8, 8), (4, 6, 1, 1), {"strides": [2, 2]}),
    "dilated": ((1, 4, 12, 12), (4, 4, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}),
    "depthwise": ((1, 12, 9, 9), (12, 1, 3, 3), {"group": 12, "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    "groups": ((1, 8, 6, 6), (12, 4, 3, 3), {"group": 2}),
    "line": ((2, 3, 40), (5, 3, 7), {"strides": [2], "pads": [3, 3]}),
    "wide": ((1, 2, 30, 5), (4, 2, 7, 3), {}),
    "large-stride": ((1, 3, 17, 17), (4, 3, 2, 2), {"strides": [5, 4]}),
}


def main(folder):
    for name, (shape, weights, attributes) in convolutions.items():
        bias = rng.integers(-3000, 3000, weights[0], dtype=np.int32)
        node = helper.make_node("QLinearConv", operands + ["b"], ["r"], **attributes)
        save(folder, "qconv-" + name, *swap(quantized(node, bytes_of(*weights), bias), shape))
        nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["y"])]
        save(folder, "conv-" + name, nodes, shape, {"w": floats(*weights), "b": floats(weights[0])})
    for rows, depth, columns in ((1, 40, 10), (6, 20, 12), (16, 7, 3)):
        name = f"{rows}x{depth}x{columns}"
        node = helper.make_node("QLinearMatMul", operands, ["r"])
        save(folder, "qmatmul-" + name, *swap(quantized(node, bytes_of(depth, columns)), (rows, depth)))
        save(folder, "matmul-" + name, [helper.make_node("MatMul", ["x", "w"], ["y"])], (rows, depth), {"w": floats(depth, columns)})
    save(folder, "matmul-batch", [helper.make_node("MatMul", ["x", "w"], ["y"])], (3, 5, 8), {"w": floats(3, 8, 6)})
    pools = {
        "max": helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        "max-apart": helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[3, 2]),
    }
    for name, node in pools.items():
        save(folder, "pool-" + name, [node], (2, 6, 9, 10), {})
    save(folder, "add", [helper.make_node("Add", ["x", "b"], ["y"])], (3, 4, 5), {"b": floats(4, 1)})
    save(folder, "transpose", [helper.make_node("Transpose", ["x"], ["y"], perm=[2, 0, 1])], (3, 4, 5), {})
    save(folder, "concat", [helper.make_node("Concat", ["x", "b", "x"], ["y"], axis=1)], (3, 4, 5), {"b": floats(3, 2, 5)})
    save(folder, "slice", [helper.make_node("Slice", ["x", "b", "e", "a", "s"], ["y"])], (9, 8),
         {"b": np.int64([1, 0]), "e": np.int64([8, 8]), "a": np.int64([0, 1]), "s": np.int64([2, 3])})
    save(folder, "sum", [helper.make_node("ReduceSum", ["x", "a"], ["y"])], (6, 5, 4), {"a": np.int64([1])})
    nodes = [helper.make_node("ArgMax", ["x"], ["i"], axis=1), helper.make_node("Cast", ["i"], ["y"], to=TensorProto.FLOAT)]
    save(folder, "largest", nodes, (6, 5, 4), {})
    # As quantizers write it: dequantized, computed, quantized.
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["v"], axis=0),
        helper.make_node("Conv", ["d", "v"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("QuantizeLinear", ["r", "y_scale", "y_zero"], ["p"]),
        helper.make_node("DequantizeLinear", ["p", "y_scale", "y_zero"], ["y"]),
    ]
    constants = {"scale": np.float32(0.01), "zero": np.int8(-30), "w": bytes_of(8, 4, 3, 3),
                 "w_scale": (0.01 * rng.random(8) + 0.001).astype(np.float32), "w_zero": np.zeros(8, np.int8),
                 "y_scale": np.float32(0.1), "y_zero": np.int8(-128)}
    save(folder, "qdq", nodes, (1, 4, 8, 8), constants)


def swap(parts, shape):
    nodes, constants = parts
    return nodes, shape, constants


main(sys.argv[1])
