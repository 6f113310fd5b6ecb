"""Nodes of the official suite with other elements: for each operator, every type that its schema allows and no official
case has, on the operands that share a type variable."""
import collections

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from make_cases import collect_node_cases, draws_random
from one_node import HALVES, Case

DTYPES = {
    "bool": np.bool_, "string": object, "double": np.float64, "float": np.float32, "float16": np.float16,
    **{f"{sign}int{bits}": np.dtype(f"{sign}int{bits}").type for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{name: getattr(ml_dtypes, name) for name in ("bfloat16", "int2", "int4", "uint2", "uint4")},
    "float4e2m1": ml_dtypes.float4_e2m1fn, "float8e4m3fn": ml_dtypes.float8_e4m3fn, "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8e5m2": ml_dtypes.float8_e5m2, "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz, "float8e8m0": ml_dtypes.float8_e8m0fnu
}
SMALL = {name for name in DTYPES if name.startswith(("float4", "float8"))}
LARGEST = 100  # of integers that floats become
TRIED = 3  # official cases, until one has an answer

# Operator, type variable, types: why no answer there can be trusted.
WITHOUT_ANSWER = {
    ("CastLike", "T2", "uint32"): "numbers beyond the type",
    ("CastLike", "T2", "float8e8m0"): "negative numbers, which it lacks",
    ("CastLike", "T2", "string"): "as many digits of a double as ONNX Runtime likes",
    ("Col2Im", "T", "bool"): "sums of truth values",
    ("DequantizeLinear", "T1", "float4e2m1"): "zero points, which are not 0",
    ("DequantizeLinear", "T2", "float8e8m0"): "a type that the result cannot have, too",
    **{("GridSample", "T1", kind): "the evaluator rounds weights to the integers of X" for kind in DTYPES if "int" in kind},
    **{("MaxUnpool", "T1", kind): "ONNX Runtime contradicts the official case" for kind in ("float16", "bfloat16")},
    **{("QLinearMatMul", f"T{i}", "float8e4m3fnuz"): "NaN as an integer" for i in (1, 2, 3)},
    **{("QuantizeLinear", "T3", kind): "zero points, which are not 0" for kind in SMALL},
    **{("RMSNormalization", which, kind): "onnx infers another type than the schema says"
       for which in "TV" for kind in ("double", "float16", "bfloat16")},
    ("ReduceProd", "T", "int32"): "a product beyond the type",
    **{("Resize", "T1", kind): "results that are whole but for the last bit" for kind in DTYPES if "int" in kind},
    ("STFT", "T2", "int32"): "noise instead of zeros",
    ("TfIdfVectorizer", "T", "string"): "a pool of another type",
    ("TreeEnsemble", "T", "float"): "attributes of another type",
}


def converted(array, name):
    """The numbers of an array as those of another type: floats as integers three times as large."""
    if name == "string":
        return np.array([str(item) for item in array.ravel()], object).reshape(array.shape)
    numbers = array.astype(np.float64)
    if "int" in name:
        limits = ml_dtypes.iinfo(DTYPES[name])
        if array.dtype.kind not in "iub":
            numbers = np.rint(np.nan_to_num(numbers, nan=0, posinf=3, neginf=-3) * 3)
        numbers = np.abs(numbers) if limits.min == 0 else numbers
        return np.clip(numbers, max(limits.min, -LARGEST), min(limits.max, LARGEST)).astype(np.int64).astype(DTYPES[name])
    if name == "bool":
        return numbers > 0
    numbers = np.abs(numbers) if name == "float8e8m0" else numbers
    return numbers if name == "double" else numbers.astype(np.float32).astype(DTYPES[name])


class TypeCase(Case):
    """A node with the types that onnx tells of its results."""

    def answer(self):
        """Of halves, that of the same numbers in 32 bits, and of strings, that of the evaluator: ONNX Runtime loses some;
        None if there is none."""
        names = [onnx.TensorProto.DataType.Name(kind).lower() for kind in self.result_kinds()]
        if any(name not in DTYPES for name in names):
            return None
        is_half = any(value.dtype in HALVES for value in self.feeds.values())
        evaluated = self.in_floats() if is_half and "string" not in names else self
        evaluators = [evaluated.of_runtime, evaluated.of_reference]
        for evaluate in reversed(evaluators) if "string" in names else evaluators:
            for answer in evaluated.answers_of([evaluate]):
                if all(fits(value, DTYPES[name]) for value, name in zip(answer, names)):
                    return [value.astype(DTYPES[name]) for value, name in zip(answer, names)]
        return None

    def result_kinds(self):
        inferred = onnx.shape_inference.infer_shapes(self.model, strict_mode=True)
        return [port.type.tensor_type.elem_type for port in inferred.graph.output]

    def in_floats(self):
        values = [self.feeds.get(name) for name in self.names]
        floats = [value.astype(np.float32) if value is not None and value.dtype in HALVES else value for value in values]
        domain, opset = self.model.opset_import[0].domain, self.model.opset_import[0].version
        return TypeCase(self.operator, floats, self.attributes, self.places, domain, opset)


def fits(value, dtype):
    """Whether a result is of a type, or in 32 bits, where its type is a half."""
    if dtype is object:
        return value.dtype == object and all(isinstance(item, str) for item in value.ravel())
    return value.dtype == dtype or (value.dtype == np.float32 and dtype in HALVES)


def official_nodes():
    """(node, schema, opset, inputs) of the official cases of one node that takes and gives tensors."""
    for case in sorted(collect_node_cases(), key=lambda case: case.name):
        graph = case.model.graph
        if len(graph.node) != 1 or "_expanded" in case.name:
            continue
        ports = [*graph.input, *graph.output]
        feeds = {port.name: value for port, value in zip(graph.input, case.data_sets[0][0])}
        if not all(port.type.HasField("tensor_type") for port in ports) or draws_random(case.model, feeds):
            continue
        node = graph.node[0]
        if any(attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.TYPE_PROTO) for attribute in node.attribute):
            continue
        opset = next(opset.version for opset in case.model.opset_import if opset.domain == node.domain)
        arrays = {name: numpy_helper.to_array(v) if isinstance(v, TensorProto) else np.asarray(v) for name, v in feeds.items()}
        inputs = [arrays[name] if name else None for name in node.input]
        yield node, onnx.defs.get_schema(node.op_type, opset, node.domain), opset, inputs


