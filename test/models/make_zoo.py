#!/usr/bin/env python3
"""Make runnable zoo models, with inputs and golden outputs.

    python make_zoo.py build/test/data/zoo-models                  # the models that must run
    python make_zoo.py build/test/data/zoo-models vgg16 minilm-l6  # these instead
    python make_zoo.py build/test/data/zoo-models --list

The zoo stores architectures without weights (../shared/data/zoo/README.md). This
fills the weights in, makes inputs for every case of the model's description, and
runs ONNX Runtime without graph optimizations for the golden outputs:

    OUT/NAME/model.onnx
    OUT/NAME/test_data_set_N/{input_M.pb, output_M.pb, case.json}   case.json: name and dims of the case
    OUT/NAME/tolerance.json                                         as in ../shared/data/VECTORS.md

Every dynamic dimension takes two values at least: where the description's cases
give it one value n only, a further case has 2n + 1. A model that is there and up
to date is left alone.

Tolerances (tolerance.py) come from comparing that with ONNX Runtime with all
optimizations, and with ONNX's reference evaluator with every float turned into
float64 where it is done within two minutes. Of a model of half floats, ONNX
Runtime computes most in float32 on a CPU, rounding rarely; so the reference
evaluator also runs it as it is, which rounds what each node gives.
"""
import argparse
import hashlib
import json
import math
import multiprocessing
import pathlib
import shutil
import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

import unpack
from tolerance import holds_halves, is_float, make_tolerances

MUST_RUN = ["resnet50", "mobilenet_v2", "bert-base", "gpt2"]
# Cases beside those of the description: extents that are no multiple of anything a kernel likes, and masks that mask.
MORE_CASES = {
    "bert-base": {"b3s77_masked": {"batch": 3, "seq": 77}},
    "gpt2": {"b2s5_past19_masked": {"batch": 2, "seq": 5, "past": 19}},
}
MASKED = {"attention_mask": "randint 0 2", "token_type_ids": "randint 0 2"}
REFERENCE_SECONDS = 120
FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}


def all_cases(name, spec):
    """Name and dims of every case to make."""
    cases = {case: {**spec["dims"], **dims} for case, dims in spec["cases"].items()}
    for case, dims in MORE_CASES.get(name, {}).items():
        cases[case] = {**spec["dims"], **dims}
    single = {d: n for d, n in next(iter(cases.values())).items() if all(c.get(d) == n for c in cases.values())}
    if single:
        other = {d: 2 * n + 1 for d, n in single.items()}
        smallest = min(cases.values(), key=lambda dims: math.prod(n + 1 for n in dims.values()))
        cases["_".join(f"{d}{n}" for d, n in other.items())] = {**smallest, **other}
    return cases


def feeds_of(spec, case, dims, seed):
    """Inputs of one case, by name."""
    import make_inputs

    fills = MASKED if case.endswith("_masked") else {}
    inputs = {name: {**of, "fill": fills.get(name, of["fill"])} for name, of in spec["inputs"].items()}
    return make_inputs.make_inputs({"dims": dims, "cases": {case: {}}, "inputs": inputs}, case, seed)


# The runs that are compared. Each returns the outputs in the model's order.


def run_onnxruntime(model, feeds, optimize):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimize else levels.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return [session.run(None, f) for f in feeds]


def in_float64(model):
    """Turn every float of a model, inputs and outputs included, into float64."""

    def convert_graph(graph):
        for value in [*graph.input, *graph.output]:
            if value.type.tensor_type.elem_type in FLOATS:
                value.type.tensor_type.elem_type = TensorProto.DOUBLE
        del graph.value_info[:]
        for tensor in graph.initializer:
            convert_tensor(tensor)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name in ("to", "dtype") and attribute.i in FLOATS:
                    attribute.i = TensorProto.DOUBLE
                if attribute.HasField("t"):
                    convert_tensor(attribute.t)
                for sub in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                    convert_graph(sub)

    def convert_tensor(tensor):
        if tensor.data_type in FLOATS:
            values = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    convert_graph(model.graph)
    return model


def reference_worker(model, feeds, widen, results):
    try:
        from onnx.reference import ReferenceEvaluator

        model = onnx.load(model)
        evaluator = ReferenceEvaluator(in_float64(model) if widen else model)
        for case in feeds:
            if widen:
                case = {name: v.astype(np.float64) if is_float(v) else v for name, v in case.items()}
            results.put(evaluator.run(None, case))
    except Exception as error:  # an operator that the evaluator lacks: one opinion less
        results.put(f"{type(error).__name__}: {error}".splitlines()[0])


