#!/usr/bin/env python3
"""Run single operators on random inputs, valid and invalid, in mlc and in ONNX Runtime.

    build/venv/bin/python test/fuzz/operators.py --seed 1 --count 500

Each case is a model of one node, whose extents are fixed or unknown, and inputs that may contradict it: indices and
axes out of range, negative counts, extents that do not fit. mlc must give what ONNX Runtime or the reference evaluator of
onnx gives, or end with an error that names the node; it must not crash, hang, or speak of what it makes of the node.
Prints the cases where it does not, and exits with 1 if there are any. What has been found is kept in
test/dialects/onnx/ops/fuzzed.onnxtxt.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

NODE = "subject"
SECONDS = 60
REDUCTIONS = ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL2", "ReduceLogSumExp"]
CRASHED = "crashes"


class Chance:
    """Random parts of cases."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def number(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def rarely(self):
        return self.number(0, 7) == 0

    def one_of(self, choices):
        return choices[self.number(0, len(choices) - 1)]

    def shape(self, least=0, most=3):
        return [0 if self.rarely() else self.number(1, 4) for _ in range(self.number(least, most))]

    def floats(self, shape):
        return self.rng.normal(size=shape).astype(np.float32)

    def integers(self, low, high, shape, dtype=np.int64):
        return self.rng.integers(low, high + 1, shape).astype(dtype)

    def bools(self, shape):
        return self.rng.integers(0, 2, shape).astype(bool)

    def axis(self, rank):
        return self.number(-rank, rank - 1)


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
    return c.one_of(["Div", "Mod"]), [c.integers(-5, 5, c.shape(0, 2), np.int32), np.int32(c.number(-2, 2))], {}


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
    attributes |= {"pads": [c.number(0, 1) for _ in range(4)], "ceil_mode": c.number(0, 1)}
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


class Case:
    def __init__(self, chance):
        self.operator, inputs, self.attributes = chance.one_of(CASES)(chance)
        names = [f"i{k}" if value is not None else "" for k, value in enumerate(inputs)]
        self.feeds = {name: np.asarray(value) for name, value in zip(names, inputs) if name}
        self.outputs = [f"o{k}" for k in range(OUTPUTS.get(self.operator, 1))]
        node = helper.make_node(self.operator, names, self.outputs, name=NODE, **self.attributes)
        is_dynamic = chance.number(0, 2) > 0
        ports = [self.port(name, value, is_dynamic) for name, value in self.feeds.items()]
        results = [helper.make_empty_tensor_value_info(name) for name in self.outputs]
        graph = helper.make_graph([node], "case", ports, results)
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def port(self, name, value, is_dynamic):
        sets = value.dtype == np.int64 and value.ndim == 1 and self.operator not in DATA
        shape = [f"{name}_{axis}" for axis in range(value.ndim)] if is_dynamic and not sets else value.shape
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), shape)

    def __str__(self):
        def text(value):
            return f"floats{list(value.shape)}" if value.dtype == np.float32 else f"{value.tolist()}"

        extents = "fixed" if all(d.HasField("dim_value") for p in self.model.graph.input
                                 for d in p.type.tensor_type.shape.dim) else "unknown"
        inputs = ", ".join(map(text, self.feeds.values()))
        return f"{self.operator} {self.attributes} ({inputs}), extents {extents}"

    def expected(self):
        """What may come out: the results of ONNX Runtime and of the reference evaluator, where they have some."""
        answers = []
        for evaluate in (self.of_runtime, self.of_reference):
            try:
                answers.append([np.asarray(value) for value in evaluate()])
            except Exception:  # whatever they refuse it with
                pass
        return answers

    def of_runtime(self):
        session = onnxruntime.InferenceSession(self.model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, self.feeds)

    def of_reference(self):
        with np.errstate(all="ignore"):
            return ReferenceEvaluator(self.model).run(None, self.feeds)

    def declare(self, answer):
        """Types of the outputs: the ranks of an answer, or those of the first input where there is none."""
        first = next(iter(self.feeds.values()))
        del self.model.graph.output[:]
        for k, name in enumerate(self.outputs):
            value = answer[k] if answer else first
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            if not answer and self.operator in ("ArgMax", "ArgMin", "NonZero"):
                kind = onnx.TensorProto.INT64
            elif not answer and self.operator in ("DequantizeLinear", "ConstantOfShape", "OneHot"):
                kind = onnx.TensorProto.FLOAT
            self.model.graph.output.append(helper.make_tensor_value_info(name, kind, [None] * value.ndim))


def write_tensors(folder, stem, values):
    for k, value in enumerate(values):
        (folder / f"{stem}_{k}.pb").write_bytes(numpy_helper.from_array(value.copy(order="C")).SerializeToString())


def run(mlc, case, answer, folder):
    """The exit status and the text of mlc, compared with an answer if there is one."""
    case.declare(answer)
    model = folder / "model.onnx"
    onnx.save(case.model, model)
    write_tensors(folder, "input", case.feeds.values())
    command = [mlc, "verify", model, "--data", folder]
    if answer is None:
        command = [mlc, "run", model] + [f"--input={name}={folder}/input_{k}.pb" for k, name in enumerate(case.feeds)]
    else:
        write_tensors(folder, "output", answer)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return CRASHED, f"takes more than {SECONDS} seconds"
    text = " | ".join((done.stdout + done.stderr).strip().splitlines())
    return CRASHED if done.returncode not in (0, 1) else done.returncode, text


def problem_of(mlc, case):
    """What is wrong with what mlc makes of a case; empty if nothing is."""
    problem = ""
    for answer in case.expected() or [None]:
        with tempfile.TemporaryDirectory() as folder:
            status, text = run(mlc, case, answer, pathlib.Path(folder))
        if status == CRASHED:
            return text or CRASHED
        if status == 0:
            return ""
        names_node = f"{NODE} (" in text or f"node '{NODE}': 'onnx.{case.operator}'" in text
        if names_node and "expects" in text:
            return ""  # refused, as it should be where there is no answer, and may be where there is one
        problem = text
    return problem


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlc", default="build/bin/mlc", help="the compiler, default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers, default %(default)s")
    parser.add_argument("--count", type=int, default=200, help="of cases, default %(default)s")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(4)
    problems = 0
    for number in range(args.count):
        case = Case(Chance([args.seed, number]))
        if problem := problem_of(args.mlc, case):
            problems += 1
            print(f"case {number}: {case}\n    {problem[-400:]}", flush=True)
    print(f"{args.count} cases, {problems} problems")
    sys.exit(problems > 0)


if __name__ == "__main__":
    main()
