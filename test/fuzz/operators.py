#!/usr/bin/env python3
"""Run single operators on random inputs, valid and invalid, in mlc and in ONNX Runtime.

    build/venv/bin/python test/fuzz/operators.py --seed 1 --count 500

Each case is a model of one node, whose extents are fixed or unknown, and inputs that may contradict it: indices and
axes out of range, negative counts, extents that do not fit. mlc must give what ONNX Runtime or the reference evaluator of
onnx gives, or end with an error that names the node; it must not crash, hang, or speak of what it makes of the node.
Prints the cases where it does not, and exits with 1 if there are any. What has been found is kept in
test/dialects/onnx/ops/fuzzed.onnxtxt.
"""
import numpy as np
from one_node import Case, main

REDUCTIONS = ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL2", "ReduceLogSumExp"]


# Cases: operator, inputs, attributes


def gather(c):
    shape = c.shape(1)
    axis = c.axis(len(shape))
    extent, off = shape[axis], c.rarely()
    indices = c.integers(-extent - off, max(0, extent - 1 + off), c.shape(0, 2))
    return "Gather", [c.floats(shape), indices], {"axis": axis}


def gather_nd(c):
    shape = c.shape(1)
    most = max([*shape, 1])
    indices = c.integers(-most, most - 1, c.shape(0, 2) + [c.number(1, len(shape))])
    return "GatherND", [c.floats(shape), indices], {}


def along_axis(c, name, updates):
    shape = c.shape(1)
    axis = c.axis(len(shape))
    places = [max(0, extent - c.number(0, 1)) for extent in shape]
    extent = shape[axis]
    indices = c.integers(-extent, max(0, extent - 1 + c.rarely()), places)
    return name, [c.floats(shape), indices] + ([c.floats(places)] if updates else []), {"axis": axis}


def gather_elements(c):
    return along_axis(c, "GatherElements", updates=False)


def scatter_elements(c):
    name, inputs, attributes = along_axis(c, "ScatterElements", updates=True)
    return name, inputs, attributes | {"reduction": c.one_of(["add", "max", "min", "mul"])}


def scatter_nd(c):
    shape = c.shape(1)
    length, outer, most = c.number(1, len(shape)), c.shape(0, 1), max([*shape, 1])
    indices = c.integers(-most, most - 1, outer + [length])
    return "ScatterND", [c.floats(shape), indices, c.floats(outer + shape[length:])], {"reduction": "add"}


def slice_(c):
    shape = c.shape(1)
    count = c.number(1, len(shape))
    axes = c.rng.permutation(len(shape))[:count].astype(np.int64) + c.rarely()
    bounds = [c.integers(-6, 6, [count]) for _ in range(2)]
    return "Slice", [c.floats(shape), *bounds, axes, c.integers(-3, 3, [count])], {}


def reshape(c):
    return "Reshape", [c.floats(c.shape()), c.integers(-1, 4, [c.number(0, 3)])], {"allowzero": c.number(0, 1)}


def expand(c):
    return "Expand", [c.floats(c.shape()), c.integers(-c.rarely(), 4, [c.number(0, 3)])], {}


def tile(c):
    shape = c.shape(1)
    return "Tile", [c.floats(shape), c.integers(-c.rarely(), 3, [len(shape) + c.rarely()])], {}


def pad(c):
    shape = c.shape(1)
    mode = c.one_of(["constant", "reflect", "edge", "wrap"])
    return "Pad", [c.floats(shape), c.integers(-2, 3, [2 * len(shape)]), np.float32(1.5)], {"mode": mode}


def top_k(c):
    shape = c.shape(1)
    attributes = {"axis": c.axis(len(shape)), "largest": c.number(0, 1)}
    return "TopK", [c.floats(shape), c.integers(-1, 5, [1])], attributes


def one_hot(c):
    inputs = [c.integers(-6, 6, c.shape(0, 2)), np.int64(c.number(-1, 5)), np.array([0, 1], np.float32)]
    return "OneHot", inputs, {"axis": c.number(-1, 0)}


