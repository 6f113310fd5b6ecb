"""Looks at the code objects of libraries for HIP: no kernel may keep anything in scratch memory because it lacks registers, nor may a
contraction at all; all know which memory their addresses are of; and counts the kernels that have instructions of matrix cores.

    code_objects.py [--chip=gfx942] [--every=N] MODEL-OR-FOLDER...   compiles models; a folder stands for all files model.onnx below it
    code_objects.py --show FILE                                      prints metadata and code of what is in a library, or in IR

Needs mlc and LLVM's own tools (/usr/lib/llvm-22/bin) in PATH. Models that cannot be compiled for x86 either are counted, and are not this script's concern. That metadata agrees with how kernels are
launched is checked by mlc when it compiles.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

MATRIX = re.compile(r"v_(?:s?mfmac?|wmma)_\w+")
PRIVATE = re.compile(r"scratch_\w+|buffer_(?:load|store)_\w+")


def models_in(paths):
    for path in map(pathlib.Path, paths):
        yield from sorted(path.rglob("model.onnx")) if path.is_dir() else [path]


def bytes_of_ir(text):
    """The contents of strings that are code, of IR as it is printed."""
    for quoted in re.findall(rb'@mlc\.device\.code\.\d+\("((?:[^"\\]|\\.)*)"\)', text):
        yield re.sub(rb"\\([0-9A-F]{2}|.)", lambda m: bytes.fromhex(m[1].decode()) if len(m[1]) == 2 else m[1], quoted)


def code_objects_in(contents):
    """Files of ELF for AMDGPU, wherever they are."""
    begin = contents.find(b"\x7fELF")
    while begin >= 0:
        size = 4
        if struct.unpack_from("<H", contents, begin + 18)[0] == 224:
            table, = struct.unpack_from("<Q", contents, begin + 40)
            entry, count = struct.unpack_from("<HH", contents, begin + 58)
            size = table + entry * count
            yield contents[begin : begin + size]
        begin = contents.find(b"\x7fELF", begin + size)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def describe(code):
    """Metadata and disassembly."""
    with tempfile.NamedTemporaryFile(suffix=".hsaco") as file:
        file.write(code)
        file.flush()
        return run("llvm-readelf", "--notes", file.name), run("llvm-objdump", "-d", "--no-show-raw-insn", "--no-leading-addr", file.name)


def number(kernel, key):
    found = re.search(rf"\.{key}: +(\d+)", kernel)
    return int(found[1]) if found else 0


def look(code):
    """Kernels, how many of them have instructions of matrix cores, and the problems."""
    notes, text = describe(code)
    chip = re.search(r"amdhsa.target: +\S+--(\w+)", notes)[1]
    bodies = dict(re.findall(r"^<(\S+)>:\n((?:.+\n?)*)", text, re.M))
    kernels = re.split(r"^  - ", notes[notes.index("amdhsa.kernels") : notes.index("amdhsa.target")], flags=re.M)[1:]
    with_matrix, problems = 0, []
    for kernel in kernels:
        name = re.search(r"\.name: +(\S+)", kernel)[1]
        with_matrix += bool(MATRIX.search(bodies[name]))
        said = {key: number(kernel, key) for key in ("vgpr_spill_count", "sgpr_spill_count", "private_segment_fixed_size")}
        if PRIVATE.search(bodies[name]):
            said["instructions on scratch memory"] = len(PRIVATE.findall(bodies[name]))
        # Functions may have arrays of their own; a contraction has none.
        if not name.startswith("contract"):
            said = {key: value for key, value in said.items() if key.startswith("vgpr")}
        if re.search(r"^\s+flat_", bodies[name], re.M):
            said["flat addresses"] = len(re.findall(r"^\s+flat_", bodies[name], re.M))
        problems += [f"{chip} {name}: {value} {key}" for key, value in said.items() if value]
    return len(kernels), with_matrix, problems


def check(model, chip):
    """One of "compiled", "host", "refused"; kernels, those with matrix cores, problems."""
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "model.so")
        compiled = subprocess.run(["mlc", "compile", model, "--target=hip", "--chip=" + chip, "-o", library],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if compiled.returncode:
            there = subprocess.run(["mlc", "compile", model, "--target=x86", "-o", library], capture_output=True).returncode == 0
            return "refused", 0, 0, [compiled.stderr] if there or compiled.returncode != 1 else []
        kernels, with_matrix, problems = 0, 0, []
        for code in code_objects_in(pathlib.Path(library).read_bytes()):
            own, own_matrix, own_problems = look(code)
            kernels, with_matrix, problems = kernels + own, with_matrix + own_matrix, problems + own_problems
        return "compiled" if kernels else "host", kernels, with_matrix, problems


def show(path):
    contents = pathlib.Path(path).read_bytes()
    if not contents.startswith(b"\x7fELF"):
        contents = b"".join(bytes_of_ir(contents))
    for code in code_objects_in(contents):
        notes, text = describe(code)
        print(re.search(r"amdhsa.target:.*", notes)[0], notes, text, sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chip", default="gfx942", help="as in mlc compile --chip=")
    parser.add_argument("--every", default=1, type=int)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    if options.show:
        return show(*options.models)
    models = list(models_in(options.models))[:: options.every]
    counts, kernels, with_matrix, bad = {}, 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for model, (what, own, own_matrix, problems) in zip(models, pool.map(lambda model: check(model, options.chip), models)):
            counts[what] = counts.get(what, 0) + 1
            kernels, with_matrix = kernels + own, with_matrix + own_matrix
            if problems:
                bad += 1
                print(f"{model}:", *problems, sep="\n  ")
    print(f"{counts.get('compiled', 0)} models compiled for {options.chip}, {kernels} kernels, {with_matrix} of them with matrix cores; "
          f"{counts.get('host', 0)} run on the host alone, {counts.get('refused', 0)} do not compile; {bad} with problems")
    return 1 if bad or not kernels else 0


if __name__ == "__main__":
    sys.exit(main())
