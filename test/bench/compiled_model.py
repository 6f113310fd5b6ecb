#!/usr/bin/env python3
"""A compiled model, called through its C interface (runtime/include/mlc/mlc.h) with ctypes.

    model = CompiledModel("model.so")
    session = model.session(threads=1)
    run = session.prepare({"image": array})     # everything that a run needs, made once
    run()                                       # as little Python as there can be
    outputs = run.outputs()                     # copies, in the model's order

Run as a program it prints how long it takes from dlopen to a session that is ready, in milliseconds:

    python compiled_model.py model.so

Only the standard library is imported, so that this time and the memory of this process are the model's; arrays come
from numpy, if there are any.
"""
import ctypes
import pathlib
import sys
import time
from ctypes import CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p

MLC_VERSION = 3
MLC_MEMORY_SESSION = 1

# Numbered as mlc_type; names as numpy has them.
TYPE_NAMES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128",
}  # fmt: skip
TYPE_NUMBERS = {name: number for number, name in TYPE_NAMES.items()}


class Error(Structure):
    _fields_ = [("status", c_int32), ("text", c_char * 1020)]


class Port(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("extents", POINTER(c_int64)),
        ("rank", c_int32),
        ("type", c_int32),
        ("kind", c_int32),
        ("optional", c_int32),
        ("key", c_int32),
    ]


class Property(Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class Info(Structure):
    _fields_ = [
        ("code_abi", c_uint32),
        ("input_count", c_uint32),
        ("output_count", c_uint32),
        ("symbol_count", c_uint32),
        ("property_count", c_uint32),
        ("kernel_count", c_uint32),
        ("inputs", POINTER(Port)),
        ("outputs", POINTER(Port)),
        ("symbols", POINTER(c_char_p)),
        ("properties", POINTER(Property)),
        ("kernels", POINTER(c_char_p)),
        ("name", c_char_p),
    ]


class Input(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("data", c_void_p),
        ("bytes", c_uint64),
        ("extents", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("rank", c_int32),
        ("type", c_int32),
        ("place", c_int32),
    ]


class Output(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("data", c_void_p),
        ("bytes", c_uint64),
        ("strides", POINTER(c_int64)),
        ("extents", POINTER(c_int64)),
        ("rank", c_int32),
        ("type", c_int32),
        ("memory", c_int32),
        ("place", c_int32),
    ]


class SessionOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("threads", c_int32),
        ("executor", c_void_p),
        ("executor_context", c_void_p),
        ("arena", c_void_p),
        ("arena_bytes", c_uint64),
        ("queue", c_void_p),
    ]


class Model(Structure):
    pass


SessionCreate = CFUNCTYPE(c_int32, POINTER(Model), POINTER(SessionOptions), POINTER(c_void_p), POINTER(Error))
SessionDestroy = CFUNCTYPE(None, c_void_p)
Run = CFUNCTYPE(c_int32, c_void_p, POINTER(Input), c_uint32, POINTER(Output), c_uint32, POINTER(Error))
Model._fields_ = [
    ("version", c_uint32),
    ("size", c_uint32),
    ("info", POINTER(Info)),
    ("session_create", SessionCreate),
    ("session_destroy", SessionDestroy),
    ("run", Run),
]  # and more, which is not called here


class ModelError(Exception):
    """What the model said, when a status was not MLC_OK."""


class PreparedRun:
    """One run with given inputs, outputs in the session's memory. Calling it runs it."""

    def __init__(self, session, feeds):
        info = session.model.info
        self.session = session
        self.error = Error()
        self.inputs = (Input * info.input_count)()
        self.outputs_ = (Output * info.output_count)()
        self.arrays = []  # what the inputs point to
        for i in range(info.input_count):
            array = feeds[info.inputs[i].name.decode()]
            if array.dtype.name not in TYPE_NUMBERS:
                raise ModelError(f"cannot pass {array.dtype.name}")
            extents = (c_int64 * array.ndim)(*array.shape)
            self.arrays += [array, extents]
            self.inputs[i] = Input(
                data=array.ctypes.data, bytes=array.nbytes, extents=extents, rank=array.ndim,
                type=TYPE_NUMBERS[array.dtype.name],
            )  # fmt: skip
            if not array.flags.c_contiguous:
                raise ModelError("expected a contiguous array")
        for output in self.outputs_:
            output.memory = MLC_MEMORY_SESSION
        self.arguments = (
            session.handle, self.inputs, info.input_count, self.outputs_, info.output_count, ctypes.byref(self.error)
        )  # fmt: skip
        self.function = session.model.table.run

    def __call__(self):
        if self.function(*self.arguments):
            raise ModelError(self.error.text.decode())

    def outputs(self):
        """Copies of the last run's outputs."""
        import numpy

        def array_of(output):
            shape = output.extents[: output.rank]
            result = numpy.empty(shape, TYPE_NAMES[output.type])
            if result.nbytes:
                ctypes.memmove(result.ctypes.data, output.data, result.nbytes)
            return result

        return [array_of(output) for output in self.outputs_]


class Session:
    def __init__(self, model, threads):
        self.model = model
        self.handle = c_void_p()
        options = SessionOptions(size=ctypes.sizeof(SessionOptions), threads=threads)
        error = Error()
        if model.table.session_create(model.pointer, options, self.handle, error):
            raise ModelError(error.text.decode())

    def prepare(self, feeds):
        return PreparedRun(self, feeds)

    def close(self):
        self.model.table.session_destroy(self.handle)


class CompiledModel:
    def __init__(self, path):
        library = ctypes.CDLL(str(pathlib.Path(path).resolve()))
        entry = library.mlc_model_entry
        entry.argtypes, entry.restype = [c_uint32], POINTER(Model)
        self.pointer = entry(MLC_VERSION)
        if not self.pointer:
            raise ModelError(f"{path} offers another version of the interface than {MLC_VERSION}")
        self.table = self.pointer.contents
        self.info = self.table.info.contents

    def session(self, threads):
        return Session(self, threads)

    def output_names(self):
        return [self.info.outputs[i].name.decode() for i in range(self.info.output_count)]


if __name__ == "__main__":
    start = time.perf_counter()
    CompiledModel(sys.argv[1]).session(threads=1)
    print((time.perf_counter() - start) * 1e3)
