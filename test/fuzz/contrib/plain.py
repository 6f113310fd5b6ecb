"""Random nodes of com.microsoft that compute on floats, or move elements: activations, normalizations, products, spectra."""
import numpy as np

from contrib.shared import small, window


# Activations


def gelu_of_two(c):
    shape = c.shape(1)
    return "BiasGelu", [c.floats(shape), c.floats(shape[-1:])], {}


def gelu(c):
    return "Gelu", [c.floats(c.shape()) * 2], {}


def fast_gelu(c):
    shape = c.shape(1)
    return "FastGelu", [c.floats(shape)] + ([c.floats(shape[-1:])] if c.number(0, 1) else []), {}


def quick_gelu(c):
    return "QuickGelu", [c.floats(c.shape()) * 2], {"alpha": c.one_of([1.702, 1.0])} if c.number(0, 1) else {}


def split_gelu(c):
    width = 2 * c.number(1, 4)
    return "BiasSplitGelu", [c.floats([c.number(1, 2), c.number(1, 3), width]), c.floats([width])], {}


# Normalizations


def skip(c):
    """What is normalized, what is added to it, and the extent of the rows."""
    shape, width = [c.number(1, 3) for _ in range(c.number(1, 2))], c.number(1, 9)
    other = shape if len(shape) == 1 or c.number(0, 1) else [1, *shape[1:]] if c.number(0, 1) else shape[1:]
    return small(c, *shape, width), small(c, *other, width), width


def skip_layer_normalization(c):
    x, added, width = skip(c)
    inputs = [x, added, small(c, width)] + [small(c, width) if c.number(0, 1) else None for _ in range(2)]
    return "SkipLayerNormalization", inputs, {"epsilon": c.one_of([1e-5, 1e-2])}, [True, False, False, c.number(0, 1)]


def skip_simplified_layer_normalization(c):
    x, added, width = skip(c)
    inputs = [x, added, small(c, width), small(c, width) if c.number(0, 1) else None]
    return "SkipSimplifiedLayerNormalization", inputs, {"epsilon": c.one_of([1e-5, 1e-2])}, [True, False, False, c.number(0, 1)]


def embed_layer_normalization(c):
    batch, length, width, words = c.number(1, 3), c.number(1, 5), c.number(2, 8), c.number(2, 9)
    ids = [batch, length]
    has_segments, has_mask, has_positions = c.number(0, 1), c.number(0, 1), c.number(0, 1)
    inputs = [
        c.integers(0, words - 1, ids, np.int32),
        c.integers(0, 1, ids, np.int32) if has_segments else None,
        small(c, words, width),
        small(c, 6, width),
        small(c, 2, width) if has_segments else None,
        small(c, width),
        small(c, width),
        c.integers(0, 1, ids, np.int32) if has_mask else None,
        c.integers(0, 5, ids, np.int32) if has_positions else None,
    ]
    return "EmbedLayerNormalization", inputs, {"epsilon": 1e-4}, [True, True, c.number(0, 1)]


def quantized_embed_layer_normalization(c):
    batch, length, width, words = c.number(1, 3), c.number(1, 5), c.number(2, 8), c.number(2, 9)
    ids, has_segments = [batch, length], c.number(0, 1)
    kind = c.one_of([np.int8, np.uint8])
    tables = [[words, width], [6, width], [2, width] if has_segments else None, [width], [width]]

    def each(make):
        return [make(table) if table else None for table in tables]

    inputs = [c.integers(0, words - 1, ids, np.int32), c.integers(0, 1, ids, np.int32) if has_segments else None]
    inputs += each(lambda table: c.integers(np.iinfo(kind).min, np.iinfo(kind).max, table, kind))
    inputs.append(c.integers(0, 1, ids, np.int32) if c.number(0, 1) else None)
    inputs += each(lambda table: np.float32(c.number(3, 9) / 256)) + each(lambda table: kind(c.number(0, 120)))
    return "QEmbedLayerNormalization", inputs, {"epsilon": 1e-4}, [True, True]


def groups(c):
    """An image, its two weights, and the attributes of a normalization by groups."""
    count, each, last = c.number(1, 3), c.number(1, 3), c.number(0, 1)
    space = [c.number(1, 4), c.number(1, 4)]
    channels = count * each
    shape = [c.number(1, 2), *space, channels] if last else [c.number(1, 2), channels, *space]
    attributes = {"groups": count, "activation": c.number(0, 1), "channels_last": last, "epsilon": 1e-3}
    return small(c, *shape), [small(c, channels), small(c, channels)], attributes


def group_normalization(c):
    x, weights, attributes = groups(c)
    return "GroupNorm", [x, *weights], attributes


