#!/usr/bin/env python3
"""Write cases of sums of products of 8-bit integers into a folder, in the form of make_cases.py.

    python make_products.py build/test/products

The official suite has few of these, small ones, with weights that are inputs. Machines have instructions that multiply
groups of two or four terms, with factors of one sign or the other, so what these cases vary is what decides about the
form of the code: the signs of both factors, zero points that are missing, constant, inputs, one for each row or column,
depths that are no multiple of a group, single rows and columns, groups of channels, and windows. The expected values are
numpy's, in 64 bits.
"""
import argparse
import itertools
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"u": np.uint8, "s": np.int8}


def draw(rng, sign, shape):
    limits = np.iinfo(TYPES[sign])
    return rng.integers(limits.min, limits.max, shape, endpoint=True, dtype=TYPES[sign])


def write(folder, op, feeds, constants, attributes, expected):
    """A model of one node: its operands are `feeds` and `constants`, by the names in the order of `operands`."""
    operands = ["x", "w", "x_zero", "w_zero"]
    values = {**feeds, **constants}
    while operands[-1] not in values:
        operands.pop()
    node = helper.make_node(op, [name if name in values else "" for name in operands], ["y"], **attributes)
    info = lambda name, value: helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
    graph = helper.make_graph(
        [node], folder.name, [info(name, feeds[name]) for name in operands if name in feeds],
        [helper.make_tensor_value_info("y", TensorProto.INT32, expected.shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, folder / "model.onnx")
    for i, name in enumerate(name for name in operands if name in feeds):
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(feeds[name], name).SerializeToString())
    (data / "output_0.pb").write_bytes(numpy_helper.from_array(expected, "y").SerializeToString())
    case = {"name": folder.name, "kind": folder.parent.name, "operator": op, "rtol": 0.0, "atol": 0.0,
            "outputs": [{"name": "y", "rtol": 0.0, "atol": 0.0}], "compare": "values"}
    (folder / "case.json").write_text(json.dumps(case))


def wrapped(sums):
    return sums.astype(np.int64).astype(np.uint32, casting="unsafe").view(np.int32).reshape(sums.shape)


def zero_points(rng, sign, kind, count):
    """`kind` is none, one (a constant), input, each (a constant for each of `count`)."""
    if kind == "none":
        return {}, {}, np.int64(0)
    value = draw(rng, sign, (count,) if kind == "each" else ())
    return ({"zero": value} if kind == "input" else {}), ({} if kind == "input" else {"zero": value}), value.astype(np.int64)


def matrix_products(out, rng):
    shapes = [((1, 3), (3, 1)), ((7, 4), (4, 16)), ((20, 64), (64, 70)), ((5, 130), (130, 33)), ((1, 256), (256, 100)),
              ((2, 3, 9), (9, 5)), ((2, 6, 12), (2, 12, 20)), ((9,), (9, 40)), ((6, 10), (10,))]
    kinds = list(itertools.product("us", "us", ("none", "one", "input", "each"), ("none", "one", "each")))
    for i, (left, right, left_zero, right_zero) in enumerate(kinds):
        for fixed in ("w", "x", "") if i % 4 == 0 else ("w", ""):
            a_shape, b_shape = shapes[(i + len(fixed)) % len(shapes)]
            if left_zero == "each" and len(a_shape) != 2 or right_zero == "each" and len(b_shape) != 2:
                a_shape, b_shape = shapes[i % 5]
            a, b = draw(rng, left, a_shape), draw(rng, right, b_shape)
            a_feed, a_constant, a_zero = zero_points(rng, left, left_zero, a_shape[0])
            b_feed, b_constant, b_zero = zero_points(rng, right, right_zero, b_shape[-1])
            rows = a_zero[:, None] if left_zero == "each" else a_zero
            expected = wrapped((a.astype(np.int64) - rows) @ (b.astype(np.int64) - b_zero))
            feeds = {**({"x": a} if fixed != "x" else {}), **({"w": b} if fixed != "w" else {}),
                     **{f"x_{k}": v for k, v in a_feed.items()}, **{f"w_{k}": v for k, v in b_feed.items()}}
            constants = {**({"x": a} if fixed == "x" else {}), **({"w": b} if fixed == "w" else {}),
                         **{f"x_{k}": v for k, v in a_constant.items()}, **{f"w_{k}": v for k, v in b_constant.items()}}
            name = f"matmul_{left}{right}_{left_zero}_{right_zero}_{fixed or 'neither'}_fixed"
            write(out / name, "MatMulInteger", feeds, constants, {}, expected)


def convolve(x, w, strides, dilations, pads, groups):
    """Of N x C x H x W, in 64 bits."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    reach = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilations)]
    places = [(extent - r) // s + 1 for extent, r, s in zip(x.shape[2:], reach, strides)]
    channels, filters = w.shape[1], w.shape[0] // groups
    y = np.zeros((x.shape[0], w.shape[0], *places), np.int64)
    for g, i, j in itertools.product(range(groups), range(w.shape[2]), range(w.shape[3])):
        top, side = i * dilations[0], j * dilations[1]
        window = x[:, g * channels:(g + 1) * channels, top:top + (places[0] - 1) * strides[0] + 1:strides[0],
                   side:side + (places[1] - 1) * strides[1] + 1:strides[1]]
        part = w[g * filters:(g + 1) * filters, :, i, j]
        y[:, g * filters:(g + 1) * filters] += np.einsum("nchw,fc->nfhw", window, part)
    return y


def convolutions(out, rng):
    # channels, filters, groups, window, strides, dilations, pads
    forms = [(3, 16, 1, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1)), (16, 20, 1, (1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
             (8, 8, 8, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)), (12, 6, 2, (3, 2), (1, 2), (2, 1), (0, 1, 2, 0)),
             (1, 5, 1, (5, 5), (1, 1), (1, 1), (2, 2, 2, 2)), (6, 33, 1, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
             (20, 40, 20, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1))]
    for (left, right, left_zero, right_zero), (number, form) in itertools.product(
            itertools.product("us", "us", ("none", "one", "input"), ("none", "one", "each")), enumerate(forms)):
        if (number + sum(map(ord, left + right + left_zero + right_zero))) % 3:
            continue
        channels, filters, groups, window, strides, dilations, pads = form
        x, w = draw(rng, left, (2, channels, 11, 9)), draw(rng, right, (filters, channels // groups, *window))
        x_feed, x_constant, x_zero = zero_points(rng, left, left_zero, 1)
        w_feed, w_constant, w_zero = zero_points(rng, right, right_zero, filters)
        centered = w.astype(np.int64) - (w_zero[:, None, None, None] if right_zero == "each" else w_zero)
        expected = wrapped(convolve(x.astype(np.int64) - x_zero, centered, strides, dilations, pads, groups))
        feeds = {"x": x, **{f"x_{k}": v for k, v in x_feed.items()}}
        constants = {"w": w, **{f"x_{k}": v for k, v in x_constant.items()}, **{f"w_{k}": v for k, v in w_constant.items()}}
        attributes = dict(group=groups, strides=strides, dilations=dilations, pads=pads)
        write(out / f"conv{number}_{left}{right}_{left_zero}_{right_zero}", "ConvInteger", feeds, constants, attributes,
              expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out / "products"
    matrix_products(out, np.random.default_rng(1))
    convolutions(out, np.random.default_rng(2))
    print(len(list(out.iterdir())), "cases")


if __name__ == "__main__":
    main()
