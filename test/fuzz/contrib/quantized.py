"""Random nodes of com.microsoft that compute on quantized numbers, and products with weights of a few bits.

Scales are no short fractions, so that no sum lies in the middle between two numbers.
"""
import numpy as np

from contrib.shared import packed, small, weights, window
from one_node import Case

BYTES = [np.int8, np.uint8]
IN, OUT = np.float32(0.0517), np.float32(0.0371)


def numbers(c, kind, shape):
    return c.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, kind)


def zero(c, kind):
    return kind(c.number(-5, 9) if kind is np.int8 else c.number(100, 140))


def pair(c, name):
    kind, shape = c.one_of(BYTES), c.shape(1)
    other = c.one_of([shape, shape[-1:], []])
    scales = [np.float32(0.0517), np.float32(0.0437), np.float32(0.0971)]
    a, b = numbers(c, kind, shape), numbers(c, kind, other)
    return name, [a, scales[0], zero(c, kind), b, scales[1], zero(c, kind), scales[2], zero(c, kind)], {}


def add(c):
    return pair(c, "QLinearAdd")


def multiply(c):
    return pair(c, "QLinearMul")


def unary(c, name, attributes, shape=None):
    kind = c.one_of(BYTES)
    inputs = [numbers(c, kind, c.shape(1) if shape is None else shape), IN, zero(c, kind), OUT, zero(c, kind)]
    return name, inputs, attributes


def sigmoid(c):
    name, inputs, attributes = unary(c, "QLinearSigmoid", {})
    return name, [*inputs[:3], np.float32(0.00417), inputs[4]], attributes


def leaky_relu(c):
    return unary(c, "QLinearLeakyRelu", {"alpha": c.one_of([0.013, 0.21])})


def softmax(c):
    shape = [c.number(1, 4) for _ in range(c.number(1, 3))]
    name, inputs, attributes = unary(c, "QLinearSoftmax", {"axis": c.axis(len(shape)), "opset": c.one_of([11, 13])}, shape)
    kind = inputs[0].dtype.type
    return name, [*inputs[:3], np.float32(1 / 256), kind(-128 if kind is np.int8 else 0)], attributes


def average_pool(c):
    name, inputs, _ = unary(c, "QLinearAveragePool", {}, [1, 5, 6, 4])
    channels_last = c.number(0, 1)
    if not channels_last:
        inputs[0] = np.ascontiguousarray(np.moveaxis(inputs[0], -1, 1))
    return name, inputs, window(c, 2, dilated=False) | {"channels_last": channels_last, "count_include_pad": c.number(0, 1)}


def global_average_pool(c):
    shape = [c.number(1, 2), c.number(1, 4), c.number(1, 5), c.number(1, 5)]
    return unary(c, "QLinearGlobalAveragePool", {"channels_last": c.number(0, 1)}, shape)


def mean(c):
    shape = [c.number(1, 4) for _ in range(c.number(1, 3))]
    axes = sorted(c.rng.permutation(len(shape))[:c.number(1, len(shape))].tolist())
    return unary(c, "QLinearReduceMean", {"axes": axes, "keepdims": c.number(0, 1)}, shape)


def concatenated(c):
    kind, shape, axis = c.one_of(BYTES), [c.number(1, 3) for _ in range(c.number(1, 3))], 0
    axis = c.number(0, len(shape) - 1)
    inputs = [OUT, zero(c, kind)]
    for _ in range(c.number(1, 3)):
        part = list(shape)
        part[axis] = c.number(1, 4)
        inputs += [numbers(c, kind, part), c.one_of([IN, OUT]), zero(c, kind)]
    return "QLinearConcat", inputs, {"axis": axis}


def chosen(c):
    kind, shape = c.one_of(BYTES), c.shape(1)
    part = c.one_of([shape, shape[-1:]])
    inputs = [c.bools(c.one_of([shape, part]))]
    for extents in (shape, part):
        inputs += [numbers(c, kind, extents), c.one_of([IN, OUT]), zero(c, kind)]
    return "QLinearWhere", inputs + [OUT, zero(c, kind)], {}


def quantized(c):
    shape, kind = [c.number(1, 4) for _ in range(c.number(1, 3))], c.one_of([np.int8, np.uint8, np.int16, np.uint16])
    attributes, count = {}, []
    if c.number(0, 1):
        attributes["axis"] = c.axis(len(shape))
        count = [shape[attributes["axis"]]]
    scale = (c.rng.random(count) * 0.05 + 0.011).astype(np.float32)
    zeros = c.integers(0, 9, count, kind)
    return shape, kind, attributes, scale, zeros


