"""Runs the commands of a page of the documentation, in their order, as a reader would: `run_commands.py PAGE FOLDER`.

Commands are the lines of ```sh blocks, and the code of table cells that begins with a program. They run in FOLDER, which shows the
repository through links, so that what they write stays there; PATH has build/bin. What a command says is printed, and the first that fails is named.

`./dev` would build in the middle of a test, so only its words are looked at; the demo itself is run. Commands in running text are not run; of those that begin with mlc,
the verb and the options must exist. What needs a target that is not built, or an emulator that is not installed, is not run either.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("mlc", "mlc-opt", "build/bin/", "./", "scripts/", "cc ", "c++ ", "readelf ", "lit-22 ")


def lines_of(block):
    """The commands of a block; a backslash at the end of a line joins it with the next."""
    for line in block.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def commands_of(text):
    """In the order of the page: commands of sh blocks and of table cells."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$|^\|([^\n]*)\|$", text, re.DOTALL | re.MULTILINE):
        language, block, row = match.groups()
        if row is None:
            yield from lines_of(block) if language == "sh" else ()
            continue
        for cell in row.split("|"):
            code = re.fullmatch(r"`([^`]+)`", cell.strip())
            if code and code[1].startswith(PROGRAMS):
                yield code[1]


def words_of(text):
    """Commands of mlc in running text: (verb, option names)."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    for code in re.findall(r"`(?:build/bin/)?mlc ([^`]+)`", prose):
        verb, *rest = code.split()
        yield verb, [word.split("=")[0] for word in rest if word.startswith("--")]


def help_of(verb):
    return subprocess.run(["mlc", "help", verb], check=True, capture_output=True, text=True).stdout


def as_run(command):
    """What is run for a command."""
    if not command.startswith("./dev "):
        return command
    verb = command.split()[1]
    if not re.search(rf"^  {verb} ", subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True).stdout, re.MULTILINE):
        sys.exit(f"./dev does not know '{verb}'")
    return "examples/digits/demo" if verb == "demo" else f"echo '{command}: known'"


def lacks(command):
    """What a command asks for that is not here: a target that is not built, or an emulator."""
    targets = subprocess.run(["mlc", "targets"], check=True, capture_output=True, text=True).stdout
    for target in re.findall(r"--target=(\w+)", command) if "--load-target=" not in command else ():
        if not re.search(rf"^{target} ", targets, re.MULTILINE):
            return f"target {target}"
    for program in re.findall(r"--runner='([^ ']+)", command):
        if not shutil.which(program):
            return program
    return None


def main():
    page, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True)
    for entry in ROOT.iterdir():
        (folder / entry.name).symlink_to(entry)
    text = page.read_text()
    for verb, options in words_of(text):
        known = help_of(verb)
        for option in options:
            if not re.search(rf"{option}\b", known):
                sys.exit(f"{page.name}: mlc {verb} has no {option}")
    count = 0
    for command in commands_of(text):
        print("$", command, flush=True)
        if missing := lacks(command):
            print(f"not run: there is no {missing}")
            continue
        if subprocess.run(["bash", "-c", as_run(command)], cwd=folder).returncode != 0:
            sys.exit(f"{page.name}: this command fails: {command}")
        count += 1
    print(f"{page.name}: {count} commands ran")


os.environ["PATH"] = f"{ROOT}/build/bin:{os.environ['PATH']}"
main()
