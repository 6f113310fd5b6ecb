"""Checks that a test names every page of the documentation, that links and names of files lead somewhere, and that docs/pipeline.md has a
section for each phase, in order."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
test = pathlib.Path(sys.argv[1]).read_text()
pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
problems = [f"{page.name}: not in {sys.argv[1]}" for page in pages if f"/{page.relative_to(ROOT)} " not in test]
for page in [*pages, *ROOT.glob("docs/*/*.md"), *ROOT.glob("examples/*/*.md")]:
    for link in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
        if ":" not in link and not (page.parent / link).exists():
            problems.append(f"{page.relative_to(ROOT)}: {link} is not there")
    for name in re.findall(r"`((?:runtime|dialects|compiler|targets|tools|test|docs|examples|scripts)/[\w./-]*)`", page.read_text()):
        if not (ROOT / name).exists():
            problems.append(f"{page.relative_to(ROOT)}: {name} is not there")

phases = re.search(r"^Phases: (.*)\.$", subprocess.run(["mlc", "help", "compile"], capture_output=True, text=True).stdout, re.MULTILINE)[1]
sections = re.findall(r"^## (\w+)$", (ROOT / "docs" / "pipeline.md").read_text(), re.MULTILINE)
if sections != phases.split(", "):
    problems.append(f"pipeline.md: its sections are {sections}, the phases {phases}")
sys.exit("\n".join(problems) or 0)
