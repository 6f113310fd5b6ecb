#!/usr/bin/env python3
"""Compare single operators with ONNX Runtime, side by side on this machine: where a kernel is slow that no model shows.

    build/venv/bin/python test/bench/operators.py                    # all of the table below, the slowest first
    build/venv/bin/python test/bench/operators.py --filter='Resize|TopK' --threads 2

Each row is one graph of a typical size, on random numbers. Printed are time of mlc / time of ONNX Runtime by medians and
minima, and the milliseconds of mlc. Nothing passes or fails on a time; exit code 1 means that something did not compile,
did not run or gave wrong outputs.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

from compiled_model import CompiledModel
from side_by_side import difference, onnxruntime_run, time_both

MLC = pathlib.Path(__file__).resolve().parents[2] / "build" / "bin" / "mlc"

# Name: inputs, outputs, nodes. Integers are drawn from below the number behind %, floats are smaller by the factor behind *, and what
# has = behind it is a constant of the graph.
GRAPHS = {
    "Add": ("float[64,512,32] x, float[64,512,32] y", "float z", "z = Add(x, y)"),
    "Add broadcast row": ("float[256,1024] x, float[1024] y", "float z", "z = Add(x, y)"),
    "Add broadcast column": ("float[256,1024] x, float[256,1] y", "float z", "z = Add(x, y)"),
    "Add broadcast channel": ("float[8,64,56,56] x, float[64,1,1] y", "float z", "z = Add(x, y)"),
    "Add int64": ("int64[256,1024]%9 x, int64[256,1024]%9 y", "int64 z", "z = Add(x, y)"),
    "Div int32": ("int32[256,1024]%9 x, int32[1024]%9 y", "int32 z", "one = Constant<value = int32 {1}>() w = Add(y, one) z = Div(x, w)"),
    "Exp": ("float[256,1024] x", "float y", "y = Exp(x)"),
    "Erf": ("float[256,1024] x", "float y", "y = Erf(x)"),
    "Gelu": ("float[256,1024] x", "float y", "y = Gelu(x)"),
    "Tanh": ("float[256,1024] x", "float y", "y = Tanh(x)"),
    "Sigmoid": ("float[256,1024] x", "float y", "y = Sigmoid(x)"),
    "Pow": ("float[256,1024] x, float[1] e", "float y", "a = Abs(x) y = Pow(a, e)"),
    "Sin": ("float[256,1024] x", "float y", "y = Sin(x)"),
    "Log double": ("double[256,256] x", "double y", "a = Abs(x) y = Log(a)"),
    "Where": ("bool[256,1024] c, float[256,1024] x, float[256,1024] y", "float z", "z = Where(c, x, y)"),
    "Clip": ("float[256,1024] x", "float y", "low = Constant<value_float = -0.5>() high = Constant<value_float = 0.5>() y = Clip(x, low, high)"),
    "Cast to int64": ("float[256,1024] x", "int64 y", "y = Cast<to = 7>(x)"),
    "Cast to float16": ("float[256,1024] x", "float16 y", "y = Cast<to = 10>(x)"),
    "Transpose 2d": ("float[1024,1024] x", "float y", "y = Transpose(x)"),
    "Transpose NCHW to NHWC": ("float[8,64,56,56] x", "float y", "y = Transpose<perm = [0, 2, 3, 1]>(x)"),
    "Transpose NHWC to NCHW": ("float[8,56,56,64] x", "float y", "y = Transpose<perm = [0, 3, 1, 2]>(x)"),
    "Transpose heads": ("float[4,128,12,64] x", "float y", "y = Transpose<perm = [0, 2, 1, 3]>(x)"),
    "Transpose bytes": ("uint8[1024,1024]%9 x", "uint8 y", "y = Transpose(x)"),
    "Concat last": ("float[256,512] x, float[256,512] y", "float z", "z = Concat<axis = 1>(x, y)"),
    "Split last": ("float[256,1024] x", "float y, float z", "y, z = Split<axis = 1, num_outputs = 2>(x)"),
    "Slice step": ("float[256,1024] x", "float y", "s = Constant<value_ints = [0, 0]>() e = Constant<value_ints = [256, 1024]>() a = Constant<value_ints = [0, 1]>() t = Constant<value_ints = [2, 2]>() y = Slice(x, s, e, a, t)"),
    "Pad reflect": ("float[4,16,128,128] x", "float y", "p = Constant<value_ints = [0, 0, 3, 3, 0, 0, 3, 3]>() y = Pad<mode = \"reflect\">(x, p)"),
    "Pad constant": ("float[4,16,128,128] x", "float y", "p = Constant<value_ints = [0, 0, 3, 3, 0, 0, 3, 3]>() y = Pad(x, p)"),
    "Tile": ("float[64,256] x", "float y", "r = Constant<value_ints = [4, 4]>() y = Tile(x, r)"),
    "Expand": ("float[256,1] x", "float y", "s = Constant<value_ints = [256, 1024]>() y = Expand(x, s)"),
    "Gather rows": ("float[30000,256] x, int64[512]%30000 i", "float y", "y = Gather(x, i)"),
    "Gather columns": ("float[256,1024] x, int64[512]%1024 i", "float y", "y = Gather<axis = 1>(x, i)"),
    "GatherElements": ("float[256,1024] x, int64[256,512]%1024 i", "float y", "y = GatherElements<axis = 1>(x, i)"),
    "GatherND": ("float[256,64,64] x, int64[4096,2]%64 i", "float y", "y = GatherND(x, i)"),
    "ScatterElements": ("float[256,1024] x, int64[256,512]%1024 i, float[256,512] u", "float y", "y = ScatterElements<axis = 1, reduction = \"add\">(x, i, u)"),
    "ScatterND": ("float[1024,256] x, int64[512,1]%1024 i, float[512,256] u", "float y", "y = ScatterND<reduction = \"add\">(x, i, u)"),
    "OneHot": ("int64[4096]%100 i", "float y", "d = Constant<value_ints = [100]>() v = Constant<value_floats = [0.0, 1.0]>() y = OneHot(i, d, v)"),
    "NonZero": ("bool[256,1024] x", "int64 y", "y = NonZero(x)"),
    "Compress": ("float[1024,256] x, bool[1024] c", "float y", "y = Compress<axis = 0>(x, c)"),
    "Unique": ("int64[20000]%500 x", "int64 y", "y = Unique(x)"),
    "TopK rows": ("float[256,1000] x", "float y, int64 i", "k = Constant<value_ints = [5]>() y, i = TopK(x, k)"),
    "TopK large": ("float[1,50000] x", "float y, int64 i", "k = Constant<value_ints = [1000]>() y, i = TopK(x, k)"),
    "ArgMax last": ("float[1024,1000] x", "int64 y", "y = ArgMax<axis = 1>(x)"),
    "ArgMax first": ("float[1000,1024] x", "int64 y", "y = ArgMax<axis = 0>(x)"),
    "ArgMax channels": ("float[1,21,256,256] x", "int64 y", "y = ArgMax<axis = 1>(x)"),
    "CumSum last": ("float[256,1024] x", "float y", "a = Constant<value_int = 1>() y = CumSum(x, a)"),
    "CumSum first": ("float[1024,256] x", "float y", "a = Constant<value_int = 0>() y = CumSum(x, a)"),
    "ReduceSum last": ("float[1024,1024] x", "float y", "a = Constant<value_ints = [1]>() y = ReduceSum(x, a)"),
    "ReduceSum first": ("float[1024,1024] x", "float y", "a = Constant<value_ints = [0]>() y = ReduceSum(x, a)"),
    "ReduceSum all": ("float[1024,1024] x", "float y", "y = ReduceSum(x)"),
    "ReduceMean spatial": ("float[8,256,28,28] x", "float y", "a = Constant<value_ints = [2, 3]>() y = ReduceMean(x, a)"),
    "ReduceMax middle": ("float[64,256,64] x", "float y", "a = Constant<value_ints = [1]>() y = ReduceMax(x, a)"),
    "Softmax last": ("float[1024,1000] x", "float y", "y = Softmax(x)"),
    "Softmax channels": ("float[8,64,32,32] x", "float y", "y = Softmax<axis = 1>(x)"),
    "LogSoftmax": ("float[1024,1000] x", "float y", "y = LogSoftmax(x)"),
    "LayerNormalization": ("float[512,768] x, float[768] s, float[768] b", "float y", "y = LayerNormalization(x, s, b)"),
    "RMSNormalization": ("float[512,768] x, float[768] s", "float y", "y = RMSNormalization(x, s)"),
    "InstanceNormalization": ("float[4,64,64,64] x, float[64] s, float[64] b", "float y", "y = InstanceNormalization(x, s, b)"),
    "GroupNormalization": ("float[4,64,64,64] x, float[64] s, float[64] b", "float y", "y = GroupNormalization<num_groups = 8>(x, s, b)"),
    "LRN": ("float[4,64,28,28] x", "float y", "y = LRN<size = 5>(x)"),
    "MatMul": ("float[256,512] x, float[512,512]= y", "float z", "z = MatMul(x, y)"),
    "MatMul batches": ("float[48,128,64] x, float[48,64,128] y", "float z", "z = MatMul(x, y)"),
    "MatMul vector": ("float[1,1024] x, float[1024,4096]= y", "float z", "z = MatMul(x, y)"),
    "Gemm transposed": ("float[256,512] x, float[512,512]= y, float[512]= b", "float z", "z = Gemm<transB = 1>(x, y, b)"),
    "Einsum": ("float[8,64,128] x, float[8,128,64] y", "float z", "z = Einsum<equation = \"bij,bjk->ik\">(x, y)"),
    "Conv 3x3": ("float[1,64,56,56] x, float[64,64,3,3]= w", "float y", "y = Conv<pads = [1, 1, 1, 1]>(x, w)"),
    "Conv 1x1": ("float[1,256,28,28] x, float[256,256,1,1]= w", "float y", "y = Conv(x, w)"),
    "Conv depthwise": ("float[1,128,56,56] x, float[128,1,3,3]= w", "float y", "y = Conv<pads = [1, 1, 1, 1], group = 128>(x, w)"),
    "Conv groups": ("float[1,128,28,28] x, float[128,4,3,3]= w", "float y", "y = Conv<pads = [1, 1, 1, 1], group = 32>(x, w)"),
    "Conv 7x7 stride": ("float[1,3,224,224] x, float[64,3,7,7]= w", "float y", "y = Conv<pads = [3, 3, 3, 3], strides = [2, 2]>(x, w)"),
    "Conv dilated": ("float[1,64,56,56] x, float[64,64,3,3]= w", "float y", "y = Conv<pads = [2, 2, 2, 2], dilations = [2, 2]>(x, w)"),
    "Conv 1d": ("float[1,256,1000] x, float[256,256,3]= w", "float y", "y = Conv<pads = [1, 1]>(x, w)"),
    "Conv 3d": ("float[1,16,16,32,32] x, float[32,16,3,3,3]= w", "float y", "y = Conv<pads = [1, 1, 1, 1, 1, 1]>(x, w)"),
    "ConvTranspose stride": ("float[1,64,32,32] x, float[64,32,4,4]= w", "float y", "y = ConvTranspose<strides = [2, 2], pads = [1, 1, 1, 1]>(x, w)"),
    "ConvTranspose 2x2": ("float[1,128,32,32] x, float[128,64,2,2]= w", "float y", "y = ConvTranspose<strides = [2, 2]>(x, w)"),
    "MaxPool": ("float[4,64,112,112] x", "float y", "y = MaxPool<kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]>(x)"),
    "MaxPool 2x2": ("float[4,64,112,112] x", "float y", "y = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)"),
    "AveragePool": ("float[4,64,56,56] x", "float y", "y = AveragePool<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(x)"),
    "GlobalAveragePool": ("float[8,512,14,14] x", "float y", "y = GlobalAveragePool(x)"),
    "Resize nearest": ("float[1,32,64,64] x", "float y", "s = Constant<value_floats = [1.0, 1.0, 2.0, 2.0]>() y = Resize<mode = \"nearest\">(x, , s)"),
    "Resize linear": ("float[1,32,64,64] x", "float y", "s = Constant<value_floats = [1.0, 1.0, 2.0, 2.0]>() y = Resize<mode = \"linear\">(x, , s)"),
    "Resize cubic": ("float[1,8,64,64] x", "float y", "s = Constant<value_floats = [1.0, 1.0, 2.0, 2.0]>() y = Resize<mode = \"cubic\">(x, , s)"),
    "GridSample": ("float[1,16,64,64] x, float[1,64,64,2] g", "float y", "y = GridSample(x, g)"),
    "DepthToSpace": ("float[1,256,64,64] x", "float y", "y = DepthToSpace<blocksize = 2>(x)"),
    "SpaceToDepth": ("float[1,64,128,128] x", "float y", "y = SpaceToDepth<blocksize = 2>(x)"),
    "LSTM": ("float[64,1,128] x, float[1,512,128]*0.05= w, float[1,512,128]*0.05= r", "float y", "y = LSTM<hidden_size = 128>(x, w, r)"),
    "LSTM batch": ("float[32,16,128] x, float[1,512,128]*0.05= w, float[1,512,128]*0.05= r", "float y", "y = LSTM<hidden_size = 128>(x, w, r)"),
    "GRU": ("float[64,1,128] x, float[1,384,128]*0.05= w, float[1,384,128]*0.05= r", "float y", "y = GRU<hidden_size = 128>(x, w, r)"),
    "Attention": ("float[1,12,128,64] q, float[1,12,128,64] k, float[1,12,128,64] v", "float y", "y = Attention(q, k, v)"),
    "RotaryEmbedding": ("float[1,12,128,64] x, float[128,32] c, float[128,32] s, int64[1,128]%128 p", "float y", "y = RotaryEmbedding(x, c, s, p)"),
    "QuantizeLinear": ("float[256,1024] x", "uint8 y", "s = Constant<value_float = 0.01>() z = Constant<value = uint8 {128}>() y = QuantizeLinear(x, s, z)"),
    "DequantizeLinear": ("uint8[256,1024]%255 x", "float y", "s = Constant<value_float = 0.01>() z = Constant<value = uint8 {128}>() y = DequantizeLinear(x, s, z)"),
    "DynamicQuantizeLinear": ("float[256,1024] x", "uint8 y, float s, uint8 z", "y, s, z = DynamicQuantizeLinear(x)"),
    "MatMulInteger": ("uint8[256,512]%255 x, int8[512,512]%100= y", "int32 z", "z = MatMulInteger(x, y)"),
    "MatMulInteger computed": ("uint8[256,512]%255 x, int8[512,512]%100 y", "int32 z", "z = MatMulInteger(x, y)"),
    "MatMul computed": ("float[256,512] x, float[512,512] y", "float z", "z = MatMul(x, y)"),
    "NonMaxSuppression": ("float[1,1000,4] b, float[1,20,1000] s", "int64 y", "n = Constant<value_ints = [20]>() t = Constant<value_floats = [0.5]>() c = Constant<value_floats = [0.9]>() y = NonMaxSuppression(b, s, n, t, c)"),
    "RoiAlign": ("float[1,64,50,50] x, float[100,4] r, int64[100]%1 i", "float y", "y = RoiAlign<output_height = 7, output_width = 7>(x, r, i)"),
    "DFT": ("float[16,1024,1] x", "float y", "y = DFT(x)"),
    "Loop": ("float[64] x", "float y", "n = Constant<value_int = 200>() c = Constant<value = bool {1}>() y = Loop(n, c, x) <body = b (int64 i, bool k, float[64] a) => (bool l, float[64] d) { l = Identity(k) d = Add(a, a) }>"),
}  # fmt: skip
OPSET = 24
TYPES = {"float": np.float32, "double": np.float64, "bool": bool, "uint8": np.uint8, "int8": np.int8, "int32": np.int32,
         "int64": np.int64}  # fmt: skip


def draw(declared):
    """Random numbers for the inputs, by name; the inputs and the constants, as ONNX writes them."""
    rng, feeds, inputs, constants = np.random.default_rng(1), {}, [], []
    for element, shape, limit, factor, fixed, name in re.findall(r"(\w+)\[([\d,]*)\](?:%(\d+))?(?:\*([\d.]+))?(=?) (\w+)", declared):
        dtype, extents = TYPES[element], [int(extent) for extent in shape.split(",")]
        if limit:
            values = rng.integers(0, int(limit), extents).astype(dtype)
        elif dtype is bool:
            values = rng.random(extents) < 0.5
        else:
            values = (rng.standard_normal(extents) * float(factor or 1)).astype(dtype)
        if fixed:
            constants.append(numpy_helper.from_array(values, name))
        else:
            feeds[name] = values
            inputs.append(f"{element}[{shape}] {name}")
    return feeds, ", ".join(inputs), constants


def measure(name, threads, seconds, folder):
    """Ratios by medians and minima, and the milliseconds of mlc; what is known of an error instead, as a text."""
    inputs, outputs, nodes = GRAPHS[name]
    feeds, given, constants = draw(inputs)
    text = f'<ir_version: 11, opset_import: ["" : {OPSET}]> graph ({given}) => ({outputs}) {{ {nodes} }}'
    model, library = folder / "model.onnx", folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', name)}.so"
    graph = onnx.parser.parse_model(text)
    graph.graph.initializer.extend(constants)
    onnx.save(graph, model)
    compiled = subprocess.run([MLC, "compile", model, "-o", library], stderr=subprocess.PIPE, text=True)
    if compiled.returncode:
        return compiled.stderr.strip()
    try:
        run_ort, ort_outputs = onnxruntime_run(model, feeds, threads)
        run_ort()
    except Exception as error:  # ONNX Runtime's own types have no base of their own
        return f"ONNX Runtime: {str(error).splitlines()[0]}"
    session = CompiledModel(library).session(threads)
    run_mlc = session.prepare(feeds)
    run_mlc()
    got = dict(zip(ort_outputs(), run_mlc.outputs()))
    error = difference(got, ort_outputs(), {})
    if error > 1:
        return f"wrong: {error:.3g} times the error that is allowed"
    mlc, ort = time_both(run_mlc, run_ort, seconds)
    session.close()
    return statistics.median(mlc) / statistics.median(ort), min(mlc) / min(ort), min(mlc) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", help="a regular expression for names")
    parser.add_argument("--threads", default=1, type=int)
    parser.add_argument("--seconds", default=0.2, type=float, help="for each")
    options = parser.parse_args()
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        for name in GRAPHS:
            if not re.search(options.filter, name):
                continue
            result = measure(name, options.threads, options.seconds, pathlib.Path(folder))
            if isinstance(result, str):
                failed |= not result.startswith("ONNX Runtime: ")
                print(f"{name}: {result}")
            else:
                rows.append((result, name))
    print(f"{'median':>7} {'min':>7} {'ms':>9}")
    for (median, least, milliseconds), name in sorted(rows, reverse=True):
        print(f"{median:7.2f} {least:7.2f} {milliseconds:9.3f}  {name}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