def operands_of(schema, variable, inputs):
    """The operands whose type a type variable of the schema is."""
    last = len(schema.inputs) - 1
    return [k for k, value in enumerate(inputs) if value is not None and schema.inputs[min(k, last)].type_str == variable]


def name_of(array):
    return TensorProto.DataType.Name(helper.np_dtype_to_tensor_dtype(array.dtype)).lower()


def type_cases():
    """(name, case, answer) of each operator, type variable and type."""
    nodes, official = list(official_nodes()), set()
    for node, schema, _, inputs in nodes:
        for constraint in schema.type_constraints:
            for operand in operands_of(schema, constraint.type_param_str, inputs):
                official.add((node.op_type, constraint.type_param_str, name_of(inputs[operand])))
    tried = collections.Counter()
    for node, schema, opset, inputs in nodes:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        for constraint in schema.type_constraints:
            variable = constraint.type_param_str
            operands = operands_of(schema, variable, inputs)
            for kind in (text[7:-1] for text in sorted(constraint.allowed_type_strs) if text.startswith("tensor(")):
                key = (node.op_type, variable, kind)
                if kind not in DTYPES or key in official or key in WITHOUT_ANSWER or not operands or tried[key] == TRIED:
                    continue
                if any(inputs[operand].dtype == object for operand in operands):
                    continue
                tried[key] += 1
                changed = [converted(value, kind) if k in operands else value for k, value in enumerate(inputs)]
                results = [bool(name) for name in node.output]
                case = TypeCase(node.op_type, changed, attributes, results, node.domain, opset)
                try:
                    answer = case.answer()
                except Exception:  # of a model that is not valid with this type
                    answer = None
                if answer is not None:
                    official.add(key)
                    yield "_".join(key), case, answer
