# How lit runs the tests of the IR, of values and of the command line: .mlir, .onnxtxt and .test files, in folders that mirror the sources.
#
#   lit-22 -Dbuild=build test
import os

import lit.formats

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
build = os.path.join(root, lit_config.params.get("build", "build"))

config.name = "mlc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".onnxtxt"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.join(root, "test")
config.test_exec_root = os.path.join(build, "test", "lit")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(build, "bin"), "/usr/lib/llvm-22/bin", config.environment["PATH"]]
)
config.substitutions.append(("%mlir_lib_dir", "/usr/lib/llvm-22/lib"))

# The Python of test/requirements.txt, which test/run installs.
python = os.path.join(build, "venv", "bin", "python")
if os.path.exists(python):
    config.available_features.add("onnx")
    config.substitutions.append(("%python", python))
# What a model may be compiled for that this machine lacks.
with open("/proc/cpuinfo") as cpuinfo:
    if "avx_vnni_int16" not in cpuinfo.read():
        config.available_features.add("cpu-without-avxvnniint16")
