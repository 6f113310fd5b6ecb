#!/usr/bin/env python3
"""Write cases of quantized models, as quantizers write them, into a folder, in the form of make_cases.py.

    python make_quantized.py build/test/quantized

Each is a small graph of floats between DequantizeLinear and QuantizeLinear ("QDQ"): products with all kinds of scales,
biases and activations, operators that move elements, and others. The expected values are computed in 64-bit floats, of
which every correct evaluation gives the same integers: inputs are drawn again until no value that is to be rounded lies
so close to halfway between two integers that 32-bit floats could take the other one. ONNX Runtime runs every model too,
and must agree to one step.
"""
import argparse
import itertools
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from make_products import convolve

TYPES = {"u8": TensorProto.UINT8, "s8": TensorProto.INT8, "u16": TensorProto.UINT16, "s16": TensorProto.INT16,
         "s4": TensorProto.INT4, "u4": TensorProto.UINT4, "s32": TensorProto.INT32}
DRAWS = 200


class NearTie(Exception):
    """A value is too close to halfway between two integers."""


def limits(kind):
    bits = int(kind[1:])
    return (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


class Case:
    """A graph that grows, and the values in it; quantized tensors are arrays of int64 with their kind."""

    def __init__(self, rng):
        self.rng = rng
        self.nodes, self.initializers, self.feeds, self.outputs = [], [], {}, {}
        self.count = 0
        self.inputs = []

    def name(self, word):
        self.count += 1
        return f"{word}{self.count}"

    def initializer(self, value, kind="float", word="c"):
        name = self.name(word)
        if kind == "float":
            self.initializers.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        elif kind == "i64":
            self.initializers.append(numpy_helper.from_array(np.asarray(value, np.int64), name))
        else:
            value = np.asarray(value)
            self.initializers.append(helper.make_tensor(name, TYPES[kind], value.shape, value.flatten().tolist()))
        return name

    def node(self, op, operands, results=1, **attributes):
        names = [self.name(op.lower()) for _ in range(results)]
        self.nodes.append(helper.make_node(op, operands, names, **attributes))
        return names[0] if results == 1 else names

    def draw(self, kind, shape, reach=None):
        low, high = limits(kind)
        if reach is not None:
            low, high = max(low, -reach), min(high, reach)
        return self.rng.integers(low, high, shape, endpoint=True, dtype=np.int64)

    def input(self, kind, shape, scale, zero):
        """An input of floats that is quantized: name of the dequantized tensor, and its values."""
        name = self.name("x")
        low, high = limits(kind)
        q = self.draw(kind, shape)
        value = ((q - zero) * np.float64(np.float32(scale))).astype(np.float32)
        # Not quite multiples of the scale, so that the first quantization rounds.
        value += self.rng.uniform(-0.3, 0.3, shape).astype(np.float32) * np.float32(scale)
        self.inputs.append((name, shape))
        self.feeds[name] = value
        return self.quantize(name, value.astype(np.float64), kind, scale, zero)

    def quantize(self, name, value, kind, scale, zero):
        """A tensor of floats through QuantizeLinear and DequantizeLinear."""
        q = self.rounded(value, kind, scale, zero)
        s, z = self.initializer(np.float32(scale)), self.initializer(zero, kind)
        stored = self.node("QuantizeLinear", [name, s, z])
        return self.node("DequantizeLinear", [stored, s, z]), (q - zero) * np.float64(np.float32(scale))

    def rounded(self, value, kind, scale, zero):
        low, high = limits(kind)
        real = value / np.float64(np.float32(scale))
        inside = (real + zero > low - 1) & (real + zero < high + 1)
        distance = np.abs(np.abs(real - np.floor(real)) - 0.5)
        # 32-bit floats are wrong by some millionths of a value, and by as much of what it is a difference of.
        if np.any(inside & (distance < 1e-6 * (100 + np.abs(real)))):
            raise NearTie()
        return np.clip(np.rint(real) + zero, low, high).astype(np.int64)

    def weights(self, kind, shape, axis, scales, zero=False):
        """A constant through DequantizeLinear, with one scale (axis None) or one for each index of the axis."""
        q = self.draw(kind, shape)
        if zero:
            zeros = self.draw(kind, () if axis is None else (shape[axis],))
        else:
            zeros = np.zeros(() if axis is None else (shape[axis],), np.int64)
        s = np.asarray(scales, np.float32)
        if axis is not None:
            s = s * self.rng.uniform(0.5, 1.5, shape[axis]).astype(np.float32)
        along = lambda v: v if axis is None else v.reshape([-1 if i == axis else 1 for i in range(len(shape))])
        attributes = {} if axis is None else {"axis": axis}
        name = self.node("DequantizeLinear", [self.initializer(q, kind, "w"), self.initializer(s), self.initializer(zeros, kind)],
                         **attributes)
        return name, (q - along(zeros)) * along(s.astype(np.float64)), s

    def bias(self, form, count, unit):
        """A bias of `count` channels: none, floats, or i32 in the given unit."""
        if form == "none":
            return "", np.zeros(count)
        if form == "float":
            value = self.rng.normal(0, 20 * np.max(unit), count).astype(np.float32)
            return self.initializer(value), value.astype(np.float64)
        unit = np.broadcast_to(np.asarray(unit, np.float32), (count,))
        q = self.rng.integers(-2000, 2000, count)
        name = self.node("DequantizeLinear", [self.initializer(q, "s32", "b"), self.initializer(unit)], axis=0)
        return name, q * unit.astype(np.float64)

    def activation(self, form, name, value, scale):
        if form == "relu":
            return self.node("Relu", [name]), np.maximum(value, 0)
        if form == "clip":
            high = np.float32(100.3 * scale)
            name = self.node("Clip", [name, self.initializer(0.0), self.initializer(high)])
            return name, np.clip(value, 0, np.float64(high))
        return name, value

    def finish(self, name, value, kind=None, scale=None, zero=0):
        """An output: quantized, or of floats."""
        if kind is None:
            out = self.node("Identity", [name])
            self.outputs[out] = value.astype(np.float32)
            return
        q = self.rounded(value, kind, scale, zero)
        out = self.node("QuantizeLinear", [name, self.initializer(np.float32(scale)), self.initializer(zero, kind)])
        self.outputs[out] = q.astype(helper.tensor_dtype_to_np_dtype(TYPES[kind]))

    def model(self, title):
        info = lambda name, value: helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        graph = helper.make_graph(self.nodes, title,
                                  [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs],
                                  [info(n, v) for n, v in self.outputs.items()], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)],
                                  ir_version=10)
        if all(node.domain == "" for node in self.nodes):
            onnx.checker.check_model(model, full_check=True)
        return model