def skip_group_normalization(c):
    x, weights, attributes = groups(c)
    batch, channels, last = x.shape[0], len(weights[0]), attributes["channels_last"]
    row = [batch, 1, 1, channels] if last else [batch, channels, 1, 1]
    inputs = [x, *weights, small(c, *c.one_of([x.shape, row, [batch, channels]]))]
    if last and c.number(0, 1):
        inputs.append(small(c, channels))
    return "SkipGroupNorm", inputs, attributes, [True, c.number(0, 1)]


def gated_normalization(c):
    heads, width = c.number(1, 3), c.number(1, 6)
    shape = [c.number(1, 2), c.number(1, 3), heads * width]
    attributes = {"activation": c.one_of(["silu", "swish", "sigmoid"]), "epsilon": 1e-3}
    return "GatedRMSNorm", [small(c, *shape), small(c, width), small(c, *shape)], attributes


def bias_and_skip(c):
    shape = [c.number(1, 2), c.number(1, 4), c.number(1, 6)]
    return "BiasAdd", [small(c, *shape), small(c, shape[-1]), small(c, *shape)], {}


# Products and convolutions


def matrices(c, transposed, batches):
    """Two matrices, or stacks of them; whether each is transposed."""
    outer = [c.number(1, 3) for _ in range(c.number(batches, 2))]
    m, k, n = (c.number(1, 5) for _ in range(3))
    trans = [c.number(0, transposed) for _ in range(2)]
    sides = [outer + ([k, m] if trans[0] else [m, k]), outer + ([n, k] if trans[1] else [k, n])]
    return [small(c, *side) for side in sides], {"transA": trans[0], "transB": trans[1]}


def fused_matmul(c):
    inputs, attributes = matrices(c, 1, 0)
    attributes["alpha"] = c.one_of([1.0, 0.5])
    if inputs[0].ndim > 2 and c.number(0, 1):  # [batch..., m, k] lies as [m, batch..., k]
        for k, name in enumerate(["transBatchA", "transBatchB"]):
            if c.number(0, 1):
                attributes[name] = 1
                inputs[k] = np.ascontiguousarray(np.moveaxis(inputs[k], -2, 0))
    elif inputs[1].ndim > 2 and c.number(0, 1):
        inputs[1] = inputs[1][0]
    return "FusedMatMul", inputs, attributes


def transposed_matmul(c):
    inputs, attributes = matrices(c, 1, 0)
    return "TransposeMatMul", inputs, attributes | {"alpha": c.one_of([1.0, 0.5])}


def activated_matmul(c):
    inputs, attributes = matrices(c, 1, 0)
    return "FusedMatMulActivation", inputs, attributes | {"alpha": 0.5, "activation": c.one_of(["Relu", "Tanh", "Sigmoid"])}


def activated_gemm(c):
    m, k, n = (c.number(1, 5) for _ in range(3))
    attributes = {"transA": c.number(0, 1), "transB": c.number(0, 1), "alpha": 0.5, "beta": c.one_of([1.0, 2.0])}
    inputs = [small(c, *([k, m] if attributes["transA"] else [m, k])), small(c, *([n, k] if attributes["transB"] else [k, n]))]
    if c.number(0, 2):
        inputs.append(small(c, *c.one_of([[n], [1, n], [m, 1], [m, n], []])))
    attributes["activation"] = c.one_of(
        ["Relu", "LeakyRelu", "Tanh", "Sigmoid", "Elu", "Softplus", "ThresholdedRelu", "Softsign"])
    if attributes["activation"] in ("LeakyRelu", "Elu", "ThresholdedRelu"):
        attributes["activation_alpha"] = 0.25
    return "FusedGemm", inputs, attributes


def activated_convolution(c):
    group, rank = c.number(1, 2), 2
    kernel = [c.number(1, 3) for _ in range(rank)]
    outputs = group * c.number(1, 3)
    extents = [c.number(4, 7) for _ in range(rank)]
    x, weights = small(c, c.number(1, 2), 2 * group, *extents), small(c, outputs, 2, *kernel)
    attributes = {"group": group, "kernel_shape": kernel, "strides": [c.number(1, 2) for _ in range(rank)]}
    attributes["pads"] = [c.number(0, 1) for _ in range(2 * rank)]
    attributes["activation"], parameters = c.one_of(
        [("Relu", None), ("Tanh", None), ("Sigmoid", None), ("LeakyRelu", [0.25]), ("Clip", [-0.5, 0.5]),
         ("HardSigmoid", [0.3, 0.4])])
    if parameters:
        attributes["activation_params"] = parameters
    inputs = [x, weights, small(c, outputs) if c.number(0, 1) else None]
    if c.number(0, 1):
        places = [(extent + begin + end - size) // stride + 1 for extent, begin, end, size, stride in zip(
            extents, attributes["pads"][:rank], attributes["pads"][rank:], kernel, attributes["strides"])]
        inputs.append(small(c, x.shape[0], outputs, *places))
    return "FusedConv", inputs, attributes


