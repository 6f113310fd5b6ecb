"""Checks that a test names every page of the documentation, and that links and names of files lead somewhere."""
import pathlib
import re
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
sys.exit("\n".join(problems) or 0)
