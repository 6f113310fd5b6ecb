"""Tolerances of a model's outputs, from how far runtimes that agree are apart.

The rules are those of ../shared/data/VECTORS.md: rtol 1e-3 (float16 1e-2); atol is 1e-5 of the largest output (float16
2e-3) or three times the excess over rtol seen between runs that agree, rounded up to 1, 2 or 5; quantized models in
addition two steps of the last DequantizeLinear, or 2 % of the range where that is not visible. A run that is off by
more than 1 % of the range (10 % when quantized) disagrees, and widens nothing.
"""
import math

import numpy as np
from onnx import TensorProto, numpy_helper

QUANTIZED = {"QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearConv", "QLinearMatMul"}

# The accuracy_level of MatMulNBits by which ONNX Runtime quantizes what is multiplied with the weights to 8 bits.
EIGHT_BITS = 4


def quantizes(node):
    """Whether ONNX Runtime rounds to integers in a node."""
    levels = [a.i for a in node.attribute if node.op_type == "MatMulNBits" and a.name == "accuracy_level"]
    return node.op_type in QUANTIZED or EIGHT_BITS in levels


def holds_halves(graph):
    return any(t.data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16) for t in graph.initializer)


def is_float(array):
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def round_up_125(x):
    """The smallest 1, 2 or 5 times a power of ten that is not below x."""
    if x <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(x))
    return float(f"{next(m * power for m in (1, 2, 5, 10) if m * power >= x * (1 - 1e-9)):.1e}")


def quantization_step(graph, output):
    """The scale of the DequantizeLinear that makes an output, None if another operator does or it is not constant."""
    node = next((n for n in graph.node if output in n.output), None)
    if node is None or node.op_type != "DequantizeLinear":
        return None
    scale = next((t for t in graph.initializer if t.name == node.input[1]), None)
    return None if scale is None else float(numpy_helper.to_array(scale).max())


def tolerance_of(graph, index, golden, others, half, quantized):
    """rtol, atol and largest difference seen of output INDEX, and who disagrees.

    OTHERS are pairs of a name and, for each case, its outputs, or None where it was not run.
    """
    wanted = [case[index] for case in golden]
    if not is_float(wanted[0]):
        disagree = {
            who
            for who, runs in others
            for w, run in zip(wanted, runs, strict=True)
            if run is not None and not np.array_equal(run[index], w)
        }
        return {"rtol": 0.0, "atol": 0.0, "observed_max_abs": 0.0}, disagree
    rtol, scale = (1e-2, 2e-3) if half else (1e-3, 1e-5)
    wanted = [w.astype(np.float64) for w in wanted]
    largest = max((np.abs(w).max() for w in wanted if w.size), default=0.0)
    spread = max((w.max() - w.min() for w in wanted if w.size), default=0.0)
    excess, observed, disagree = 0.0, 0.0, set()
    for who, runs in others:
        for w, run in zip(wanted, runs, strict=True):
            if run is None or not w.size:
                continue
            difference = np.abs(np.asarray(run[index], np.float64) - w)
            if not difference.max() <= (0.1 if quantized else 0.01) * spread:  # a NaN disagrees too
                disagree.add(who)
                continue
            observed = max(observed, float(difference.max()))
            excess = max(excess, float((difference - rtol * np.abs(w)).max()))
    atol = max(scale * largest, 3 * excess)
    if quantized:
        step = quantization_step(graph, graph.output[index].name)
        atol = max(atol, 2 * step if step else 0.02 * spread)
    entry = {"rtol": rtol, "atol": round_up_125(atol), "observed_max_abs": float(f"{observed:.2g}")}
    return entry, disagree


def make_tolerances(model, golden, others):
    """The contents of tolerance.json."""
    graph = model.graph
    quantized = any(map(quantizes, graph.node))
    half = holds_halves(graph)
    outputs, disagree = [], set()
    for i, value in enumerate(graph.output):
        entry, who = tolerance_of(graph, i, golden, others, half, quantized)
        outputs.append({"name": value.name, **entry})
        disagree.update(who)
    return {
        "rtol": max(o["rtol"] for o in outputs),
        "atol": max(o["atol"] for o in outputs),
        "quantised": quantized,
        "golden": ["ort_noopt"],
        "agree": [who for who, runs in others if who not in disagree and runs[0] is not None],
        "disagree": sorted(disagree),
        "outputs": outputs,
    }