def transposed_convolution(c):
    rank, group = c.number(1, 2), c.number(1, 2)
    kernel = [c.number(1, 3) for _ in range(rank)]
    attributes = {"strides": [c.number(1, 3) for _ in range(rank)], "group": group}
    if c.number(0, 1):
        attributes["dilations"] = [c.number(1, 2) for _ in range(rank)]
    if c.number(0, 1):
        attributes["output_padding"] = [c.number(0, stride - 1) for stride in attributes["strides"]]
    outputs = c.number(1, 3)
    inputs = [small(c, c.number(1, 2), 2 * group, *(c.number(3, 5) for _ in range(rank))), small(c, 2 * group, outputs, *kernel)]
    inputs.append(c.integers(0, 1, [2 * rank]))
    return "ConvTransposeWithDynamicPads", inputs + ([small(c, outputs * group)] if c.number(0, 1) else []), attributes


def distances(c):
    width, kind = c.number(1, 5), c.one_of([np.float32, np.float64])
    inputs = [c.floats([c.number(1, 5), width]).astype(kind) for _ in range(2)]
    return "CDist", inputs, {"metric": c.one_of(["sqeuclidean", "euclidean"])}


def inverse(c):
    size = c.number(1, 5)
    x = c.floats([c.number(1, 2) for _ in range(c.number(0, 2))] + [size, size]) + 4 * np.eye(size, dtype=np.float32)
    return "Inverse", [x.astype(c.one_of([np.float32, np.float64]))], {}


# Spectra


def spectrum(c, name, last):
    shape = [c.number(1, 3) for _ in range(c.number(1, 2))] + last
    return name, [c.floats(shape)], {"normalized": 0, "onesided": 1, "signal_ndim": 1}


def of_real(c):
    return spectrum(c, "Rfft", [c.number(2, 9)])


def to_real(c):
    return spectrum(c, "Irfft", [c.number(2, 6), 2])


# What moves elements


def pad(c):
    shape = [c.number(2, 4) for _ in range(c.number(1, 3))]
    pads = c.integers(0, 1, [2 * len(shape)])
    mode = c.one_of(["constant", "reflect", "edge"])
    value = [np.float32(1.5)] if mode == "constant" and c.number(0, 1) else []
    return "Pad", [c.floats(shape), pads[None] if c.number(0, 1) else pads, *value], {"mode": mode}


def triangle(c):
    shape = c.shape(0, 1) + [c.number(1, 4), c.number(1, 4)]
    inputs = [c.floats(shape).astype(c.one_of([np.float32, np.float64, np.int64]))]
    return "Trilu", inputs + ([np.int64(c.number(-5, 5))] if c.number(0, 1) else []), {"upper": c.number(0, 1)}


def unique(c):
    return "Unique", [c.integers(0, 4, [c.number(1, 12)]).astype(np.float32)], {}, [True] * 3


def range_(c):
    kind = c.one_of([np.float32, np.float64, np.int16, np.int32, np.int64])
    start, step = c.number(-3, 3), c.number(1, 3)
    inputs = [kind(start), kind(start + c.number(0, 9))] + ([kind(step)] if c.number(0, 1) else [])
    return "Range", inputs, {}


def expanded(c):
    shape = c.shape()
    kind = c.one_of([np.float32, np.float64, np.int64, np.int32, np.uint8, bool])
    return "ExpandDims", [c.integers(0, 5, shape).astype(kind), np.int32(c.number(-len(shape) - 1, len(shape)))], {}


def gathered_tuples(c):
    shape = [c.number(1, 4) for _ in range(c.number(1, 3))]
    length = c.number(1, len(shape))
    outer = [c.number(1, 3) for _ in range(c.number(0, 2))]
    places = np.stack([c.integers(-extent, extent - 1, outer) for extent in shape[:length]], axis=-1)
    kind = c.one_of([np.float32, np.float64, np.int64, np.int32, np.uint8, bool])
    return "GatherND", [c.integers(0, 9, shape).astype(kind), places.astype(c.one_of([np.int32, np.int64]))], {}


