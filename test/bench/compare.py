#!/usr/bin/env python3
"""Compare compiled models with ONNX Runtime, side by side on this machine.

    python3 -m venv build/venv && build/venv/bin/pip install -r test/requirements.txt
    build/venv/bin/python test/models/make_zoo.py build/test/data/zoo-models
    build/venv/bin/python test/bench/compare.py                                # resnet50, mobilenet_v2, bert-base
    build/venv/bin/python test/bench/compare.py build/test/data/models/nanogpt --threads 1

A model is a folder with model.onnx and test_data_set_N (and tolerance.json, if there is one). For each it compiles the
model, checks that both give the same outputs, and prints

    ratio       time of mlc / time of ONNX Runtime per run, by medians and by minima; 1 thread, 2 threads
    compile     seconds and peak memory of `mlc compile`
    load        milliseconds from dlopen to a session that is ready, in a new process (median of five)
    size        of the .so, and how much more than the weights it is

and the size of the library of a one-node model, which is nearly the runtime alone. Nothing passes or fails on a time;
exit code 1 means that a model did not compile, did not run or gave wrong outputs.

Only the standard library is imported here: what starts a process lends it the figure of its own peak memory.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
DEFAULT_MODELS = [BUILD / "test" / "data" / "zoo-models" / name for name in ("resnet50", "mobilenet_v2", "bert-base")]
LOADS = 5


class Failed(Exception):
    """A model could not be measured; the text says why."""


def compile_model(mlc, model, library, options):
    """Wall seconds and peak megabytes of `mlc compile`."""
    command = [str(mlc.resolve()), "compile", str(model), "-o", str(library), *options]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()
            raise Failed(f"mlc compile exits with {process.returncode}" + (f": {said[0]}" if said else ""))
    return {"compile_s": seconds, "compile_peak_mb": usage.ru_maxrss / 1024}


def load_time(library):
    """Milliseconds from dlopen to ready."""
    times = []
    for _ in range(LOADS):
        process = subprocess.run(
            [sys.executable, HERE / "compiled_model.py", library], capture_output=True, text=True, check=False
        )
        if process.returncode:
            raise Failed(f"the model does not load: {(process.stderr.strip() or 'killed').splitlines()[-1]}")
        times.append(float(process.stdout))
    return statistics.median(times)


def run_in_child(pipe, function, arguments):
    import side_by_side

    try:
        pipe.send((getattr(side_by_side, function)(*arguments), None))
    except Exception as error:
        pipe.send((None, f"{type(error).__name__}: {error}".splitlines()[0]))


def in_child(function, *arguments):
    """The result of a function of side_by_side.py, called in a new process, which may crash."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=run_in_child, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        result, error = ours.recv()
    except EOFError:
        process.join()
        raise Failed(f"the process of the comparison ended with {process.exitcode}") from None
    process.join()
    if error:
        raise Failed(error)
    return result


def compare(folder, args, out):
    """All figures of one model."""
    model, data = folder / "model.onnx", folder / f"test_data_set_{args.set}"
    for path in (model, data):
        if not path.exists():
            raise Failed(f"expected {path}")
    library = out / f"{folder.name}.so"
    figures = compile_model(args.mlc, model, library, args.compile_option)
    figures["weights_mb"] = in_child("weight_bytes", str(model)) / 1e6
    figures["so_mb"] = library.stat().st_size / 1e6
    figures["load_ms"] = load_time(library)
    figures.update(in_child("measure", str(model), str(library), str(data), args.threads, args.seconds))
    return figures


def print_speed(name, figures):
    wrong = "" if figures["error"] <= 1 else f"  WRONG: error {figures['error']:.3g} times what is allowed"
    for threads, t in figures["threads"].items():
        print(
            f"{name:24} {threads:2} thread{'s' if int(threads) > 1 else ' '} "
            f"{t['mlc_ms']['median']:10.3f} {t['ort_ms']['median']:10.3f} "
            f"{t['ratio']['median']:8.2f} {t['ratio']['min']:8.2f}{wrong}",
            flush=True,
        )


def print_costs(results):
    print(f"\n{'model':24} {'compile s':>9} {'peak MB':>8} {'load ms':>8} {'.so MB':>8} {'- weights':>9}")
    for name, f in results.items():
        if "compile_s" in f:
            print(
                f"{name:24} {f['compile_s']:9.2f} {f['compile_peak_mb']:8.0f} {f['load_ms']:8.2f} "
                f"{f['so_mb']:8.2f} {f['so_mb'] - f['weights_mb']:9.2f}"
            )


def measure_runtime(mlc, options, out):
    """Compile time and library size of the one-node model."""
    model, library = out / "one-node.onnx", out / "one-node.so"
    in_child("write_one_node_model", str(model))
    figures = compile_model(mlc, model, library, options)
    return {"compile_s": figures["compile_s"], "so_kb": library.stat().st_size / 1e3}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=pathlib.Path, metavar="FOLDER", help="models to compare")
    parser.add_argument("--mlc", type=pathlib.Path, default=BUILD / "bin" / "mlc", help="the compiler (%(default)s)")
    parser.add_argument("--compile-option", action="append", default=[], metavar="OPTION", help="for mlc compile")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="numbers of threads (1 2)")
    parser.add_argument("--set", type=int, default=0, help="which test_data_set_N (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="time per model and number of threads (%(default)g)")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="leave the libraries in this folder")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures to this file too")
    args = parser.parse_intermixed_args()
    args.models = args.models or DEFAULT_MODELS
    if not args.mlc.is_file():
        parser.error(f"no compiler at {args.mlc}; --mlc names another place")
    return args


def compare_all(args, out):
    busy = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {busy:.1f}" + (" (busy: look at the minima)" if busy > 0.5 else ""))
    print(f"{'model':24} {'':10} {'mlc ms':>10} {'ORT ms':>10} {'ratio':>8} {'of min':>8}", flush=True)
    results = {}
    for folder in args.models:
        name = folder.resolve().name
        try:
            results[name] = compare(folder, args, out)
            print_speed(name, results[name])
        except Failed as failure:
            results[name] = {"failed": str(failure)}
            print(f"{name:24} failed: {failure}", flush=True)
    print_costs(results)
    try:
        runtime = measure_runtime(args.mlc, args.compile_option, out)
        milliseconds = runtime["compile_s"] * 1e3
        print(f"\none-node model: compiled in {milliseconds:.0f} ms, library of {runtime['so_kb']:.0f} KB")
    except Failed as failure:
        runtime = {"failed": str(failure)}
        print(f"\none-node model: {failure}")
    if args.json:
        args.json.write_text(json.dumps({"models": results, "one_node": runtime}, indent=1) + "\n")
    return all("failed" not in f and f["error"] <= 1 for f in results.values())


def main():
    args = parse_arguments()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        return 0 if compare_all(args, args.keep) else 1
    with tempfile.TemporaryDirectory() as out:
        return 0 if compare_all(args, pathlib.Path(out)) else 1


if __name__ == "__main__":
    sys.exit(main())
