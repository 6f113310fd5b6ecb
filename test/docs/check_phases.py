"""Checks that docs/pipeline.md has a section for each phase, in order, and names in it the passes of mlc that the phase runs, as items of a list."""
import pathlib
import re
import subprocess
import sys

page = pathlib.Path(sys.argv[1])
phases = re.search(r"^Phases: (.*)\.$", subprocess.run(["mlc", "help", "compile"], check=True, capture_output=True, text=True).stdout, re.MULTILINE)[1].split(", ")
_, *sections = re.split(r"^## (.*)$", page.read_text(), flags=re.MULTILINE)
titles, texts = sections[::2], sections[1::2]
if titles != phases:
    sys.exit(f"{page.name}: expects the sections {', '.join(phases)}, got {', '.join(titles)}")
problems = []
for phase, text in zip(phases, texts):
    options = ["--print-pipeline", f"--from={phase}", f"--emit={phase}"]
    pipeline = subprocess.run(["mlc", "compile", *options], check=True, capture_output=True, text=True).stdout
    runs = list(dict.fromkeys(re.findall(r"\bmlc-[a-z-]+", pipeline)))  # each once, though it may run twice
    said = re.findall(r"^\* `(mlc-[a-z-]+)`", text, re.MULTILINE)
    if runs != said:
        problems.append(f"{page.name}, {phase}: expects the passes {', '.join(runs) or 'none'}, got {', '.join(said) or 'none'}")
sys.exit("\n".join(problems) or 0)
