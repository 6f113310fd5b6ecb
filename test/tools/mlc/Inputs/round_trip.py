"""Compiles a model at once, and phase by phase through the text of each: `round_trip.py MODEL FOLDER [run options]`.

Both libraries must give the same outputs, to the bit. The phases are those that the help of mlc lists.
"""
import pathlib
import re
import subprocess
import sys

model, folder, options = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
folder.mkdir(parents=True)


def mlc(*words):
    return subprocess.run(["mlc", *map(str, words)], check=True, capture_output=True, text=True).stdout


phases = re.search(r"^Phases: (.*)\.$", mlc("help", "compile"), re.MULTILINE)[1].split(", ")
mlc("compile", model, "-o", folder / "whole.so")
text, begin = model, []
for phase in phases[:-1]:
    after = folder / f"{phase}.mlir"
    mlc("compile", text, *begin, f"--emit={phase}", "-o", after)
    text, begin = after, [f"--from={phases[phases.index(phase) + 1]}"]
mlc("compile", text, *begin, "-o", folder / "steps.so")
for name in ("whole", "steps"):
    mlc("run", folder / f"{name}.so", "--random-inputs=3", "--save-outputs", folder / name, *options)
outputs = sorted(path.name for path in (folder / "whole").iterdir())
for output in outputs:
    if (folder / "whole" / output).read_bytes() != (folder / "steps" / output).read_bytes():
        sys.exit(f"{output}: differs between {folder / 'whole'} and {folder / 'steps'}")
print(f"{len(phases)} phases, {len(outputs)} outputs the same")
