"""Times one model in mlc and in ONNX Runtime, in one process, run by run.

The two take turns, so that whatever else the machine does meets both. Neither keeps a thread spinning while the other
runs. Each turn is a burst of runs, of which the first is not counted: it meets the caches as the other left them.
"""
import json
import pathlib
import statistics
import time

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from compiled_model import CompiledModel

BURST_SECONDS = 0.005
LEAST_ROUNDS = 5


def read_tensor(path):
    return numpy_helper.to_array(onnx.load_tensor(path))


def read_inputs(model, data):
    """Inputs of a test_data_set_N folder, by name."""
    graph = onnx.load(model, load_external_data=False).graph
    initializers = {t.name for t in graph.initializer}
    names = [i.name for i in graph.input if i.name not in initializers]
    return {name: np.ascontiguousarray(read_tensor(data / f"input_{i}.pb")) for i, name in enumerate(names)}


def weight_bytes(model):
    """Bytes of all tensors in a model file, external ones included."""

    def of_graph(graph):
        total = sum(of_tensor(t) for t in graph.initializer)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    total += of_tensor(attribute.t)
                for sub in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                    total += of_graph(sub)
        return total

    def of_tensor(tensor):
        if tensor.data_type == onnx.TensorProto.STRING:
            return sum(map(len, tensor.string_data))
        bits = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize * 8
        return int(np.prod(tensor.dims, dtype=np.int64)) * bits // 8

    return of_graph(onnx.load(model, load_external_data=False).graph)


def write_one_node_model(path):
    """Relu of four floats: the library of this model is nearly the runtime alone."""
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "one_node", [x], [y])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9), path)


def onnxruntime_run(model, feeds, threads):
    """A function that runs the model once, and one that gives the outputs of the last run."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.force_spinning_stop", "1")  # no spinning between runs
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for name, array in feeds.items():
        binding.bind_cpu_input(name, array)
    for output in session.get_outputs():
        binding.bind_output(output.name, "cpu")
    names = [output.name for output in session.get_outputs()]
    return lambda: session.run_with_iobinding(binding), lambda: dict(zip(names, binding.copy_outputs_to_cpu()))


def difference(got, want, tolerance):
    """The largest error of all outputs as a part of what is allowed: right when at most 1."""
    allowed = {o["name"]: (o["rtol"], o["atol"]) for o in tolerance.get("outputs", [])}
    worst = 0.0
    for name, w in want.items():
        g = got[name]
        if g.shape != w.shape or g.dtype != w.dtype:
            raise ValueError(f"output {name}: expected {w.dtype}{list(w.shape)}, got {g.dtype}{list(g.shape)}")
        if not w.size:
            continue
        if w.dtype.kind != "f":
            worst = max(worst, 0.0 if np.array_equal(g, w) else float("inf"))
            continue
        g, w = g.astype(np.float64), w.astype(np.float64)
        rtol, atol = allowed.get(name, (1e-3, max(1e-5 * float(np.abs(w).max()), 1e-12)))
        error = np.where((g == w) | (np.isnan(g) & np.isnan(w)), 0.0, np.abs(g - w) / (atol + rtol * np.abs(w)))
        worst = max(worst, float("inf") if np.isnan(error).any() else float(error.max()))
    return worst


def time_both(run_mlc, run_ort, seconds):
    """Times of single runs in seconds: those of mlc and those of ONNX Runtime."""
    runs, times, bursts = (run_mlc, run_ort), ([], []), []
    for run in runs:
        run()
        start = time.perf_counter()
        run()
        bursts.append(1 + max(1, round(BURST_SECONDS / (time.perf_counter() - start))))
    end = time.perf_counter() + seconds
    count = 0
    while count < LEAST_ROUNDS or time.perf_counter() < end:
        for which in (0, 1) if count % 2 else (1, 0):
            run = runs[which]
            run()
            for _ in range(bursts[which] - 1):
                start = time.perf_counter()
                run()
                times[which].append(time.perf_counter() - start)
        count += 1
    return times


def measure(model, library, data, threads, seconds):
    """Figures of one model as a dict: the error of mlc's outputs, and for each number of threads the times in ms."""
    model, data = pathlib.Path(model), pathlib.Path(data)
    feeds = read_inputs(model, data)
    tolerance_file = model.parent / "tolerance.json"
    tolerance = json.loads(tolerance_file.read_text()) if tolerance_file.is_file() else {}
    compiled = CompiledModel(library)
    result = {"inputs": {name: list(a.shape) for name, a in feeds.items()}, "threads": {}}
    for count in threads:
        run_ort, ort_outputs = onnxruntime_run(model, feeds, count)
        session = compiled.session(count)
        run_mlc = session.prepare(feeds)
        run_mlc()
        run_ort()
        got = dict(zip(compiled.output_names(), run_mlc.outputs()))
        result["error"] = max(result.get("error", 0.0), difference(got, ort_outputs(), tolerance))
        mlc, ort = time_both(run_mlc, run_ort, seconds)
        result["threads"][count] = {
            "runs": [len(mlc), len(ort)],
            "mlc_ms": {"median": statistics.median(mlc) * 1e3, "min": min(mlc) * 1e3},
            "ort_ms": {"median": statistics.median(ort) * 1e3, "min": min(ort) * 1e3},
            "ratio": {"median": statistics.median(mlc) / statistics.median(ort), "min": min(mlc) / min(ort)},
        }
        session.close()
    return result