def quantize(c):
    shape, _, attributes, scale, zeros = quantized(c)
    return "QuantizeLinear", [c.floats(shape) * 3, scale, zeros], attributes


def dequantize(c):
    shape, kind, attributes, scale, zeros = quantized(c)
    if c.number(0, 4) == 0:
        return "DequantizeLinear", [c.integers(-1000, 1000, shape, np.int32), scale], attributes
    return "DequantizeLinear", [numbers(c, kind, shape), scale] + ([zeros] if c.number(0, 1) else []), attributes


# Products. ONNX Runtime has kernels for u8 * u8, u8 * s8 and s8 * s8.


def kinds(c):
    return c.one_of([(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)])


def scales(c, count):
    return (c.rng.random(count) * 0.02 + 0.003).astype(np.float32)


def gemm(c):
    (a, b), m, k, n = kinds(c), c.number(1, 5), c.number(1, 9), c.number(1, 5)
    attributes = {"transA": c.number(0, 1), "transB": c.number(0, 1), "alpha": c.one_of([1.0, 0.5])}
    per_column = [n] if c.number(0, 1) else []
    inputs = [
        numbers(c, a, [k, m] if attributes["transA"] else [m, k]), IN, zero(c, a),
        weights(c, b, [n, k] if attributes["transB"] else [k, n]), scales(c, per_column), c.integers(0, 5, per_column, b),
        c.integers(-900, 900, c.one_of([[m, n], [n], [1, n]]), np.int32) if c.number(0, 1) else None
    ]
    return "QGemm", inputs + ([np.float32(0.0917), zero(c, a)] if c.number(0, 1) else []), attributes


def product_to_float(c):
    (a, b), m, k, n = kinds(c), c.number(1, 5), c.number(1, 9), c.number(1, 5)
    outer, per_column = [c.number(1, 2) for _ in range(c.number(0, 1))], [n] if c.number(0, 1) else []
    inputs = [numbers(c, a, [*outer, m, k]), weights(c, b, [k, n]), IN, scales(c, per_column)]
    inputs.append(zero(c, a) if c.number(0, 1) else None)
    inputs.append(c.integers(0, 5, per_column, b) if c.number(0, 1) else None)
    return "MatMulIntegerToFloat", inputs + ([small(c, n)] if c.number(0, 1) else []), {}


def product_of_floats(c):
    b, m, k, n = c.one_of(BYTES), c.number(1, 5), c.number(1, 9), c.number(1, 5)
    outer, per_column = [c.number(1, 2) for _ in range(c.number(0, 1))], [n] if c.number(0, 1) else []
    inputs = [small(c, *outer, m, k), weights(c, b, [k, n]), scales(c, per_column)]
    inputs.append(c.integers(0, 5, per_column, b) if c.number(0, 1) else None)
    return "DynamicQuantizeMatMul", inputs + ([small(c, n)] if c.number(0, 1) else []), {}