def sampled(c):
    batch = c.number(1, 2)
    x = c.floats([batch, c.number(1, 3), c.number(2, 5), c.number(2, 5)])
    grid = (c.rng.random([batch, c.number(1, 4), c.number(1, 4), 2]) * 2.6 - 1.3).astype(np.float32)
    attributes = {"mode": c.one_of(["bilinear", "nearest", "bicubic"]), "align_corners": c.number(0, 1)}
    # At a border, ONNX Runtime moves places before it interpolates; mlc, like PyTorch, the elements that are read.
    paddings = ["zeros", "reflection"] + (["border"] if attributes["mode"] != "bicubic" else [])
    return "GridSample", [x, grid], attributes | {"padding_mode": c.one_of(paddings)}


def channels_last_max_pool(c):
    rank = c.number(1, 2)
    kind = c.one_of([np.int8, np.uint8])
    shape = [c.number(1, 2), *(c.number(5, 8) for _ in range(rank)), c.number(1, 5)]
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    attributes = window(c, rank, dilated=True) | {"ceil_mode": c.number(0, 1)}
    return "NhwcMaxPool", [c.integers(low, high, shape, kind)], attributes


def tokens(c):
    """Words of texts, between separators, which are regular expressions, or those that an expression finds."""
    texts = [c.one_of(["", "one two", "three,four five", "six", "a  b", "äö ü,x"]) for _ in range(c.number(1, 4))]
    attributes = {"mark": c.number(0, 1), "mincharnum": c.number(1, 2), "pad_value": "#"}
    attributes |= c.one_of([{"separators": [" "]}, {"separators": [",", " "]}, {"tokenexp": "[a-z]+"}])
    x = np.array(texts, object)
    return "Tokenizer", [x if c.number(0, 1) else x.reshape(1, -1)], attributes


CASES = [
    gelu_of_two, gelu, fast_gelu, quick_gelu, split_gelu, skip_layer_normalization, skip_simplified_layer_normalization,
    embed_layer_normalization, quantized_embed_layer_normalization, group_normalization, skip_group_normalization,
    gated_normalization, bias_and_skip, fused_matmul, transposed_matmul, activated_matmul, activated_gemm, activated_convolution,
    transposed_convolution, distances, inverse, of_real, to_real, pad, triangle, unique, range_, expanded,
    gathered_tuples, sampled, channels_last_max_pool, tokens
]


# What ONNX Runtime has no kernel for on a CPU


def of_split_gelu(case):
    x, bias = case.feeds.values()
    left, right = np.split(x + bias, 2, axis=-1)
    (gate,) = case.other("Gelu", [np.ascontiguousarray(right)], {}).of_runtime()
    return [left * gate]


def of_activated_matmul(case):
    attributes = dict(case.attributes)
    activation = attributes.pop("activation")
    (product,) = case.other("FusedMatMul", case.feeds.values(), attributes).of_runtime()
    functions = {"Relu": lambda x: np.maximum(x, 0), "Tanh": np.tanh, "Sigmoid": lambda x: 1 / (1 + np.exp(-x))}
    return [functions[activation](product).astype(np.float32)]


def of_spectrum(case):
    (x,) = case.feeds.values()
    result = np.fft.rfft(x.astype(np.float64))
    return [np.stack([result.real, result.imag], axis=-1).astype(x.dtype)]


def of_real_spectrum(case):
    (x,) = case.feeds.values()
    return [np.fft.irfft(x[..., 0].astype(np.float64) + 1j * x[..., 1]).astype(x.dtype)]


def normalized_by_groups(case, x):
    a, (gamma, beta) = case.attributes, (case.feeds["i1"], case.feeds["i2"])
    x = np.moveaxis(x, -1, 1) if a["channels_last"] else x
    rows = x.reshape(x.shape[0], a["groups"], -1).astype(np.float64)
    normal = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + a["epsilon"])
    y = normal.reshape(x.shape) * gamma[:, None, None] + beta[:, None, None]
    y = y / (1 + np.exp(-y)) if a["activation"] else y
    return (np.moveaxis(y, 1, -1) if a["channels_last"] else y).astype(np.float32)


def of_group_norm(case):
    return [normalized_by_groups(case, case.feeds["i0"])]


def of_skip_group_norm(case):
    x, skip = case.feeds["i0"], case.feeds["i3"]
    if skip.ndim == 2:
        skip = skip[:, None, None, :] if case.attributes["channels_last"] else skip[:, :, None, None]
    total = x + skip + case.feeds.get("i4", np.float32(0))
    return [normalized_by_groups(case, total), total][:len(case.outputs)]


def of_bias_and_skip(case):
    return [sum(case.feeds.values())]


TEXTS = {
    "GroupNorm": of_group_norm, "SkipGroupNorm": of_skip_group_norm, "BiasAdd": of_bias_and_skip,
    "BiasSplitGelu": of_split_gelu, "FusedMatMulActivation": of_activated_matmul, "Rfft": of_spectrum,
    "Irfft": of_real_spectrum
}
