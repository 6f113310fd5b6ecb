"""Runs the digit classifier on three pictures in one thread and in two: run_digits.py LIBRARY."""
import pathlib
import sys

import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from compiled_model import CompiledModel

model = CompiledModel(sys.argv[1])
image = numpy.linspace(0, 16, 3 * 64, dtype=numpy.float32).reshape(3, 1, 8, 8)
results = []
for threads in (1, 2):
    run = model.session(threads).prepare({"image": image})
    run()
    results += run.outputs()
print(results[0].shape, "equal" if numpy.array_equal(*results) else "differ", "zero" if not results[0].any() else "computed")