def run_onnxruntime(model, feeds, level):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def check_with_onnxruntime(title, case, model):
    """With its optimizations, which make integer operators, where the outputs are integers. They make wrong graphs of
    some models, and quantize activations that are floats."""
    levels = onnxruntime.GraphOptimizationLevel
    try:
        isFloat = any(value.dtype.kind == "f" for value in case.outputs.values())
        results = run_onnxruntime(model, case.feeds, levels.ORT_DISABLE_ALL if isFloat else levels.ORT_ENABLE_ALL)
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        results = run_onnxruntime(model, case.feeds, levels.ORT_DISABLE_ALL)
    for (name, want), got in zip(case.outputs.items(), results):
        if want.dtype.kind == "f":
            assert np.allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max()), f"{title}: {name}"
        else:
            assert np.abs(got.astype(np.int64) - want.astype(np.int64)).max() <= 1, f"{title}: {name}"


def write(out, title, seed, build):
    for draw in range(DRAWS):
        case = Case(np.random.default_rng([seed, draw]))
        try:
            build(case)
            break
        except NearTie:
            continue
    else:
        raise SystemExit(f"{title}: found no inputs in {DRAWS} draws")
    model = case.model(title)
    check_with_onnxruntime(title, case, model)
    folder = out / title
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    for i, (name, _) in enumerate(case.inputs):
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(case.feeds[name], name).SerializeToString())
    outputs = []
    for i, (name, value) in enumerate(case.outputs.items()):
        (data / f"output_{i}.pb").write_bytes(numpy_helper.from_array(value, name).SerializeToString())
        isFloat = value.dtype.kind == "f"
        outputs.append({"name": name, "rtol": 1e-5 if isFloat else 0.0,
                        "atol": 1e-5 * float(np.abs(value).max()) if isFloat else 0.0})
    description = {"name": title, "kind": out.name, "operator": "", "rtol": 0.0, "atol": 0.0, "outputs": outputs,
                   "compare": "values"}
    (folder / "case.json").write_text(json.dumps(description))


# Products


ZERO = {"u8": 117, "s8": -9, "u16": 30000, "s16": -1000}
SCALE = {"u8": 0.02, "s8": 0.02, "u16": 0.00008, "s16": 0.00008}


