#!/usr/bin/env python3
"""Unpack the test data that lies beside the checkout into a build folder.

    python unpack.py build/test/data            # models with their vectors, and the zoo
    python unpack.py build/test/data models     # the models only

Leaves OUT/models/NAME/{model.onnx, test_data_set_N/, tolerance.json} and
OUT/zoo/NAME.{onnx,json}. What is there already and comes from the same archives
is left alone. A data set with an inputs.json has its inputs made from it: its
numbers are hashes of their positions. The data folder is ../shared/data beside the checkout, or what
MLC_TEST_DATA names. Exits with 77 (skipped) where it is absent.

Needs the tool zstd, or the Python package zstandard; and the packages numpy and
onnx for inputs that are made.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

SKIPPED = 77
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# The second archive of the models unpacks over the first.
ARCHIVES = {"models": ["models-dev.tar.zst", "models-dev-vectors.tar.zst"], "zoo": ["zoo/zoo-dev.tar.zst"]}


def data_folder():
    """The folder of the test data; leaves the program, saying so, where there is none."""
    folder = pathlib.Path(os.environ.get("MLC_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        print(f"skipped: no test data in {folder} (MLC_TEST_DATA names another folder)", file=sys.stderr)
        sys.exit(SKIPPED)
    return folder


def extract_tar(stream, archive, out):
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            tar.extractall(out, filter="data")
    except tarfile.TarError as error:
        sys.exit(f"error: {archive} is damaged: {error}")


def extract(archive, out):
    """Unpack one .tar.zst into a folder."""
    if shutil.which("zstd"):
        with subprocess.Popen(["zstd", "-dcq", archive], stdout=subprocess.PIPE) as zstd:
            extract_tar(zstd.stdout, archive, out)
            zstd.stdout.read()  # the padding after the end mark, which tarfile leaves in the pipe
        if zstd.returncode:
            sys.exit(f"error: zstd cannot read {archive}")
        return
    try:
        import zstandard
    except ImportError:
        sys.exit("error: unpacking needs the tool zstd (apt install zstd) or the Python package zstandard")
    with open(archive, "rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
        extract_tar(plain, archive, out)


def hashed(shape, seed, scale):
    """Numbers from -scale to scale: a hash of each position and the seed."""
    import numpy as np

    h = np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint32) + np.uint32(seed)
    for _ in range(2):
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x45D9F3B)
    h ^= h >> np.uint32(16)
    return ((h / 2.0**31 - 1) * scale).astype(np.float32).reshape(shape)


def make_inputs(folder):
    """Write input_N.pb beside each inputs.json below a folder, unless they are there."""
    for recipe in sorted(folder.glob("*/test_data_set_*/inputs.json")):
        for entry in json.loads(recipe.read_text()):
            path = recipe.parent / f"input_{entry['index']}.pb"
            if path.is_file():
                continue
            from onnx import numpy_helper

            tensor = numpy_helper.from_array(hashed(entry["shape"], entry["seed"], entry["scale"]))
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(tensor.SerializeToString())
            unfinished.replace(path)


def fingerprint(paths):
    return "".join(f"{p.name} {p.stat().st_size} {int(p.stat().st_mtime)}\n" for p in paths)


def unpack(what, out, data):
    """Unpack one row of ARCHIVES into OUT, unless it is there; returns its folder."""
    archives = [data / name for name in ARCHIVES[what]]
    missing = [str(a) for a in archives if not a.is_file()]
    if missing:
        print(f"skipped: no {', '.join(missing)}", file=sys.stderr)
        sys.exit(SKIPPED)
    stamp = out / f".{what}.stamp"
    if stamp.is_file() and stamp.read_text() == fingerprint(archives) and (out / what).is_dir():
        return out / what
    if stamp.is_file():  # so what lies there is ours, of other archives
        shutil.rmtree(out / what, ignore_errors=True)
        stamp.unlink()
    out.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        print(f"unpacking {archive.name}", file=sys.stderr, flush=True)
        extract(archive, out)
    stamp.write_text(fingerprint(archives))
    return out / what


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="folder to unpack into")
    parser.add_argument("what", nargs="*", metavar="what", help=f"of {', '.join(ARCHIVES)}; all when none is given")
    args = parser.parse_intermixed_args()
    unknown = set(args.what) - set(ARCHIVES)
    if unknown:
        parser.error(f"no such data: {', '.join(sorted(unknown))}; there is {', '.join(ARCHIVES)}")
    data = data_folder()
    for what in args.what or ARCHIVES:
        folder = unpack(what, args.out, data)
        make_inputs(folder)
        print(folder)


if __name__ == "__main__":
    main()
