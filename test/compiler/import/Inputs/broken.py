"""Writes models that ONNX text cannot say: broken.py FOLDER."""
import pathlib
import sys

from onnx import AttributeProto, TensorProto, helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def model(nodes=None, initializers=(), functions=(), domains=()):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    nodes = nodes or [helper.make_node("LeakyRelu", ["x"], ["y"], name="n")]
    graph = helper.make_graph(nodes, "g", [x], [y], list(initializers))
    opsets = [helper.make_opsetid("", 17)] + [helper.make_opsetid(domain, 1) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=10)


def write(name, proto):
    data = proto if isinstance(proto, bytes) else proto.SerializeToString()
    (folder / (name + ".onnx")).write_bytes(data)


def with_attribute(**fields):
    proto = model()
    proto.graph.node[0].attribute.append(AttributeProto(name="alpha", **fields))
    return proto


def with_tensor(**fields):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], raw_data=bytes(8))
    for name, value in fields.items():
        if name == "dims":
            tensor.dims[:] = value
        else:
            setattr(tensor, name, value)
    return model([helper.make_node("Add", ["x", "w"], ["y"], name="n")], [tensor])


def field(number, data):
    """A field of bytes in protobuf's encoding."""

    def varint(value):
        head = b""
        while value > 127:
            head += bytes([value & 127 | 128])
            value >>= 7
        return head + bytes([value])

    return varint(number << 3 | 2) + varint(len(data)) + data


write("kind", with_attribute(type=AttributeProto.FLOAT, i=3))
write("empty", with_attribute(type=AttributeProto.TENSOR))
twice = with_attribute(type=AttributeProto.FLOAT, f=1)
twice.graph.node[0].attribute.append(twice.graph.node[0].attribute[0])
write("twice", twice)
write("reference", with_attribute(type=AttributeProto.FLOAT, ref_attr_name="beta"))

write("negative", with_tensor(dims=[-2]))
write("huge", with_tensor(dims=[2**33, 2**33]))
write("element", with_tensor(data_type=77))
write("undefined", with_tensor(data_type=0))

unsaid = model()
del unsaid.opset_import[:]
write("opset", unsaid)
typeless = model()
typeless.graph.input[0].ClearField("type")
write("type", typeless)
extent = model()
extent.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -7
write("extent", extent)
outputs = model()
del outputs.graph.output[:]
write("outputs", outputs)
control = model()
control.graph.node[0].name = "n\n\x1b[31m"
control.graph.node[0].op_type = "Frobnicate"
write("control", control)

# 2000 graphs inside of each other.
graph = b""
for _ in range(2000):
    graph = field(1, field(4, b"If") + field(5, field(1, b"then_branch") + field(6, graph)))
write("deep", b"\x08\x08" + field(7, graph) + field(8, b"\x10\x11"))

# Each function calls the one before it twice: 2^40 nodes.
calls = [helper.make_function("mine", "f0", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [helper.make_opsetid("", 17)])]
for i in range(1, 40):
    nodes = [
        helper.make_node(f"f{i - 1}", ["x"], ["z"], domain="mine"),
        helper.make_node(f"f{i - 1}", ["z"], ["y"], domain="mine"),
    ]
    calls.append(helper.make_function("mine", f"f{i}", ["x"], ["y"], nodes, [helper.make_opsetid("mine", 1)]))
write("many", model([helper.make_node("f39", ["x"], ["y"], domain="mine")], functions=calls, domains=["mine"]))