def output_scale(value, kind):
    low, high = limits(kind)
    return float(np.abs(value).max()) * 1.7 / (high - low)


def end_product(c, name, value, activation, kind):
    if kind is None:
        name, value = c.activation(activation, name, value, float(np.abs(value).max()) / 300)
        return c.finish(name, value)
    scale = output_scale(value, kind)
    name, value = c.activation(activation, name, value, scale)
    c.finish(name, value, kind, scale, ZERO[kind])


def convolution(c, left, right, per_channel, zero, bias, activation, result, form):
    channels, filters, groups, window, strides, dilations, pads = form
    x, value = c.input(left, (2, channels, 9, 8), SCALE[left], ZERO[left])
    w, filter_value, s = c.weights(right, (filters, channels // groups, *window), 0 if per_channel else None, 0.01, zero)
    b, bias_value = c.bias(bias, filters, np.float32(SCALE[left]) * s)
    operands = [x, w] + ([b] if b else [])
    y = c.node("Conv", operands, group=groups, strides=strides, dilations=dilations, pads=pads)
    real = convolution_of_floats(value, filter_value, strides, dilations, pads, groups)
    end_product(c, y, real + bias_value[:, None, None], activation, result)


def convolution_of_floats(x, w, strides, dilations, pads, groups):
    """convolve() is for integers: floats here are multiples of scales, which it would cut off."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    reach = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilations)]
    places = [(extent - r) // s + 1 for extent, r, s in zip(x.shape[2:], reach, strides)]
    channels, filters = w.shape[1], w.shape[0] // groups
    y = np.zeros((x.shape[0], w.shape[0], *places))
    for g, i, j in itertools.product(range(groups), range(w.shape[2]), range(w.shape[3])):
        top, side = i * dilations[0], j * dilations[1]
        window = x[:, g * channels:(g + 1) * channels, top:top + (places[0] - 1) * strides[0] + 1:strides[0],
                   side:side + (places[1] - 1) * strides[1] + 1:strides[1]]
        y[:, g * filters:(g + 1) * filters] += np.einsum("nchw,fc->nfhw", window, w[g * filters:(g + 1) * filters, :, i, j])
    return y


FORMS = [(3, 16, 1, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1)), (16, 20, 1, (1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
         (8, 8, 8, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)), (12, 6, 2, (3, 2), (1, 2), (2, 1), (0, 1, 2, 0)),
         (20, 40, 20, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1))]


def convolutions(out):
    variants = itertools.product(("u8", "s8"), ("s8", "u8", "s4"), (False, True), ("none", "s32", "float"),
                                 ("none", "relu", "clip"), ("u8", "s8", None))
    for i, (left, right, per_channel, bias, activation, result) in enumerate(variants):
        if i % 7:
            continue
        zero = i % 3 == 0
        form = FORMS[i // 7 % len(FORMS)]
        title = f"conv_{left}_{right}_{'channel' if per_channel else 'tensor'}_{bias}_{activation}_{result or 'float'}"
        write(out, title, i, lambda c: convolution(c, left, right, per_channel, zero, bias, activation, result, form))
    for left in ("u16", "s16"):
        write(out, f"conv_{left}", 5, lambda c: convolution(c, left, "s8", True, False, "float", "relu", left, FORMS[0]))


def matrix_product(c, left, right, per_column, zero, bias, activation, result, transposed, shape):
    m, k, n = shape
    batch = (3, m) if m < 4 else (m,)
    x, value = c.input(left, (*batch, k), SCALE[left], ZERO[left])
    if transposed:  # weights as a layer stores them
        w, weights, s = c.weights(right, (n, k), 0 if per_column else None, 0.01, zero)
        w, weights = c.node("Transpose", [w], perm=[1, 0]), weights.T
    else:
        w, weights, s = c.weights(right, (k, n), 1 if per_column else None, 0.01, zero)
    y, real = c.node("MatMul", [x, w]), value @ weights
    if bias != "none":
        b, bias_value = c.bias(bias, n, np.float32(SCALE[left]) * s)
        y, real = c.node("Add", [y, b]), real + bias_value
    end_product(c, y, real, activation, result)


def product_of_two(c, left, right, result, transposed, shape):
    """Of activations both, as in an attention; the right one may be transposed first, as keys are."""
    *batch, m, k, n = shape
    x, value = c.input(left, (*batch, m, k), SCALE[left], ZERO[left])
    w, other = c.input(right, (*batch, n, k) if transposed else (*batch, k, n), 0.013, 7)
    if transposed:
        axes = [*range(len(batch)), len(batch) + 1, len(batch)]
        w, other = c.node("Transpose", [w], perm=axes), other.transpose(axes)
    end_product(c, c.node("MatMul", [x, w]), value @ other, "none", result)


def gemm(c, left, right, per_column, zero, bias, activation, result, transposed, shape):
    m, k, n = shape
    x, value = c.input(left, (m, k), SCALE[left], ZERO[left])
    shape, axis = ((n, k), 0) if transposed else ((k, n), 1)
    w, weights, s = c.weights(right, shape, axis if per_column else None, 0.01, zero)
    b, bias_value = c.bias(bias, n, np.float32(SCALE[left]) * s)
    y = c.node("Gemm", [x, w] + ([b] if b else []), transB=int(transposed))
    end_product(c, y, value @ (weights.T if transposed else weights) + bias_value, activation, result)


def scaled_gemm(c, bias, result, factors):
    """Gemm that multiplies its sums and its bias."""
    alpha, beta = np.float32(factors)
    x, value = c.input("u8", (9, 40), SCALE["u8"], ZERO["u8"])
    w, weights, s = c.weights("s8", (40, 21), 1, 0.01)
    b, bias_value = c.bias(bias, 21, np.float32(SCALE["u8"]) * s * (alpha / beta))
    y = c.node("Gemm", [x, w, b], alpha=float(alpha), beta=float(beta))
    end_product(c, y, np.float64(alpha) * (value @ weights) + np.float64(beta) * bias_value, "none", result)


def transposed_convolution(c, left, right, per_channel, zero, bias, result, form):
    channels, filters, groups, window, strides, pads, padding = form
    x, value = c.input(left, (2, channels, 5, 6), SCALE[left], ZERO[left])
    w, weights, s = c.weights(right, (channels, filters // groups, *window), 1 if per_channel else None, 0.01, zero)
    b, bias_value = c.bias(bias, filters, np.float32(SCALE[left]) * s)
    y = c.node("ConvTranspose", [x, w] + ([b] if b else []), group=groups, strides=strides, pads=pads, output_padding=padding)
    whole = np.zeros((2, filters, 4 * strides[0] + window[0] + padding[0], 5 * strides[1] + window[1] + padding[1]))
    depth, width = channels // groups, filters // groups
    for g, i, j in itertools.product(range(groups), range(window[0]), range(window[1])):
        part = np.einsum("nchw,cf->nfhw", value[:, g * depth:(g + 1) * depth], weights[g * depth:(g + 1) * depth, :, i, j])
        whole[:, g * width:(g + 1) * width, i:i + 4 * strides[0] + 1:strides[0], j:j + 5 * strides[1] + 1:strides[1]] += part
    real = whole[:, :, pads[0]:whole.shape[2] - pads[2], pads[1]:whole.shape[3] - pads[3]] + bias_value[:, None, None]
    end_product(c, y, real, "none", result)


# Channels, filters, groups, window, strides, pads, output_padding. The last two stay floats.
TRANSPOSED = [(6, 8, 1, (2, 2), (2, 2), (0, 0, 0, 0), (0, 0)), (6, 8, 1, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
              (8, 4, 2, (4, 3), (2, 2), (1, 0, 1, 1), (0, 0)), (5, 7, 1, (3, 3), (1, 1), (1, 1, 1, 1), (0, 0)),
              (5, 7, 1, (2, 5), (3, 3), (0, 1, 0, 1), (1, 0)), (5, 7, 1, (2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
              (5, 7, 1, (3, 3), (2, 1), (0, 1, 0, 1), (0, 0))]


def more_products(out):
    for i, (bias, result, factors) in enumerate(itertools.product(("s32", "float"), ("u8", None), ((0.5, 1.0), (1.0, 2.5), (1.5, 0.7)))):
        title = f"gemm_{bias}_{result or 'float'}_times_{factors[0]}_{factors[1]}"
        write(out, title, i, lambda c: scaled_gemm(c, bias, result, factors))
    shapes = [(3, 17, 40, 35), (2, 2, 20, 64, 66), (1, 30, 9), (50, 33, 70)]
    for i, (left, right, result, transposed) in enumerate(
            itertools.product(("u8", "s8", "u16"), ("u8", "s8"), ("u8", None), (False, True))):
        title = f"product_of_two_{left}_{right}_{result or 'float'}_{'nk' if transposed else 'kn'}"
        write(out, title, i, lambda c: product_of_two(c, left, right, result, transposed, shapes[i % 4]))
    for i, form in enumerate(TRANSPOSED):
        for left, right, result in (("u8", "s8", "u8"), ("s8", "u8", None), ("s16", "s8", "u8")):
            bias = ("s32", "float", "none")[i % 3]
            per_channel, zero = i % 2 == 0 and form[2] == 1, right == "u8" and i % 2 == 1
            write(out, f"transposed_{i}_{left}_{right}_{result or 'float'}", i,
                  lambda c: transposed_convolution(c, left, right, per_channel, zero, bias, result, form))
    for i, (left, transposed) in enumerate(itertools.product(("u16", "s16"), (False, True))):
        build = gemm if transposed else matrix_product
        write(out, f"{build.__name__}_{left}_s8_column_s32_relu_u8", i,
              lambda c: build(c, left, "s8", True, False, "s32", "relu", "u8", transposed, (7, 60, 33)))


def matrix_products(out):
    shapes = [(7, 12, 16), (2, 30, 33), (20, 64, 70), (5, 130, 9), (1, 48, 100)]
    variants = itertools.product(("u8", "s8"), ("s8", "u8", "u4"), (False, True), ("none", "s32", "float"),
                                 ("none", "relu"), ("u8", "s8", None), (False, True))
    for i, (left, right, per_column, bias, activation, result, transposed) in enumerate(variants):
        if i % 11:
            continue
        zero, shape = i % 4 == 0, shapes[i // 11 % len(shapes)]
        build = gemm if i // 11 % 2 else matrix_product
        title = f"{build.__name__}_{left}_{right}_{'column' if per_column else 'tensor'}_{bias}_{activation}_{result or 'float'}_{'nk' if transposed else 'kn'}"
        write(out, title, i, lambda c: build(c, left, right, per_column, zero, bias, activation, result, transposed, shape))


# Operators that move elements, or choose some


def moved(c, kind, build, same=True):
    """Movement between a product and a product, with quantizations around it."""
    x, value = c.input(kind, (2, 4, 6, 6), SCALE[kind], ZERO[kind])
    y, value = build(c, x, value)
    if same:
        c.finish(y, value, kind, SCALE[kind], ZERO[kind])
    else:
        other = {"u8": "s8", "s8": "u8", "u16": "s16", "s16": "u16"}[kind]
        c.finish(y, value, other, SCALE[kind] * 1.7, ZERO[other])


def windows(value, size, stride, pad):
    value = np.pad(value, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    view = np.lib.stride_tricks.sliding_window_view(value, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    return view


MOVEMENTS = {
    "reshape": lambda c, x, v: (c.node("Reshape", [x, c.initializer([2, -1], "i64")]), v.reshape(2, -1)),
    "flatten": lambda c, x, v: (c.node("Flatten", [x], axis=2), v.reshape(8, -1)),
    "transpose": lambda c, x, v: (c.node("Transpose", [x], perm=[0, 2, 3, 1]), v.transpose(0, 2, 3, 1)),
    "slice": lambda c, x, v: (c.node("Slice", [x, *(c.initializer([n], "i64") for n in (1, 6, 2, 2))]), v[:, :, 1:6:2]),
    "gather": lambda c, x, v: (c.node("Gather", [x, c.initializer([3, 0, -1], "i64")], axis=1), v[:, [3, 0, -1]]),
    "expand": lambda c, x, v: (c.node("Expand", [x, c.initializer([3, 1, 1, 1, 1], "i64")]), np.broadcast_to(v, (3, *v.shape))),
    "tile": lambda c, x, v: (c.node("Tile", [x, c.initializer([1, 2, 1, 1], "i64")]), np.tile(v, (1, 2, 1, 1))),
    "pad": lambda c, x, v: (c.node("Pad", [x, c.initializer([0, 0, 1, 2, 0, 0, 3, 0], "i64")]),
                            np.pad(v, ((0, 0), (0, 0), (1, 3), (2, 0)))),
    "pad_reflect": lambda c, x, v: (c.node("Pad", [x, c.initializer([0, 0, 1, 2, 0, 0, 3, 0], "i64")], mode="reflect"),
                                    np.pad(v, ((0, 0), (0, 0), (1, 3), (2, 0)), mode="reflect")),
    "depth_to_space": lambda c, x, v: (c.node("DepthToSpace", [x], blocksize=2),
                                       v.reshape(2, 2, 2, 1, 6, 6).transpose(0, 3, 4, 1, 5, 2).reshape(2, 1, 12, 12)),
    "resize": lambda c, x, v: (c.node("Resize", [x, "", c.initializer([1, 1, 2, 2])], mode="nearest", nearest_mode="floor",
                                      coordinate_transformation_mode="asymmetric"), v.repeat(2, axis=2).repeat(2, axis=3)),
    "max_pool": lambda c, x, v: (c.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
                                 windows(v, 3, 2, 1).max(axis=(4, 5))),
    "reduce_max": lambda c, x, v: (c.node("ReduceMax", [x, c.initializer([1], "i64")], keepdims=0), v.max(axis=1)),
    "concat": lambda c, x, v: (c.node("Concat", [x, x], axis=2), np.concatenate([v, v], axis=2)),
    "relu": lambda c, x, v: (c.node("Relu", [x]), np.maximum(v, 0)),
    "clip": lambda c, x, v: (c.node("Clip", [x, c.initializer(-0.3131), c.initializer(0.4171)]),
                             np.clip(v, np.float64(np.float32(-0.3131)), np.float64(np.float32(0.4171)))),
    "squeeze": lambda c, x, v: (c.node("Squeeze", [c.node("Unsqueeze", [x, c.initializer([0], "i64")]), c.initializer([0], "i64")]), v),
    "split": lambda c, x, v: (c.node("Split", [x, c.initializer([3, 1], "i64")], 2, axis=1)[0], v[:, :3]),
    "where": lambda c, x, v: (c.node("Where", [c.node("Greater", [x, c.initializer(0.0)]), x, c.initializer(0.0)]), np.maximum(v, 0)),
}


def movements(out):
    for i, ((word, build), kind) in enumerate(itertools.product(MOVEMENTS.items(), ("u8", "s8", "u16", "s16"))):
        if "16" in kind and word in ("max_pool", "resize", "reduce_max"):
            continue  # ONNX Runtime has no such kernels
        write(out, f"{word}_{kind}", i, lambda c: moved(c, kind, build))
        if kind == "u8":
            write(out, f"{word}_{kind}_rescaled", i, lambda c: moved(c, kind, build, same=False))


# Activations and poolings behind a product, two branches, and the rest


def between(c, build, kind="u8"):
    """A convolution, then `build`, then a quantization: no quantization of the convolution's own result."""
    x, value = c.input(kind, (1, 4, 7, 7), SCALE[kind], ZERO[kind])
    w, weights, s = c.weights("s8", (8, 4, 3, 3), 0, 0.01)
    b, bias = c.bias("s32", 8, np.float32(SCALE[kind]) * s)
    y = c.node("Conv", [x, w, b], pads=[1, 1, 1, 1])
    real = convolution_of_floats(value, weights, (1, 1), (1, 1), (1, 1, 1, 1), 1) + bias[:, None, None]
    y, real = build(c, y, real)
    c.finish(y, real, kind, output_scale(real, kind), ZERO[kind])


def two_branches(c, op, kinds):
    left, right, result = kinds
    x, a = c.input(left, (2, 5, 6), 0.02, ZERO[left])
    y, b = c.input(right, (5, 1), 0.035, ZERO[right])
    real = {"Add": np.add, "Mul": np.multiply, "Sub": np.subtract, "Max": np.maximum}[op](a, b)
    c.finish(c.node(op, [x, y]), real, result, output_scale(real, result), ZERO[result])


def parts(c, same):
    x, a = c.input("u8", (2, 3, 4), 0.02, 100)
    y, b = c.input("u8", (2, 5, 4), 0.02 if same else 0.03, 100)
    real = np.concatenate([a, b], axis=1)
    c.finish(c.node("Concat", [x, y], axis=1), real, "u8", 0.02 if same else 0.041, 100)


def pooled(c, op, kind, axes=None):
    x, value = c.input(kind, (2, 5, 6, 7), SCALE[kind], ZERO[kind])
    if op == "AveragePool":
        y = c.node(op, [x], kernel_shape=[2, 3], strides=[2, 1])
        real = np.lib.stride_tricks.sliding_window_view(value, (2, 3), axis=(2, 3))[:, :, ::2].mean(axis=(4, 5))
    elif op == "GlobalAveragePool":
        y, real = c.node(op, [x]), value.mean(axis=(2, 3), keepdims=True)
    else:
        y, real = c.node(op, [x, c.initializer(axes, "i64")], keepdims=0), value.mean(axis=tuple(axes))
    c.finish(y, real, kind, SCALE[kind] * 0.37, ZERO[kind])


def function(c, op, kind):
    x, value = c.input(kind, (3, 17), 0.03, ZERO[kind])
    if op == "Softmax":
        e = np.exp(value - value.max(axis=-1, keepdims=True))
        real = e / e.sum(axis=-1, keepdims=True)
        return c.finish(c.node(op, [x], axis=-1), real, kind, 1 / 255, 0 if kind[0] == "u" else -128)
    real = {"Sigmoid": lambda v: 1 / (1 + np.exp(-v)), "Tanh": np.tanh, "HardSwish": lambda v: v * np.clip(v / 6 + 0.5, 0, 1),
            "LeakyRelu": lambda v: np.where(v < 0, np.float64(np.float32(0.01)) * v, v)}[op](value)
    c.finish(c.node(op, [x]), real, kind, output_scale(real, kind), ZERO[kind])


def embedding(c, blocked):
    """Rows of a quantized table."""
    x, value = c.input("u8", (4, 3), 0.02, 100)
    if blocked:
        q, s = c.draw("s4", (50, 64)), c.rng.uniform(0.01, 0.02, (50, 4)).astype(np.float32)
        table = c.node("DequantizeLinear", [c.initializer(q, "s4", "w"), c.initializer(s)], axis=1, block_size=16)
        real = q * np.repeat(s.astype(np.float64), 16, axis=1)
    else:
        table, real, _ = c.weights("s8", (50, 64), None, 0.01)
    rows = c.node("Cast", [c.node("Abs", [x])], to=TensorProto.INT64)
    c.finish(c.node("Gather", [table, rows]), real[np.abs(value.astype(np.float32)).astype(np.int64)])


def weights_only(c, kind, block, rows, depth, columns, zero=False, transposed=False):
    """A product of floats by constants that are dequantized, of blocks along the depth or of columns."""
    name, value = c.name("x"), c.rng.normal(0, 1, (rows, depth)).astype(np.float32)
    c.inputs.append((name, value.shape))
    c.feeds[name] = value
    shape, along = ((columns, depth), 1) if transposed else ((depth, columns), 0)
    if block:
        q = c.draw(kind, shape)
        blocks = tuple(n // block if axis == along else n for axis, n in enumerate(shape))
        s = c.rng.uniform(0.01, 0.02, blocks).astype(np.float32)
        z = c.draw(kind, blocks) if zero else np.zeros(blocks, np.int64)
        w = c.node("DequantizeLinear", [c.initializer(q, kind, "w"), c.initializer(s)] + ([c.initializer(z, kind)] if zero else []),
                   axis=along, block_size=block)
        weights = (q - z.repeat(block, axis=along)) * s.astype(np.float64).repeat(block, axis=along)
    else:
        w, weights, _ = c.weights(kind, shape, 1 - along, 0.01, zero)
    if transposed:
        return c.finish(c.node("Gemm", [name, w], transB=1), value.astype(np.float64) @ weights.T)
    c.finish(c.node("MatMul", [name, w]), value.astype(np.float64) @ weights)


def packed_bits(numbers, bits):
    """Numbers along the last axis as bytes, the first in the lowest bits."""
    per_byte = 8 // bits
    count = -(-numbers.shape[-1] // per_byte)
    padded = np.zeros((*numbers.shape[:-1], count * per_byte), np.int64)
    padded[..., :numbers.shape[-1]] = numbers
    parts = padded.reshape(*numbers.shape[:-1], count, per_byte)
    return sum(parts[..., i] << (bits * i) for i in range(per_byte)).astype(np.uint8)


def product_of_bits(c, bits, block, rows, depth, columns, zero, bias):
    """MatMulNBits."""
    name, value = c.name("x"), c.rng.normal(0, 1, (rows, depth)).astype(np.float32)
    c.inputs.append((name, value.shape))
    c.feeds[name] = value
    blocks = -(-depth // block)
    q = c.rng.integers(0, 2**bits, (columns, blocks, block))
    s = c.rng.uniform(0.01, 0.02, (columns, blocks)).astype(np.float32)
    z = c.rng.integers(0, 2**bits, (columns, blocks)) if zero else np.full((columns, blocks), 2 ** (bits - 1))
    weights = ((q - z[:, :, None]) * s.astype(np.float64)[:, :, None]).reshape(columns, -1)[:, :depth]
    operands = [name, c.initializer(packed_bits(q, bits), "u8", "w"), c.initializer(s.flatten())]
    if zero or bias:
        operands.append(c.initializer(packed_bits(z, bits).flatten(), "u8", "z") if zero else "")
    offset = c.rng.normal(0, 1, columns).astype(np.float32) if bias else np.zeros(columns, np.float32)
    if bias:
        operands += ["", c.initializer(offset)]
    y = c.node("MatMulNBits", operands, domain="com.microsoft", K=depth, N=columns, bits=bits, block_size=block)
    c.finish(y, value.astype(np.float64) @ weights.T + offset)


def others(out):
    def pool(c, y, v):
        return c.node("MaxPool", [y], kernel_shape=[2, 2], strides=[2, 2]), windows(v[:, :, :6, :6], 2, 2, 0).max(axis=(4, 5))

    def pool_of_relu(c, y, v):
        return pool(c, c.node("Relu", [y]), np.maximum(v, 0))

    def flat(c, y, v):
        return c.node("Flatten", [c.node("Relu", [y])]), np.maximum(v, 0).reshape(1, -1)

    def sigmoid(c, y, v):
        return c.node("Sigmoid", [y]), 1 / (1 + np.exp(-v))

    def swish(c, y, v):
        return c.node("Mul", [y, c.node("Sigmoid", [y])]), v / (1 + np.exp(-v))

    def leaky(c, y, v):
        return c.node("LeakyRelu", [y], alpha=0.25), np.where(v < 0, 0.25 * v, v)

    for i, build in enumerate((pool, pool_of_relu, flat, sigmoid, swish, leaky)):
        for kind in ("u8", "s8"):
            write(out, f"conv_then_{build.__name__}_{kind}", i, lambda c: between(c, build, kind))
    for i, (op, kinds) in enumerate(itertools.product(("Add", "Mul", "Sub", "Max"), (("u8", "u8", "u8"), ("s8", "u8", "s8"), ("u16", "u16", "u16")))):
        write(out, f"{op.lower()}_{'_'.join(kinds)}", i, lambda c: two_branches(c, op, kinds))
    for same in (True, False):
        write(out, f"concat_of_{'one_scale' if same else 'two_scales'}", 1, lambda c: parts(c, same))
    for i, (op, kind) in enumerate(itertools.product(("AveragePool", "GlobalAveragePool", "ReduceMean"), ("u8", "s8", "u16"))):
        write(out, f"{op.lower()}_{kind}", i, lambda c: pooled(c, op, kind, [2, 3]))
    for i, (op, kind) in enumerate(itertools.product(("Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Softmax"), ("u8", "s8"))):
        write(out, f"{op.lower()}_{kind}", i, lambda c: function(c, op, kind))
    for blocked in (False, True):
        write(out, f"embedding_{'blocks' if blocked else 'tensor'}", 3, lambda c: embedding(c, blocked))
    # Small ones are dequantized when the model is compiled, large ones when they are read.
    forms = [(5, 64, 24), (1, 192, 104), (7, 192, 112), (40, 320, 129)]
    for i, (kind, block, zero, transposed) in enumerate((
            ("s8", 0, False, False), ("s4", 0, False, True), ("s4", 16, False, False), ("u4", 32, True, False),
            ("s8", 32, False, True), ("u8", 0, True, False), ("u8", 64, True, True), ("u4", 32, False, True))):
        for rows, depth, columns in forms:
            title = f"weights_{kind}_{block or 'columns'}_{'zero_' if zero else ''}{rows}x{depth}x{columns}{'_nk' if transposed else ''}"
            write(out, title, i, lambda c: weights_only(c, kind, block, rows, depth, columns, zero, transposed))
    for i, (bits, block, rows, depth, columns, zero, bias) in enumerate((
            (4, 32, 1, 256, 96, False, False), (4, 16, 9, 272, 100, True, True), (4, 32, 3, 250, 96, True, False),
            (8, 32, 20, 256, 96, False, True), (4, 128, 1, 256, 160, True, False), (2, 32, 5, 256, 100, False, False))):
        title = f"bits_{bits}_{block}_{rows}x{depth}x{columns}{'_zero' if zero else ''}{'_bias' if bias else ''}"
        write(out, title, i, lambda c: product_of_bits(c, bits, block, rows, depth, columns, zero, bias))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out / "quantized"
    for family in (convolutions, matrix_products, more_products, movements, others):
        family(out)
    print(len(list(out.iterdir())), "cases")


if __name__ == "__main__":
    main()