def range_(c):
    return "Range", [np.int64(c.number(-3, 6)), np.int64(c.number(-3, 6)), np.int64(c.number(-2, 2))], {}


def cumulated(c):
    shape = c.shape(1)
    axis = np.int64(c.axis(len(shape)) + c.rarely())
    return "CumSum", [c.floats(shape), axis], {"exclusive": c.number(0, 1), "reverse": c.number(0, 1)}


def reduction(c):
    shape = c.shape()
    rank = len(shape)
    axes = c.integers(-rank - c.rarely(), max(0, rank - 1), [c.number(0, rank)])
    attributes = {"keepdims": c.number(0, 1), "noop_with_empty_axes": c.number(0, 1)}
    return c.one_of(REDUCTIONS), [c.floats(shape), axes], attributes


def split(c):
    shape = c.shape(1)
    axis = c.axis(len(shape))
    first = c.number(-c.rarely(), shape[axis])
    return "Split", [c.floats(shape), np.array([first, shape[axis] - first + c.rarely()], np.int64)], {"axis": axis}


def unsqueeze(c):
    shape, count = c.shape(0, 2), c.number(0, 2)
    rank = len(shape) + count
    return "Unsqueeze", [c.floats(shape), c.integers(-rank - c.rarely(), max(0, rank - 1), [count])], {}


def squeeze(c):
    shape = [c.number(1, 2) for _ in range(c.number(1, 3))]
    return "Squeeze", [c.floats(shape), c.integers(-len(shape) - c.rarely(), len(shape) - 1, [c.number(0, 2)])], {}


def division(c):
    name, divisor = c.one_of(["Div", "Mod"]), c.number(-2, 2)
    if name == "Mod":
        divisor = divisor or 1  # by zero mlc gives what is divided, numpy 0, and ONNX Runtime ends
    return name, [c.integers(-5, 5, c.shape(0, 2), np.int32), np.int32(divisor)], {}


def extreme(c):
    shape = c.shape(1)
    attributes = {"axis": c.axis(len(shape)), "keepdims": c.number(0, 1), "select_last_index": c.number(0, 1)}
    return c.one_of(["ArgMax", "ArgMin"]), [c.floats(shape)], attributes


def constant_of_shape(c):
    return "ConstantOfShape", [c.integers(-c.rarely(), 4, [c.number(0, 3)])], {}


def product(c):
    depth = c.number(0, 3)
    return "MatMul", [c.floats(c.shape(0, 1) + [c.number(0, 3), depth]), c.floats([depth + c.rarely(), c.number(0, 3)])], {}


def broadcast(c):
    return "Add", [c.floats(c.shape()), c.floats(c.shape())], {}


def where(c):
    return "Where", [c.bools(c.shape(0, 2)), c.floats(c.shape(0, 2)), c.floats(c.shape(0, 2))], {}


def triangle(c):
    shape = c.shape(0, 1) + [c.number(0, 3), c.number(0, 3)]
    return "Trilu", [c.floats(shape), np.int64(c.number(-9, 9))], {"upper": c.number(0, 1)}


def resize(c):
    shape = [1, 1, c.number(1, 4), c.number(1, 4)]
    sizes = np.array([1, 1, c.number(-c.rarely(), 6), c.number(1, 6)], np.int64)
    return "Resize", [c.floats(shape), None, None, sizes], {"mode": c.one_of(["nearest", "linear", "cubic"])}


def reverse_sequence(c):
    shape = [c.number(0, 4), c.number(0, 3), 2]
    return "ReverseSequence", [c.floats(shape), c.integers(-c.rarely(), shape[0] + c.rarely(), [shape[1]])], {}


