"""Writes a model of 100 products of different sizes, so much code that it is compiled in parts: many_kernels.py FILE."""
import sys

import numpy
import onnx
from onnx import helper, numpy_helper

widths = [8 + i for i in range(101)]
weights = [numpy_helper.from_array(numpy.full((a, b), 1 / a, numpy.float32), f"w{i}") for i, (a, b) in enumerate(zip(widths, widths[1:]))]
nodes = []
for i in range(100):
    nodes += [helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"p{i}"]), helper.make_node("Tanh", [f"p{i}"], [f"x{i + 1}"])]
value = lambda name, width: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", width])
graph = helper.make_graph(nodes, "many_kernels", [value("x0", widths[0])], [value("x100", widths[-1])], weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), sys.argv[1])