def run_reference(model, feeds, widen):
    """Outputs of each case, in float64 where WIDEN; None for those not done in time: its process is stopped then."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=reference_worker, args=(str(model), feeds, widen, results))
    process.start()
    runs = [None] * len(feeds)
    deadline = time.monotonic() + REFERENCE_SECONDS
    for i in range(len(feeds)):
        try:
            outputs = results.get(timeout=max(0.0, deadline - time.monotonic()))
        except Exception:  # queue.Empty: out of time
            break
        if isinstance(outputs, str):
            note(f"the reference evaluator does not run it ({outputs})")
            break
        runs[i] = outputs
    process.terminate()
    process.join()
    return runs


# Files


def write_tensor(path, array, name):
    path.write_bytes(numpy_helper.from_array(np.asarray(array), name).SerializeToString())


def write_set(folder, model, feeds, outputs, case):
    folder.mkdir()
    initializers = {t.name for t in model.graph.initializer}
    names = [v.name for v in model.graph.input if v.name not in initializers]
    for i, name in enumerate(names):
        write_tensor(folder / f"input_{i}.pb", feeds[name], name)
    for i, value in enumerate(model.graph.output):
        write_tensor(folder / f"output_{i}.pb", outputs[i], value.name)
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")


def fingerprint(paths):
    digest = hashlib.sha256(onnxruntime.__version__.encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def note(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def make(name, zoo, scripts, out):
    """Make one model, unless it is up to date."""
    stored, description = zoo / f"{name}.onnx", zoo / f"{name}.json"
    target, work = out / name, out / f".{name}.part"
    sources = sorted(pathlib.Path(__file__).parent.glob("*.py")) + sorted(scripts.glob("*.py"))
    stamp = fingerprint([*sources, stored, description])
    if (target / ".stamp").is_file() and (target / ".stamp").read_text() == stamp:
        return target
    start = time.monotonic()
    print(name, file=sys.stderr, flush=True)
    for folder in (target, work):
        shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True)

    import materialize

    model = materialize.materialize(onnx.load(stored))
    materialize.save(model, str(work / "model.onnx"))
    spec = json.loads(description.read_text())
    cases = all_cases(name, spec)
    feeds = [feeds_of(spec, case, dims, seed) for seed, (case, dims) in enumerate(cases.items())]

    note(f"ONNX Runtime {onnxruntime.__version__}, cases {', '.join(cases)}")
    golden = run_onnxruntime(work / "model.onnx", feeds, optimize=False)
    others = [("ort", run_onnxruntime(work / "model.onnx", feeds, optimize=True))]
    note("reference evaluator in float64")
    others.append(("ref_f64", run_reference(work / "model.onnx", feeds, widen=True)))
    if holds_halves(model.graph):
        note("reference evaluator in the model's own types")
        others.append(("ref", run_reference(work / "model.onnx", feeds, widen=False)))

    tolerance = make_tolerances(model, golden, others)
    (work / "tolerance.json").write_text(json.dumps(tolerance, indent=1) + "\n")
    for i, (case, dims) in enumerate(cases.items()):
        write_set(work / f"test_data_set_{i}", model, feeds[i], golden[i], {"case": case, "dims": dims})
    (work / ".stamp").write_text(stamp)
    work.rename(target)
    who = ", ".join(tolerance["agree"]) or "nobody else"
    note(f"{time.monotonic() - start:.0f} s; atol {tolerance['atol']:g}, agreeing: {who}"
         + (f"; disagreeing: {', '.join(tolerance['disagree'])}" if tolerance["disagree"] else ""))
    return target


def size_of(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="folder to make the models in")
    parser.add_argument("names", nargs="*", help=f"zoo models; {', '.join(MUST_RUN)} when none is given")
    parser.add_argument("--zoo", type=pathlib.Path, help="folder of the unpacked zoo (default: unpacked beside OUT)")
    parser.add_argument("--all", action="store_true", help="make all models of the zoo; an hour")
    parser.add_argument("--list", action="store_true", help="list the zoo's models and their cases")
    args = parser.parse_intermixed_args()
    data = unpack.data_folder()
    scripts = data / "zoo"
    sys.path.insert(0, str(scripts))
    sys.dont_write_bytecode = True
    zoo = args.zoo or unpack.unpack("zoo", args.out.parent, data)
    known = sorted(p.stem for p in zoo.glob("*.onnx"))
    if args.list:
        for name in known:
            print(f"{name:24} {', '.join(all_cases(name, json.loads((zoo / f'{name}.json').read_text())))}")
        return
    unknown = [n for n in args.names if n not in known]
    if unknown:
        parser.error(f"the zoo has no {', '.join(unknown)}; --list shows what it has")
    args.out.mkdir(parents=True, exist_ok=True)
    made = [make(name, zoo, scripts, args.out) for name in (known if args.all else args.names or MUST_RUN)]
    for folder in made:
        sets = len(list(folder.glob("test_data_set_*")))
        print(f"{folder}  {sets} sets, {size_of(folder) / 1e6:.0f} MB")
    print(f"{sum(map(size_of, made)) / 1e6:.0f} MB in all")


if __name__ == "__main__":
    main()
