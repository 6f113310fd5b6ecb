"""What the random nodes of com.microsoft share."""
import numpy as np


def small(c, *shape):
    return c.floats(list(shape)) / 2


def window(c, rank, dilated):
    """Attributes of a pool."""
    attributes = {"kernel_shape": [c.number(1, 3) for _ in range(rank)], "strides": [c.number(1, 2) for _ in range(rank)]}
    if dilated and c.number(0, 1):
        attributes["dilations"] = [c.number(1, 2) for _ in range(rank)]
    if c.number(0, 1):
        attributes["pads"] = [c.number(0, extent - 1) for extent in attributes["kernel_shape"] * 2]
    return attributes


def packed(numbers, bits):
    """Numbers of a few bits in bytes, the first in the lowest bits; rows begin with a byte of their own."""
    each = 8 // bits
    missing = -numbers.shape[-1] % each
    numbers = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, missing)]).astype(np.uint8)
    parts = [numbers[..., place::each] << np.uint8(bits * place) for place in range(each)]
    return np.bitwise_or.reduce(parts).astype(np.uint8)


def weights(c, kind, shape):
    """Bytes of 7 bits: without the instructions for sums of products of bytes, ONNX Runtime saturates pairs in 16 bits."""
    return c.integers(-64 if kind is np.int8 else 0, 63 if kind is np.int8 else 127, shape, kind)
