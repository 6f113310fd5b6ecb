"""Models of one node with random inputs, compared with what others make of them: what the fuzzers of operators share.

A fuzzer states a function that makes a Case from a Chance, and calls `main`.
"""
import argparse
import json
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile
import warnings

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

NODE = "subject"
SECONDS = 60
CRASHED = "crashes"
HALVES = [np.float16, ml_dtypes.bfloat16]


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


def in_child(evaluate):
    """What a function returns that may crash; raises an exception where it does, or raises one."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def work():
        try:
            sender.send((evaluate(), None))
        except Exception as error:
            sender.send((None, str(error)))

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        error = CRASHED
    child.join()
    if error is not None:
        raise RuntimeError(error)
    return result


def is_array(value):
    return not isinstance(value, (dict, list))


def type_of(value):
    """ONNX's type of an array, of a map, which is a dict of one array of a single element for each key, or of a
    sequence of maps; extents are left open, and that of an empty map is not known."""
    if isinstance(value, list):
        return helper.make_sequence_type_proto(type_of(value[0]))
    if isinstance(value, dict):
        (key, item) = next(iter(value.items()))
        number = TensorProto.STRING if isinstance(key, str) else TensorProto.INT64
        return helper.make_map_type_proto(number, helper.make_tensor_type_proto(kind_of(np.asarray(item)), []))
    return helper.make_tensor_type_proto(kind_of(value), [None] * value.ndim)


def kind_of(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def message_of(value):
    """The message that ONNX has for a value in a file."""
    if isinstance(value, list):
        message = onnx.SequenceProto(elem_type=onnx.SequenceProto.MAP)
        message.map_values.extend(message_of(item) for item in value)
        return message
    if isinstance(value, dict):
        message = onnx.MapProto(key_type=TensorProto.INT64)
        message.values.elem_type = onnx.SequenceProto.TENSOR
        for key, item in value.items():
            if isinstance(key, str):
                message.key_type = TensorProto.STRING
                message.string_keys.append(key.encode())
            else:
                message.keys.append(int(key))
            array = np.asarray(item)
            message.values.tensor_values.append(numpy_helper.from_array(array if array.dtype.kind != "U" else array.astype(object)))
        return message
    return numpy_helper.from_array(value.copy(order="C"))


class Case:
    """A node, its inputs, and what may come out of it.

    `inputs` are arrays, maps as dicts, or None where one is absent; `settings` numbers those that keep their extents where the others'
    become unknown, because they set the rank of a result. `outputs` is how many there are, or which of them.
    """

    def __init__(self, operator, inputs, attributes, outputs=1, domain="", opset=21, is_dynamic=False, settings=()):
        self.operator, self.attributes, self.is_dynamic = operator, attributes, is_dynamic
        names = [f"i{k}" if value is not None else "" for k, value in enumerate(inputs)]
        self.names, self.places = names, [True] * outputs if isinstance(outputs, int) else outputs
        self.feeds = {name: np.asarray(value) if is_array(value) else value for name, value in zip(names, inputs) if name}
        results = [f"o{k}" if is_there else "" for k, is_there in enumerate(self.places)]
        self.outputs = [name for name in results if name]
        node = helper.make_node(operator, names, results, name=NODE, domain=domain, **attributes)
        ports = [self.port(name, value, names.index(name) in settings) for name, value in self.feeds.items()]
        results = [helper.make_empty_tensor_value_info(name) for name in self.outputs]
        graph = helper.make_graph([node], "case", ports, results)
        opsets = [helper.make_opsetid(domain, opset)] + ([helper.make_opsetid("", 21)] if domain else [])
        self.model = helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def port(self, name, value, is_setting):
        if not is_array(value):
            return helper.make_value_info(name, type_of(value))
        is_dynamic = self.is_dynamic and not is_setting
        shape = [f"{name}_{axis}" for axis in range(value.ndim)] if is_dynamic else value.shape
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), shape)

    def __str__(self):
        def text(value):
            if not is_array(value):
                return f"{value}"
            is_float = value.dtype.kind in "fV"  # the latter is how numpy sees bfloat16
            return f"{value.dtype}{list(value.shape)}" if is_float else f"{value.tolist()}"

        def number(value):
            return numpy_helper.to_array(value).tolist() if isinstance(value, onnx.TensorProto) else value

        inputs = ", ".join(map(text, self.feeds.values()))
        attributes = {name: number(value) for name, value in self.attributes.items()}
        return f"{self.operator} {attributes} ({inputs}), extents {'unknown' if self.is_dynamic else 'fixed'}"

    def expected(self):
        """What may come out: the results of ONNX Runtime and of the reference evaluator, where they have some."""
        return self.answers_of([self.of_runtime, self.of_reference])

    def answers_of(self, evaluators):
        """What those of them give that do not refuse the case."""
        answers = []
        for evaluate in evaluators:
            try:
                answers.append([np.asarray(value) if is_array(value) else value for value in in_child(evaluate)])
            except RuntimeError:
                pass
        return answers

    def of_runtime(self):
        session = onnxruntime.InferenceSession(self.model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, self.feeds)

    def of_reference(self):
        with np.errstate(all="ignore"):
            return ReferenceEvaluator(self.model).run(None, self.feeds)

    def declare(self, answer):
        """Says of the outputs what an answer tells: which rank they have; nothing where there is no answer."""
        del self.model.graph.output[:]
        for k, name in enumerate(self.outputs):
            port = helper.make_empty_tensor_value_info(name)
            if answer and (is_array(answer[k]) or answer[k]):
                port = helper.make_value_info(name, type_of(answer[k]))
            self.model.graph.output.append(port)


RTOL, ATOL = 1e-3, 1e-5
# Of halves, what rounding a few sums of about 1 to them costs.
COARSE = {TensorProto.FLOAT16: 2e-3, TensorProto.BFLOAT16: 1.6e-2}


def tolerance_of(case):
    """The relative and the absolute difference that may be between an answer and what mlc gives."""
    coarse = max((COARSE.get(port.type.tensor_type.elem_type, 0) for port in case.model.graph.input), default=0)
    return (coarse, 2 * coarse) if coarse else (RTOL, ATOL)


def write_values(folder, stem, values):
    for k, value in enumerate(values):
        (folder / f"{stem}_{k}.pb").write_bytes(message_of(value).SerializeToString())


def run(mlc, case, answer, folder):
    """The exit status and the text of mlc, compared with an answer if there is one."""
    case.declare(answer)
    model = folder / "model.onnx"
    onnx.save(case.model, model)
    write_values(folder, "input", case.feeds.values())
    command = [mlc, "verify", model, "--data", folder]
    if answer is None:
        command = [mlc, "run", model] + [f"--input={name}={folder}/input_{k}.pb" for k, name in enumerate(case.feeds)]
    else:
        write_values(folder, "output", answer)
        (folder / "tolerance.json").write_text(json.dumps(dict(zip(("rtol", "atol"), tolerance_of(case)))))
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
        names_node = f"{NODE} (" in text or f"node '{NODE}': 'onnx." in text
        if names_node and ("expects" in text or answer is None):
            return ""  # refused, as it should be where there is no answer, and may be for what contradicts itself
        problem = text
    return problem


def main(description, make_case):
    """Runs cases as the command line says. `make_case` makes one from a Chance."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlc", default="build/bin/mlc", help="the compiler, default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers, default %(default)s")
    parser.add_argument("--count", type=int, default=200, help="of cases, default %(default)s")
    parser.add_argument("--only", type=int, help="the number of the only case that is run")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(4)
    numbers = range(args.count) if args.only is None else [args.only]
    problems = 0
    for number in numbers:
        case = make_case(Chance([args.seed, number]))
        if problem := problem_of(args.mlc, case):
            problems += 1
            print(f"case {number}: {case}\n    {problem[-400:]}", flush=True)
    print(f"{len(numbers)} cases, {problems} problems")
    sys.exit(problems > 0)
