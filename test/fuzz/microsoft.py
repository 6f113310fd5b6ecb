#!/usr/bin/env python3
"""Run operators of com.microsoft on random inputs in mlc and in ONNX Runtime.

    build/venv/bin/python test/fuzz/microsoft.py --seed 1 --count 200

Each case is a model of one node, valid for the most part. mlc must give what ONNX Runtime gives, or end with an error
that names the node. What the CPU of ONNX Runtime lacks or computes otherwise than its documentation says is computed
here, as that says.
"""
import numpy as np
from one_node import Case, main


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def small(c, *shape):
    return c.floats(list(shape)) / 2


# Pools and convolutions


def window(c, rank, dilated):
    attributes = {"kernel_shape": [c.number(1, 3) for _ in range(rank)], "strides": [c.number(1, 2) for _ in range(rank)]}
    if dilated and c.number(0, 1):
        attributes["dilations"] = [c.number(1, 2) for _ in range(rank)]
    if c.number(0, 1):
        attributes["pads"] = [c.number(0, extent - 1) for extent in attributes["kernel_shape"] * 2]
    return attributes


def nhwc_max_pool(c):
    rank = c.number(1, 2)
    kind = c.one_of([np.int8, np.uint8])
    shape = [c.number(1, 2), *(c.number(5, 8) for _ in range(rank)), c.number(1, 5)]
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    attributes = window(c, rank, dilated=True) | {"ceil_mode": c.number(0, 1)}
    return "NhwcMaxPool", [c.integers(low, high, shape, kind)], attributes


def quantized_average_pool(c):
    shape = [1, 5, 6, 4]
    inputs = [c.integers(0, 255, shape, np.uint8), np.float32(0.5), np.uint8(c.number(0, 9)), np.float32(0.37)]
    inputs.append(np.uint8(c.number(0, 9)))
    if c.number(0, 1):
        return "QLinearGlobalAveragePool", inputs, {"channels_last": c.number(0, 1)}
    attributes = window(c, 2, dilated=False) | {"channels_last": 1, "count_include_pad": c.number(0, 1)}
    return "QLinearAveragePool", inputs, attributes


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


# Mixtures of experts


def mixture(c):
    """Attributes, the router's scores, and the rows, hidden and inner extents of the experts."""
    experts, hidden, inner = c.number(1, 4), 16 * c.number(1, 2), 16 * c.number(1, 2)
    attributes = {"k": c.number(1, experts), "normalize_routing_weights": 1}
    attributes["activation_type"] = c.one_of(["relu", "gelu", "silu", "identity", "swiglu"])
    if attributes["activation_type"] == "swiglu":
        attributes |= {"swiglu_fusion": 1, "activation_alpha": 1.5, "activation_beta": c.number(0, 1) / 2}
        if c.number(0, 1):
            attributes["swiglu_limit"] = 0.75
    rows = [c.number(1, 2), c.number(1, 3)] if c.number(0, 1) else [c.number(1, 6)]
    x, router = small(c, *rows, hidden), small(c, int(np.prod(rows)), experts) * 4
    return attributes, x, router, experts, hidden, inner


def experts(c):
    attributes, x, router, count, hidden, inner = mixture(c)
    attributes["normalize_routing_weights"] = c.number(0, 1)
    wide = inner * (2 if attributes["activation_type"] == "swiglu" else 1)
    has_bias = c.number(0, 1)
    inputs = [x, router, small(c, count, wide, hidden), small(c, count, wide) if has_bias else None]
    return "MoE", inputs + [small(c, count, hidden, inner), small(c, count, hidden) if has_bias else None], attributes


def packed(numbers, bits):
    """Numbers of a few bits in bytes, the first in the lowest bits; rows begin with a byte of their own."""
    each = 8 // bits
    missing = -numbers.shape[-1] % each
    numbers = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, missing)]).astype(np.uint8)
    parts = [numbers[..., place::each] << np.uint8(bits * place) for place in range(each)]
    return np.bitwise_or.reduce(parts).astype(np.uint8)


def quantized_experts(c):
    attributes, x, router, count, hidden, inner = mixture(c)
    bits, block, has_zeros, has_bias = c.one_of([4, 4, 8, 2]), c.one_of([None, 16]), c.number(0, 1), c.number(0, 1)
    if bits == 8:
        block = None  # ONNX Runtime multiplies blocks of 8 bits in 8 bits
    attributes["expert_weight_bits"] = bits
    if block:
        attributes["block_size"] = block

    def layer(outputs, depth):
        blocks = depth // block if block else 1
        weights = packed(c.integers(0, 2**bits - 1, [count, outputs, depth]), bits)
        scales = (c.rng.random([count, outputs, blocks]) + 0.5).astype(np.float32) / 2 ** (bits + 2)
        zeros = c.integers(0, 2**bits - 1, [count, outputs, blocks])
        if not block:
            scales, zeros = scales[:, :, 0], zeros[:, :, 0]
        bias = small(c, count, outputs) if has_bias else None
        return [weights, scales, bias], packed(zeros, bits) if has_zeros else None

    first, first_zeros = layer(inner * (2 if attributes["activation_type"] == "swiglu" else 1), hidden)
    second, second_zeros = layer(hidden, inner)
    inputs = [x, router, *first, *second, None, None, None, first_zeros, second_zeros]
    if c.number(0, 1):
        attributes["normalize_routing_weights"] = c.number(0, 1)
        inputs += [None, np.abs(small(c, *router.shape)) + np.float32(0.1)]
    return "QMoE", inputs, attributes


# Attention


def group_query_attention(c):
    key_heads, size = c.number(1, 2), 16
    heads = key_heads * c.number(1, 2)
    attributes = {"num_heads": heads, "kv_num_heads": key_heads}
    has_past, batch = c.number(0, 1), c.number(1, 2)
    length, before = (1, c.number(1, 5)) if has_past else (c.number(1, 5), 0)
    past = [small(c, batch, key_heads, before, size) for _ in range(2)] if has_past else [None, None]
    inputs = [small(c, batch, length, heads * size), *(small(c, batch, length, key_heads * size) for _ in range(2)), *past]
    total = before + length
    inputs += [np.full([batch], total - 1, np.int32), np.int32(total), None, None, None, None]
    if c.number(0, 1):
        attributes["scale"] = c.one_of([0.5, 3.0])
    if c.number(0, 2) == 0:
        attributes["softcap"] = 2.0
    if c.number(0, 2) == 0:
        attributes["local_window_size"] = c.number(1, 4)
    if c.number(0, 1):
        inputs.append(small(c, heads) * 4)
    elif c.number(0, 1):
        attributes["smooth_softmax"] = 1
    return "GroupQueryAttention", inputs, attributes


CASES = [
    nhwc_max_pool, quantized_average_pool, transposed_convolution, experts, quantized_experts, group_query_attention
]
OUTPUTS = {"GroupQueryAttention": 3}


class MicrosoftCase(Case):
    def __init__(self, chance):
        operator, inputs, attributes = chance.one_of(CASES)(chance)
        super().__init__(operator, inputs, attributes, OUTPUTS.get(operator, 1), domain="com.microsoft", opset=1,
                         is_dynamic=chance.number(0, 2) > 0)

    def expected(self):
        return self.answers_of([self.of_runtime])


if __name__ == "__main__":
    main(__doc__, MicrosoftCase)
