#!/usr/bin/env python3
"""Write the official ONNX backend suite, as it comes with the package onnx, into a folder.

    python make_cases.py build/test/cases

Leaves OUT/KIND/CASE/{model.onnx, test_data_set_0/{input_N.pb, output_N.pb}, case.json} for the kinds

    node                the node cases as they are
    node-dynamic        ... with every extent of inputs and outputs replaced by a symbol of its own
    node-constant       ... with settings (axes, shapes, bounds) and weights as initializers instead of inputs
    simple, pytorch-converted, pytorch-operator     the model cases with data
    light               the light models: image classifiers with constant weights

A node case has a variant only where it differs: it has an extent, or an input that sets or weighs.
The dynamic variant keeps the extents of settings: the length of a shape is the rank of a result, which
is known in every model that is compiled.

case.json says what the official runner knows about the case:

    name, kind
    operator        what it tests, domain:Name outside ai.onnx; empty for models of several operators
    rtol, atol      |got - want| <= atol + rtol |want|; the official 1e-3 and 1e-7 unless the case has others
    outputs         name, rtol and atol of each: bfloat16 is allowed two units in the last place, integers,
                    bools and strings are exact (the official runner lets integers differ by rtol)
    compare         "values", or "types" where the operator draws random numbers: dtype and shape only

What is written already by the same script and version of onnx is left alone.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from variants import SETTINGS, WEIGHTS, inputs_in, with_constants, with_symbols

ONNX_VERSION = "1.23.2"
PROGRESS_EVERY = 50
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


# What a case is about


def qualified(node):
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}"


def tested_node(case, siblings):
    """The node that a case tests, None if there is no telling.

    Cases with the operator's function body in its place are about the operator of the case with the same
    name before "_expanded". Of several nodes it is the one whose name begins the name of the case.
    """
    sibling = siblings.get(case.name.split("_expanded")[0], case)
    nodes = sibling.model.graph.node
    if len(nodes) == 1:
        return nodes[0]
    words = case.name.removeprefix("test_").replace("_", "")
    named = [n for n in nodes if words.startswith(n.op_type.lower())]
    return max(named, key=lambda n: len(n.op_type), default=None)


def draws_random(model, feeds):
    """Whether a case's values depend on a random generator, so that only types can be compared."""
    for node in model.graph.node:
        if node.op_type in RANDOM:
            return True
        if node.op_type == "Dropout" and len(node.input) > 2:
            ratio = feeds.get(node.input[1])
            if bool(feeds[node.input[2]]) and (ratio is None or float(ratio) != 0):
                return True
    return False


# Files


def tensor_proto(array, name):
    if not isinstance(array, TensorProto):
        return numpy_helper.from_array(np.asarray(array), name)
    named = TensorProto()
    named.CopyFrom(array)
    named.name = name
    return named


def value_proto(value, info):
    """A value in the protobuf message that its declared type asks for."""
    kind = info.type.WhichOneof("value")
    if kind == "tensor_type":
        return tensor_proto(value, info.name)
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    return numpy_helper.from_optional(value, info.name)


def output_tolerance(info, rtol, atol):
    type_ = info.type
    while type_.WhichOneof("value") in ("sequence_type", "optional_type"):
        type_ = getattr(type_, type_.WhichOneof("value")).elem_type
    element = type_.tensor_type.elem_type
    if element == TensorProto.BFLOAT16:
        rtol = max(rtol, 2**-6)
    name = TensorProto.DataType.Name(element)
    if name in ("BOOL", "STRING") or name.startswith(("INT", "UINT")):
        rtol = atol = 0.0
    return {"name": info.name, "rtol": rtol, "atol": atol}


def write_description(folder, kind, model, operator, rtol, atol, compare="values"):
    description = {
        "name": folder.name,
        "kind": kind,
        "operator": operator,
        "rtol": rtol,
        "atol": atol,
        "compare": compare,
        "outputs": [output_tolerance(info, rtol, atol) for info in model.graph.output],
    }
    (folder / "case.json").write_text(json.dumps(description, indent=1) + "\n")


def write_values(folder, prefix, infos, values):
    for i, (info, value) in enumerate(zip(infos, values, strict=True)):
        (folder / f"{prefix}_{i}.pb").write_bytes(value_proto(value, info).SerializeToString())


def write_node_case(out, kind, case, model, operator, feeds, compare):
    folder = out / kind / case.name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    write_values(data, "input", model.graph.input, [feeds[i.name] for i in model.graph.input])
    write_values(data, "output", model.graph.output, case.data_sets[0][1])
    write_description(folder, kind, model, operator, case.rtol, case.atol, compare)


