#!/usr/bin/env python3
"""Write cases for the operators that ONNX's official suite has few or none of, into a folder.

    python make_extensions.py build/test/extensions

Leaves OUT/KIND/CASE as make_cases.py does, for the kinds

    microsoft           nodes of com.microsoft, with what ONNX Runtime gives
    ml                  nodes of ai.onnx.ml, with what the specification says, and where it is silent, ONNX Runtime
    microsoft-dynamic, ml-dynamic   ... with all extents unknown
    types               nodes of the official suite with types of elements that no case there has, with what ONNX Runtime or
                        the reference evaluator of onnx gives
    opsets              ... as older opsets have them, with what ONNX Runtime gives

The first are those of test/fuzz/microsoft.py and test/fuzz/ml.py for fixed seeds: EACH of every function there that makes
some; the others come from element_types.py and opsets.py. What is written already by the same scripts and packages is
left alone.
"""
import argparse
import hashlib
import pathlib
import sys
import warnings
import zlib

import onnx
import onnxruntime

from make_cases import qualified, write_description, write_once

root = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root / "fuzz"))
import microsoft  # noqa: E402
import ml  # noqa: E402
from element_types import type_cases  # noqa: E402
from one_node import Chance, tolerance_of, write_values  # noqa: E402
from opsets import opset_cases  # noqa: E402

EACH = 6
MOST_REFUSED = 4  # of the seeds for one case
SUITES = {"microsoft": (microsoft.MicrosoftCase, microsoft.CASES), "ml": (ml.MlCase, ml.CASES)}


def write_case(out, kind, name, case, answer):
    case.declare(answer)
    folder = out / kind / name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    write_values(data, "input", case.feeds.values())
    write_values(data, "output", answer)
    write_description(folder, kind, case.model, qualified(case.model.graph.node[0]), *tolerance_of(case))


def write_suite(out, kind, make_case, makers, progress):
    for make in makers:
        name = make.__name__.strip("_")
        seed, found = zlib.crc32(name.encode()), 0
        for number in range(EACH * MOST_REFUSED):
            case = make_case(Chance([seed, number]), make, is_dynamic=False)
            answers = case.expected()
            if not answers:
                continue
            dynamic = make_case(Chance([seed, number]), make, is_dynamic=True)
            write_case(out, kind, f"{name}-{found}", case, answers[0])
            write_case(out, f"{kind}-dynamic", f"{name}-{found}", dynamic, answers[0])
            progress.step(f"cases of {kind}")
            found += 1
            if found == EACH:
                break
        else:
            sys.exit(f"error: {kind}: {make.__name__}: expected {EACH} cases with an answer, got {found}")


def write_suites(out, progress):
    for kind, (case, makers) in SUITES.items():
        write_suite(out, kind, case.random, makers, progress)


def write_variants(out, progress):
    for kind, cases in (("types", type_cases), ("opsets", opset_cases)):
        for name, case, answer in cases():
            write_case(out, kind, name, case, answer)
            progress.step(f"cases of {kind}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="folder to write the cases into")
    args = parser.parse_args()
    scripts = sorted([*pathlib.Path(__file__).parent.glob("*.py"), *(root / "fuzz").rglob("*.py")])
    digest = hashlib.sha256(b"".join(script.read_bytes() for script in scripts)).hexdigest()
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(4)
    made_by = f"onnx {onnx.__version__} onnxruntime {onnxruntime.__version__} {digest}\n"
    write_once(args.out, made_by, [write_suites, write_variants])


if __name__ == "__main__":
    main()
