"""Random nodes of com.microsoft that are mixtures of experts."""
import numpy as np

from contrib.shared import packed, small


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


CASES = [experts, quantized_experts]
