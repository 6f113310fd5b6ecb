# How lit runs the tests of the IR, of values and of the command line: .mlir, .onnxtxt and .test files, in folders that mirror the sources.
#
#   lit-22 -Dbuild=build test
import glob
import os
import platform
import shutil

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
config.substitutions.append(("%drivers", os.path.join(build, "test", "drivers")))
config.substitutions.append(("%mlir_lib_dir", "/usr/lib/llvm-22/lib"))
config.substitutions.append(("%builddir", build))

# The Python of test/requirements.txt, which test/run installs.
python = os.path.join(build, "venv", "bin", "python")
if os.path.exists(python):
    config.available_features.add("onnx")
    config.substitutions.append(("%python", python))
# What models are run on: this machine, and what is emulated on it.
machine = {"x86_64": "x86", "aarch64": "arm", "riscv64": "riscv"}.get(platform.machine(), "other")
config.available_features.add("host-" + machine)
for processor in ("aarch64", "riscv64"):
    if shutil.which("qemu-" + processor):
        config.available_features.add("qemu-" + processor)
    config.substitutions.append((f"%qemu-{processor}", f"qemu-{processor} -L /usr/{processor}-linux-gnu"))
# A device that the tests can use: a driver of OpenCL, which PoCL is for CPUs.
if glob.glob("/etc/OpenCL/vendors/*.icd"):
    config.available_features.add("opencl")
# The runtime of AddressSanitizer, for code that checks its own accesses.
if runtimes := glob.glob(f"/usr/lib/llvm-22/lib/clang/22/lib/linux/libclang_rt.asan-{platform.machine()}.so"):
    config.available_features.add("asan-runtime")
    config.substitutions.append(("%asan_runtime", runtimes[0]))
# The assembler of NVIDIA.
if shutil.which("ptxas"):
    config.available_features.add("ptxas")
# The tests of targets that are not built are not run.
for target in ("x86", "arm", "riscv", "opencl", "cuda", "hip"):
    if os.path.isdir(os.path.join(build, "lib", "mlc", target)):
        config.available_features.add("target-" + target)
    else:
        config.excludes.append(target)
# A flavour of OpenCL has no runtime of its own.
if os.path.isdir(os.path.join(build, "targets", "fpga")):
    config.available_features.add("target-fpga")
else:
    config.excludes.append("fpga")
# What devices share is built with any of them.
if not {"target-opencl", "target-cuda", "target-hip"} & config.available_features:
    config.excludes.append("gpu")
# What a model may be compiled for that this machine lacks.
with open("/proc/cpuinfo") as cpuinfo:
    if "avx_vnni_int16" not in cpuinfo.read():
        config.available_features.add("cpu-without-avxvnniint16")
