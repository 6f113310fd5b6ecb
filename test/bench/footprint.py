#!/usr/bin/env python3
"""How large the libraries of the must-run models are, and how long they take to load.

    build/venv/bin/python test/bench/footprint.py              # all of test/models/must-run.txt that is there
    build/venv/bin/python test/bench/footprint.py mnist-cntk8  # these

For each model: the size of its weights in the library, of all else in it, of the .onnx file for comparison, and the
time from dlopen to a session that is ready (median of new processes, the file in the page cache). The goals: at most 2 MB more than the .onnx file,
and 10 ms. The last row is a model that computes nothing: what the runtime takes, at most 300 kB. Exits with 1 where a goal is missed.
"""
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
DATA = BUILD / "test" / "data"
REPEATS = 7
MOST_BYTES, MOST_MILLISECONDS, MOST_RUNTIME_BYTES = 2_000_000, 10.0, 300_000
NOTHING = '<ir_version: 10, opset_import: ["" : 22]> nothing (float[N] x) => (float[N] y) { y = Identity(x) }\n'


def must_run():
    for line in (ROOT / "test/models/must-run.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield DATA / line / "model.onnx"


def weight_bytes(library):
    sections = subprocess.run(["readelf", "-SW", library], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\.mlc_weights\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)", sections)
    return int(found[1], 16) if found else 0


def load_milliseconds(library):
    command = [sys.executable, ROOT / "test/bench/compiled_model.py", library]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(REPEATS)]
    return statistics.median(float(re.search(r"[0-9.]+", run)[0]) for run in runs)


def measure(name, model, folder):
    library = folder / f"{name}.so"
    done = subprocess.run([BUILD / "bin/mlc", "compile", model, "-o", library], capture_output=True, text=True)
    if done.returncode:
        print(f"{name:28}  {done.stderr.splitlines()[0]}", flush=True)
        return True
    weights, size, load = weight_bytes(library), library.stat().st_size, load_milliseconds(library)
    most = MOST_RUNTIME_BYTES if name == "nothing" else model.stat().st_size + MOST_BYTES
    good = size <= most and load <= MOST_MILLISECONDS
    print(f"{name:28} {weights / 1e6:9.2f} {(size - weights) / 1e6:9.3f} {model.stat().st_size / 1e6:9.2f} {load:8.2f}"
          f"{'' if good else '  MISSED'}", flush=True)
    library.unlink()
    return good


def main():
    chosen = sys.argv[1:]
    models = [(m.parent.name, m) for m in must_run() if m.is_file() and (not chosen or m.parent.name in chosen)]
    folder = BUILD / "test" / "footprint"
    folder.mkdir(parents=True, exist_ok=True)
    nothing = folder / "nothing.onnxtxt"
    nothing.write_text(NOTHING)
    print(f"{'model':28} {'weights':>9} {'all else':>9} {'.onnx':>9} {'load':>8}\n{'':28} {'MB':>9} {'MB':>9} {'MB':>9} {'ms':>8}")
    results = [measure(name, model, folder) for name, model in [*models, ("nothing", nothing)]]
    sys.exit(0 if all(results) else 1)


main()