def pool(c):
    attributes = {name: [c.number(low, 3) for _ in range(2)] for name, low in [("kernel_shape", 1), ("strides", 1)]}
    # No window lies in the padding only: ONNX Runtime refuses those, and the evaluator makes the largest of nothing 0.
    pads = [c.number(0, min(1, kernel - 1)) for kernel in attributes["kernel_shape"]]
    attributes |= {"pads": pads + [c.number(0, pad) for pad in pads], "ceil_mode": c.number(0, 1)}
    return c.one_of(["MaxPool", "AveragePool"]), [c.floats([1, 1, c.number(1, 5), c.number(1, 5)])], attributes


def convolution(c):
    inputs = [c.floats([c.number(0, 2), 2, c.number(1, 5)]), c.floats([c.number(0, 2), 2, c.number(1, 3)])]
    return "Conv", inputs, {"pads": [c.number(0, 2)] * 2, "strides": [c.number(1, 2)], "dilations": [c.number(1, 2)]}


def softmax(c):
    shape = c.shape(1)
    return "Softmax", [c.floats(shape)], {"axis": c.axis(len(shape))}


def concat(c):
    shape = c.shape(1)
    axis, other = c.axis(len(shape)), list(shape)
    other[axis] = c.number(0, 3)
    other[c.axis(len(shape))] += c.rarely()
    return "Concat", [c.floats(shape), c.floats(other)], {"axis": axis}


def compress(c):
    shape = c.shape(1)
    return "Compress", [c.floats(shape), c.bools([c.number(0, 6)])], {"axis": c.axis(len(shape))}


def dequantize(c):
    shape = c.shape(1)
    axis = c.axis(len(shape))
    scale = c.floats([shape[axis] + c.rarely()]) if c.number(0, 1) else np.float32(0.5)
    return "DequantizeLinear", [c.integers(-9, 9, shape, np.int8), scale], {"axis": axis}


def non_zero(c):
    return "NonZero", [c.integers(0, 1, c.shape(1), np.int32)], {}


def unique(c):
    shape = c.shape(1, 2)
    return "Unique", [c.integers(0, 2, shape)], {"axis": c.axis(len(shape))} if c.number(0, 1) else {}


def einsum(c):
    depth = c.number(0, 3)
    inputs = [c.floats([c.number(0, 3), depth]), c.floats([depth + c.rarely(), c.number(0, 3)])]
    return "Einsum", inputs, {"equation": "ij,jk->ik"}


def depth_to_space(c):
    block = c.number(1, 2)
    shape = [c.number(0, 2), block * block * c.number(1, 2) + c.rarely(), c.number(0, 2), c.number(0, 2)]
    return "DepthToSpace", [c.floats(shape)], {"blocksize": block}


def center(c):
    return "CenterCropPad", [c.floats(c.shape(2, 2)), c.integers(-c.rarely(), 5, [2])], {}


CASES = [
    gather, gather_nd, gather_elements, scatter_elements, scatter_nd, slice_, reshape, expand, tile, pad, top_k, one_hot,
    range_, cumulated, reduction, split, unsqueeze, squeeze, division, extreme, constant_of_shape, product, broadcast,
    where, triangle, resize, reverse_sequence, pool, convolution, softmax, concat, compress, dequantize, non_zero, unique,
    einsum, depth_to_space, center
]
OUTPUTS = {"TopK": 2, "Split": 2, "Unique": 4}
# Inputs that set something keep their extents: the rank of a result is known in every model that is compiled.
DATA = {"Gather", "GatherND", "GatherElements", "ScatterElements", "ScatterND", "Unique", "OneHot", "NonZero"}


class OperatorCase(Case):
    def __init__(self, chance):
        operator, inputs, attributes = chance.one_of(CASES)(chance)
        arrays = [None if value is None else np.asarray(value) for value in inputs]
        settings = [] if operator in DATA else [k for k, value in enumerate(arrays) if sets(value)]
        is_dynamic = chance.number(0, 2) > 0
        super().__init__(operator, inputs, attributes, OUTPUTS.get(operator, 1), is_dynamic=is_dynamic, settings=settings)


def sets(value):
    return value is not None and value.dtype == np.int64 and value.ndim == 1


if __name__ == "__main__":
    main(__doc__, OperatorCase)