def product_of_few_bits(c):
    bits, block, n = c.one_of([4, 4, 8, 2]), c.one_of([16, 32, 64]), c.number(1, 6)
    k = c.one_of([16, 32, 48, 64, 80])
    blocks = -(-k // block)
    data = np.zeros([n, blocks * block], np.int64)
    data[:, :k] = c.integers(0, 2**bits - 1, [n, k])
    inputs = [small(c, *c.one_of([[c.number(1, 3)], [2, c.number(1, 3)]]), k), packed(data, bits).reshape(n, blocks, -1)]
    inputs.append(scales(c, [n, blocks]))
    zeros = c.integers(0, 2**bits - 1, [n, blocks])
    form = c.number(0, 2) if bits == 4 else c.number(0, 1)
    inputs.append([None, packed(zeros, bits), (zeros + 0.5).astype(np.float32)][form])
    inputs += [None, small(c, n) if c.number(0, 1) else None]
    return "MatMulNBits", inputs, {"K": k, "N": n, "bits": bits, "block_size": block}


def product_of_words(c):
    inner, m, n = c.number(1, 9), c.number(1, 5), c.number(1, 5)
    outer = [c.number(1, 2) for _ in range(c.number(0, 1))]
    sides = [[*outer, m, inner], [inner, n]]
    return "MatMulInteger16", [c.integers(-9999, 9999, side, np.int16) for side in sides], {}


def product_of_normal_floats(c):
    block, n, k = c.one_of([16, 32, 64]), c.number(1, 6), c.number(1, 40)
    attributes = {"K": k, "N": n, "block_size": block, "quant_type": c.number(0, 1)}
    data = packed(c.integers(0, 15, [n * k]), 4)
    return "MatMulBnb4", [small(c, c.number(1, 3), k), data, np.abs(small(c, -(-n * k // block)))], attributes


def convolution(c):
    group, kernel, outputs = c.number(1, 2), [c.number(1, 3), c.number(1, 3)], c.number(1, 3)
    (a, b), last = kinds(c), c.number(0, 1)
    extents = [c.number(4, 7), c.number(4, 7)]
    shape = [c.number(1, 2), *extents, 2 * group] if last else [c.number(1, 2), 2 * group, *extents]
    columns = [group * outputs] if c.number(0, 1) else []
    inputs = [numbers(c, a, shape), IN, zero(c, a), weights(c, b, [group * outputs, 2, *kernel]), scales(c, columns)]
    inputs += [np.full(columns, 0 if b is np.int8 else 64, b), np.float32(0.0917), zero(c, a)]
    if c.number(0, 1):
        inputs.append(c.integers(-900, 900, [group * outputs], np.int32))
    attributes = {"group": group, "channels_last": last, "kernel_shape": kernel, "strides": [c.number(1, 2), c.number(1, 2)]}
    return "QLinearConv", inputs, attributes | {"pads": [c.number(0, 1) for _ in range(4)]}


def lstm(c):
    directions, length, batch, width, hidden = c.number(1, 2), c.number(1, 4), c.number(1, 3), c.number(1, 5), c.number(1, 4)
    kind = c.one_of(BYTES)
    columns = [directions, 4 * hidden] if c.number(0, 1) else [directions]
    attributes = {"hidden_size": hidden, "direction": "bidirectional" if directions == 2 else c.one_of(["forward", "reverse"])}
    inputs = [small(c, length, batch, width)]
    inputs += [weights(c, kind, [directions, depth, 4 * hidden]) for depth in (width, hidden)]
    inputs.append(small(c, directions, 8 * hidden) if c.number(0, 1) else None)
    inputs.append(c.integers(1, length, [batch], np.int32) if c.number(0, 2) == 0 else None)
    inputs += [small(c, directions, batch, hidden) for _ in range(2)] if c.number(0, 1) else [None, None]
    inputs.append(small(c, directions, 3 * hidden) if c.number(0, 2) == 0 else None)
    for _ in range(2):
        inputs += [scales(c, columns), np.full(columns, 0 if kind is np.int8 else 64, kind)]
    return "DynamicQuantizeLSTM", inputs, attributes, [True] * 3


def rows_of_blocks(c):
    bits, block, rows = c.one_of([4, 8]), c.one_of([16, 32]), c.number(1, 5)
    width = block * c.number(1, 3)
    zeros = c.integers(0, 2**bits - 1, [rows, width // block])
    inputs = [
        packed(c.integers(0, 2**bits - 1, [rows, width]), bits),
        c.integers(-rows, rows - 1, c.shape(1, 2)).astype(c.one_of([np.int32, np.int64])),
        scales(c, zeros.shape)
    ] + ([packed(zeros, bits)] if c.number(0, 1) else [])
    return "GatherBlockQuantized", inputs, {"bits": bits, "block_size": block, "gather_axis": 0, "quantize_axis": 1}


CASES = [
    add, multiply, sigmoid, leaky_relu, softmax, average_pool, global_average_pool, mean, concatenated, chosen, quantize,
    dequantize, gemm, product_to_float, product_of_floats, product_of_few_bits, product_of_words, product_of_normal_floats,
    convolution, lstm, rows_of_blocks
]


def of_mean(case):
    x, scale, zero_point, result_scale, result_zero = case.feeds.values()
    a = case.attributes
    floats = (x.astype(np.float32) - np.float32(zero_point)) * scale
    means = floats.mean(axis=tuple(a["axes"]), keepdims=bool(a["keepdims"]), dtype=np.float64)
    limits = np.iinfo(x.dtype)
    return [np.clip(np.rint(means / result_scale) + result_zero, limits.min, limits.max).astype(x.dtype)]


def of_lstm(case):
    """LSTM of ai.onnx with the weights as floats; ONNX Runtime rounds what they are multiplied with to bytes."""
    values = [case.feeds.get(name) for name in case.names]

    def floats(numbers, scale, zeros):
        columns = [len(scale), 1, -1]
        whole = (numbers.astype(np.float32) - zeros.reshape(columns).astype(np.float32)) * scale.reshape(columns)
        return np.ascontiguousarray(whole.transpose(0, 2, 1))

    inputs = [values[0], floats(values[1], *values[8:10]), floats(values[2], *values[10:12]), *values[3:8]]
    return Case("LSTM", inputs, case.attributes, 3, opset=21).of_runtime()


TEXTS = {"QLinearReduceMean": of_mean, "DynamicQuantizeLSTM": of_lstm}