class Progress:
    """A line that counts, where there is a terminal to watch it."""

    def __init__(self):
        self.shows = sys.stderr.isatty()
        self.count = 0

    def step(self, what):
        self.count += 1
        if self.shows and self.count % PROGRESS_EVERY == 0:
            print(f"\r{self.count} {what:24}", end="", file=sys.stderr, flush=True)

    def done(self):
        if self.shows:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


def collect_node_cases():
    with warnings.catch_warnings():  # the suite overflows and divides by zero on purpose
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        return collect_testcases(None)


def write_node_cases(out, progress):
    cases = collect_node_cases()
    siblings = {case.name: case for case in cases}
    for case in cases:
        node = tested_node(case, siblings)
        operator = qualified(node) if node is not None else ""
        feeds = {info.name: value for info, value in zip(case.model.graph.input, case.data_sets[0][0], strict=True)}
        compare = "types" if draws_random(case.model, feeds) else "values"
        settings, weights = inputs_in(SETTINGS, node), inputs_in(WEIGHTS, node)
        constants = {
            info.name: tensor_proto(feeds[info.name], info.name)
            for info in case.model.graph.input
            if info.name in settings | weights and info.type.HasField("tensor_type")
        }
        variants = {
            "node": case.model,
            "node-dynamic": with_symbols(case.model, kept=settings),
            "node-constant": with_constants(case.model, constants),
        }
        for kind, model in variants.items():
            if model is not None:
                write_node_case(out, kind, case, model, operator, feeds, compare)
        progress.step("node cases")


def write_model_cases(out, progress):
    from onnx.backend.test.loader import load_model_tests

    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            folder = out / kind / case.name
            shutil.copytree(case.model_dir, folder)
            model = onnx.load(folder / "model.onnx")
            operators = {qualified(n) for n in model.graph.node if n.op_type != "Constant"}
            write_description(folder, kind, model, operators.pop() if len(operators) == 1 else "", case.rtol, case.atol)
            progress.step("model cases")


def write_light_cases(out, progress):
    """The light models, with the input and the outputs that the official runner compares."""
    from onnx.backend.test.loader import load_model_tests
    from onnx.backend.test.runner import Runner

    data = pathlib.Path(onnx.backend.test.loader.DATA_DIR) / "light"
    for case in load_model_tests(kind="real"):
        stored = data / pathlib.Path(case.url).name
        folder = out / "light" / case.name
        (folder / "test_data_set_0").mkdir(parents=True)
        shutil.copy(stored, folder / "model.onnx")
        model = onnx.load(stored)
        initializers = {t.name for t in model.graph.initializer}
        inputs = [i for i in model.graph.input if i.name not in initializers]
        arrays = [Runner.generate_dummy_data(i, seed=0, name=case.model_name, random=False) for i in inputs]
        write_values(folder / "test_data_set_0", "input", inputs, arrays)
        for i in range(len(model.graph.output)):
            shutil.copy(stored.with_name(f"{stored.stem}_output_{i}.pb"), folder / "test_data_set_0" / f"output_{i}.pb")
        write_description(folder, "light", model, "", case.rtol, case.atol)
        progress.step("light models")


def write_once(out, made_by, writers):
    """Fills a folder, as a whole or not at all, unless its stamp says that the same has filled it; prints how many cases
    there are. Each writer takes a folder and a Progress."""
    stamp = out / ".stamp"
    if not stamp.is_file() and out.is_dir() and any(out.iterdir()):
        sys.exit(f"error: {out} has other files in it; expected a new or an empty folder")
    if not (stamp.is_file() and stamp.read_text() == made_by):
        work = out.with_name(out.name + f".part{os.getpid()}")
        shutil.rmtree(work, ignore_errors=True)
        progress = Progress()
        for write in writers:
            write(work, progress)
        progress.done()
        (work / ".stamp").write_text(made_by)
        shutil.rmtree(out, ignore_errors=True)
        work.rename(out)
    counts = {kind.name: sum(1 for _ in kind.iterdir()) for kind in sorted(out.iterdir()) if kind.is_dir()}
    print(", ".join(f"{kind} {count}" for kind, count in counts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="folder to write the cases into")
    args = parser.parse_args()
    if onnx.__version__ != ONNX_VERSION:
        sys.exit(f"error: expected onnx {ONNX_VERSION}, got {onnx.__version__} (pip install -r test/requirements.txt)")

    scripts = sorted(pathlib.Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(script.read_bytes() for script in scripts)).hexdigest()
    write_once(args.out, f"onnx {onnx.__version__} {digest}\n", [write_node_cases, write_model_cases, write_light_cases])


if __name__ == "__main__":
    main()
