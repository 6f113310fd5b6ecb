"""What the inputs of an operator are for, and the variants of a node case that follow from it.

An input carries data, or it is a setting (axes, shapes, bounds: it sets what the operator does), or a weight (learned,
so constant in almost every real model).
"""
import onnx

# Inputs that set what an operator does, by their names in its schema.
SETTINGS = {
    "AffineGrid": "size",
    "BlackmanWindow": "size",
    "CenterCropPad": "shape",
    "Clip": "min max",
    "Col2Im": "image_shape block_shape",
    "ConstantOfShape": "input",
    "CumProd": "axis",
    "CumSum": "axis",
    "DFT": "dft_length axis",
    "Dropout": "ratio training_mode",
    "Expand": "shape",
    "HammingWindow": "size",
    "HannWindow": "size",
    "MaxUnpool": "output_shape",
    "MelWeightMatrix": "num_mel_bins dft_length sample_rate lower_edge_hertz upper_edge_hertz",
    "NonMaxSuppression": "max_output_boxes_per_class iou_threshold score_threshold",
    "OneHot": "depth values",
    "Pad": "pads constant_value axes",
    "Range": "start limit delta",
    "Reshape": "shape",
    "Resize": "roi scales sizes",
    "STFT": "frame_step frame_length",
    "SequenceAt": "position",
    "SequenceErase": "position",
    "SequenceInsert": "position",
    "Slice": "starts ends axes steps",
    "Split": "split",
    "SplitToSequence": "split",
    "Squeeze": "axes",
    "Tile": "repeats",
    "TopK": "K",
    "Trilu": "k",
    "Unsqueeze": "axes",
    "Upsample": "scales",
    **dict.fromkeys(
        [f"Reduce{what}" for what in "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split()], "axes"
    ),
}

# Inputs that are learned, so constant in almost every real model.
WEIGHTS = {
    "BatchNormalization": "scale B input_mean input_var",
    "CausalConvWithState": "weight bias",
    "Conv": "W B",
    "ConvInteger": "w x_zero_point w_zero_point",
    "ConvTranspose": "W B",
    "DeformConv": "W B",
    "DequantizeLinear": "x_scale x_zero_point",
    "GRU": "W R B",
    "Gemm": "B C",
    "GroupNormalization": "scale bias",
    "InstanceNormalization": "scale B",
    "LSTM": "W R B P",
    "LayerNormalization": "Scale B",
    "MatMul": "B",
    "MatMulInteger": "B a_zero_point b_zero_point",
    "PRelu": "slope",
    "QLinearConv": "x_scale x_zero_point w w_scale w_zero_point y_scale y_zero_point B",
    "QLinearMatMul": "a_scale a_zero_point b b_scale b_zero_point y_scale y_zero_point",
    "QuantizeLinear": "y_scale y_zero_point",
    "RMSNormalization": "scale",
    "RNN": "W R B",
    "RotaryEmbedding": "cos_cache sin_cache",
}


def inputs_called(node, names):
    """The values at those inputs of a node that its schema calls one of NAMES."""
    schema = onnx.defs.get_schema(node.op_type, domain=node.domain)
    return {value for formal, value in zip(schema.inputs, node.input) if value and formal.name in names}


def inputs_in(table, node):
    names = table.get(node.op_type, "").split() if node is not None and node.domain in ("", "ai.onnx") else []
    return inputs_called(node, names) if names else set()


def with_symbols(model, kept):
    """A copy whose inputs and outputs, but those in KEPT, have symbolic extents; None if no input has any."""
    variant = onnx.ModelProto()
    variant.CopyFrom(model)
    changed = False

    def tensor_types(type_):
        kind = type_.WhichOneof("value")
        if kind == "tensor_type":
            yield type_.tensor_type
        elif kind in ("sequence_type", "optional_type"):
            yield from tensor_types(getattr(type_, kind).elem_type)

    for is_input, values in ((True, variant.graph.input), (False, variant.graph.output)):
        for value in values:
            if value.name in kept:
                continue
            for tensor in tensor_types(value.type):
                for axis, extent in enumerate(tensor.shape.dim):
                    extent.dim_param = f"{value.name}_{axis}"
                    changed |= is_input
    return variant if changed else None


def with_constants(model, constants):
    """A copy where the inputs that CONSTANTS, tensors by name, has are initializers; None if it is empty."""
    if not constants:
        return None
    variant = onnx.ModelProto()
    variant.CopyFrom(model)
    for value in [i for i in variant.graph.input if i.name in constants]:
        variant.graph.initializer.append(constants[value.name])
        variant.graph.input.remove(value)
    variant.ir_version = max(variant.ir_version, 4)  # before, an initializer had to be an input too
    return variant
