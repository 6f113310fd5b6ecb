# Drops the barriers between neighbouring phases of all kernels in a text: two loops over the same threads become one.
import re
import sys

text = open(sys.argv[1]).read()
threads = re.compile(r"scf\.forall \(([^)]*)\) in \(([^)]*)\) \{")
# The end of one loop over threads, and the begin of the next, with constants between them.
between = re.compile(
    r"\n *\} \{mapping = \[#gpu\.thread[^\]]*\]\}((?:\n *%\w+ = arith\.constant [^\n]*)*)"
    r"\n *scf\.forall \(([^)]*)\) in \(([^)]*)\) \{"
)


def rename(body, prefix):
    """Names of a region may come again in the next one, but not in the same."""
    defined = re.findall(r"(%\w+)(?:, %\w+)*(?::\d+)? = ", body)
    for name in sorted(set(defined), key=len, reverse=True):
        body = re.sub(re.escape(name) + r"(?!\w)", prefix + name[1:], body)
    return body


dropped = at = 0
while match := between.search(text, at):
    first = list(threads.finditer(text, 0, match.start()))[-1]
    if first.group(2) != match.group(3):
        at = match.end()
        continue
    end = text.index("} {mapping", match.end())
    body = match.group(1) + text[match.end() : end]
    for old, new in zip(match.group(2).split(", "), first.group(1).split(", ")):
        body = re.sub(re.escape(old) + r"(?!\w)", new, body)
    dropped += 1
    text = text[: match.start()] + rename(body, f"%second_{dropped}_") + text[end:]
    at = match.start()
assert dropped, "there is no barrier to drop"
open(sys.argv[1], "w").write(text)
