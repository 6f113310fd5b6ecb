"""Random nodes of com.microsoft that are attention, or turn positions into angles."""
import numpy as np

from contrib.shared import small, weights


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def mask(c, batch, length, total):
    """What can be seen, in one of the forms that it has: ends, starts and ends, columns, rows and columns."""
    form = c.number(0, 4)
    if form == 0:
        return None
    if form == 1:
        return c.integers(1, total, [batch], np.int32)
    columns = c.integers(0, 1, [batch, total], np.int32)
    columns[:, 0] = 1
    if form == 2:
        return columns
    if form == 3:
        return np.repeat(columns[:, None], length, axis=1)
    ends = c.integers(1, total, [batch], np.int32)
    return np.concatenate([ends, c.rng.integers(0, ends).astype(np.int32)])


def attention(c):
    batch, heads, size, length = c.number(1, 2), c.number(1, 2), 4 * c.number(1, 2), c.number(1, 4)
    width, inner = c.number(2, 6), heads * size
    attributes = {"num_heads": heads}
    sizes = [inner] * 3
    has_past = c.number(0, 2) == 0
    if not has_past and c.number(0, 1):
        sizes = [inner, inner, heads * c.number(1, 6)]
        attributes["qkv_hidden_sizes"] = sizes
    before = c.number(1, 3) if has_past else 0
    if c.number(0, 2) == 0:
        attributes["unidirectional"] = 1
    if c.number(0, 2) == 0:
        attributes["scale"] = 0.4
    inputs = [small(c, batch, length, width), small(c, width, sum(sizes)), small(c, sum(sizes))]
    inputs.append(mask(c, batch, length, before + length))
    inputs.append(small(c, 2, batch, heads, before, size) if has_past else None)
    if c.number(0, 2) == 0:
        inputs.append(small(c, batch, heads, length, before + length))
    return "Attention", inputs, attributes, [True, has_past]


def quantized_attention(c):
    batch, heads, size, length, width = c.number(1, 2), c.number(1, 2), 4 * c.number(1, 2), c.number(1, 4), c.number(2, 6)
    inner, attributes, kind = heads * size, {"num_heads": heads}, c.one_of([np.int8, np.uint8])
    columns = [3 * inner] if c.number(0, 1) else []
    before = c.number(1, 3) if c.number(0, 2) == 0 else 0
    if c.number(0, 2) == 0:
        attributes["unidirectional"] = 1
    inputs = [c.integers(0, 255, [batch, length, width], np.uint8), weights(c, kind, [width, 3 * inner])]
    inputs += [small(c, 3 * inner), np.float32(0.0117)]
    inputs += [(c.rng.random(columns) * 0.01 + 0.003).astype(np.float32), mask(c, batch, length, before + length)]
    inputs += [np.uint8(c.number(100, 140)), kind(0 if kind is np.int8 else 64)]
    if before:
        inputs.append(small(c, 2, batch, heads, before, size))
    return "QAttention", inputs, attributes, [True, before > 0]


def multi_head_attention(c):
    batch, heads, size, length, others = c.number(1, 2), c.number(1, 2), 4 * c.number(1, 2), c.number(1, 4), c.number(1, 4)
    attributes, inner = {"num_heads": heads}, heads * size
    form = c.one_of(["apart", "apart", "packed", "pair", "by head"])
    before, query = 0, small(c, batch, length, inner)
    key, value, past = None, None, [None, None]
    if form == "packed":
        others, query = length, small(c, batch, length, heads, 3, size)
    elif form == "pair":
        key = small(c, batch, others, heads, 2, size)
    elif form == "by head":
        key, value = (small(c, batch, heads, others, size) for _ in range(2))
    else:
        if c.number(0, 1):
            others, before = length, c.number(1, 3)
            past = [small(c, batch, heads, before, size) for _ in range(2)]
        key, value = (small(c, batch, others, inner) for _ in range(2))
    has_bias = form in ("apart", "packed") and c.number(0, 1)
    total = before + others
    ends, columns = c.integers(1, total, [batch], np.int32), c.integers(0, 1, [batch, total], np.int32)
    columns[:, 0] = 1
    padding = c.one_of([None, ends, columns])
    inputs = [query, key, value, small(c, 3 * inner) if has_bias else None, padding]
    inputs.append(small(c, c.one_of([1, batch]), c.one_of([1, heads]), length, total) if c.number(0, 2) == 0 else None)
    if others == length and c.number(0, 2) == 0:
        attributes["unidirectional"] = 1
    if c.number(0, 2) == 0:
        attributes["scale"] = 0.4
    return "MultiHeadAttention", inputs + past, attributes, [True] + [form == "apart" and c.number(0, 1)] * 2


def group_query_attention(c):
    key_heads, size = c.number(1, 2), 16
    heads = key_heads * c.number(1, 2)
    attributes = {"num_heads": heads, "kv_num_heads": key_heads}
    has_past, batch = c.number(0, 1), c.number(1, 2)
    length, before = (1, c.number(1, 5)) if has_past else (c.number(1, 5), 0)
    past = [small(c, batch, key_heads, before, size) for _ in range(2)] if has_past else [None, None]
    inputs = [small(c, batch, length, heads * size), *(small(c, batch, length, key_heads * size) for _ in range(2)), *past]
    total = before + length
    caches = [None, None]
    if c.number(0, 1):
        attributes |= {"do_rotary": 1, "rotary_interleaved": c.number(0, 1)}
        caches = angles(c, total + 2, size // 2)
    inputs += [np.full([batch], total - 1, np.int32), np.int32(total), *caches, None, None]
    if c.number(0, 1):
        attributes["scale"] = c.one_of([0.5, 3.0])
    if c.number(0, 2) == 0:
        attributes["softcap"] = 2.0
    if c.number(0, 2) == 0:
        attributes["local_window_size"] = c.number(1, 4)
    if c.number(0, 1):
        inputs.append(small(c, heads) * 4)
    elif c.number(0, 1):
        attributes["smooth_softmax"] = 1
    return "GroupQueryAttention", inputs, attributes, [True] * 3


def angles(c, places, count):
    turns = c.rng.random([places, count]) * 6
    return [np.cos(turns).astype(np.float32), np.sin(turns).astype(np.float32)]


def rotary_embedding(c):
    batch, length, heads, size = c.number(1, 2), c.number(1, 4), c.number(1, 3), 2 * c.number(1, 4)
    rotated, attributes = size, {"interleaved": c.number(0, 1)}
    by_head = c.number(0, 1)
    if c.number(0, 2) == 0:
        rotated = 2 * c.number(1, size // 2)
        attributes |= {"rotary_embedding_dim": rotated, "num_heads": heads}
    x = small(c, batch, heads, length, size) if by_head else small(c, batch, length, heads * size)
    places = length + c.number(0, 3)
    positions = c.integers(0, places - 1, [batch, length]) if c.number(0, 1) else c.integers(0, places - length, [1])
    return "RotaryEmbedding", [x, positions, *angles(c, places, rotated // 2)], attributes


# Sentences without padding


def sentences(c):
    """The lengths of sentences, where their elements are in the padded form, and where each begins."""
    lengths = [c.number(1, 4) for _ in range(c.number(1, 3))]
    longest = max(lengths) + c.number(0, 1)
    slots = np.arange(len(lengths) * longest).reshape(len(lengths), longest)
    is_element = np.arange(longest) < np.array(lengths)[:, None]
    offsets = np.concatenate([slots[is_element], slots[~is_element]]).reshape(slots.shape)
    return sum(lengths), offsets.astype(np.int32), np.cumsum([0, *lengths]).astype(np.int32)


def packed_attention(c):
    heads, size, width = c.number(1, 2), 4 * c.number(1, 2), c.number(2, 6)
    elements, offsets, starts = sentences(c)
    inner, attributes = heads * size, {"num_heads": heads}
    if c.number(0, 1):
        attributes["scale"] = 0.4
    inputs = [small(c, elements, width), small(c, width, 3 * inner), small(c, 3 * inner), offsets, starts]
    if c.number(0, 1):
        inputs.append(small(c, *offsets.shape[:1], heads, offsets.shape[1], offsets.shape[1]))
    return "PackedAttention", inputs, attributes


def packed_multi_head_attention(c):
    heads, size = c.number(1, 2), 4 * c.number(1, 2)
    elements, offsets, starts = sentences(c)
    inner, attributes = heads * size, {"num_heads": heads}
    if c.number(0, 1):
        attributes["scale"] = 0.4
    if c.number(0, 1):
        inputs = [small(c, elements, heads, 3, size), None, None]
    else:
        inputs = [small(c, elements, inner) for _ in range(3)]
    inputs += [small(c, 3 * inner) if c.number(0, 1) else None, offsets, starts]
    if c.number(0, 1):
        inputs.append(small(c, *offsets.shape[:1], heads, offsets.shape[1], offsets.shape[1]))
    return "PackedMultiHeadAttention", inputs, attributes


# Attention without softmax, whose state is a matrix


def linear_attention(c):
    batch, length, heads, size, width = c.number(1, 2), c.number(1, 4), c.number(1, 2), 4 * c.number(1, 2), 4 * c.number(1, 2)
    rule = c.one_of(["linear", "gated", "delta", "gated_delta"])
    queries = heads * c.number(1, 2)
    attributes = {"q_num_heads": queries, "kv_num_heads": heads, "update_rule": rule}
    if c.number(0, 1):
        attributes["scale"] = c.one_of([0.0, 0.3])
    inputs = [small(c, batch, length, count * size) for count in (queries, heads)] + [small(c, batch, length, heads * width)]
    inputs.append(small(c, batch, heads, size, width) if c.number(0, 1) else None)
    inputs.append(-np.abs(small(c, batch, length, heads * c.one_of([1, size]))) if "gated" in rule else None)
    inputs.append(np.abs(small(c, batch, length, c.one_of([1, heads]))) if "delta" in rule else None)
    return "LinearAttention", inputs, attributes, [True, True]


def causal_convolution(c):
    batch, channels, length, taps = c.number(1, 2), c.number(1, 4), c.number(1, 6), c.number(2, 4)
    inputs = [small(c, batch, channels, length), small(c, channels, 1, taps), small(c, channels) if c.number(0, 1) else None]
    inputs.append(small(c, batch, channels, taps - 1) if c.number(0, 1) else None)
    return "CausalConvWithState", inputs, {"activation": c.one_of(["none", "silu", "swish"])}, [True, True]


CASES = [
    quantized_attention, linear_attention, causal_convolution,
    attention, multi_head_attention, group_query_attention, rotary_embedding, packed_attention, packed_multi_head_attention
]


def by_sentence(case, query, key, value):
    """Attention of each sentence by itself. A bias is of places in the padded form."""
    a = case.attributes
    heads, starts = a["num_heads"], case.feeds["i5" if case.operator == "PackedMultiHeadAttention" else "i4"]
    bias = case.feeds.get("i6" if case.operator == "PackedMultiHeadAttention" else "i5")
    scale = a.get("scale") or 1 / np.sqrt(query.shape[1] // heads)
    result = np.empty_like(value)
    for number, (begin, end) in enumerate(zip(starts, starts[1:])):
        q, k, v = (rows[begin:end].reshape(end - begin, heads, -1).transpose(1, 0, 2) for rows in (query, key, value))
        scores = q @ k.transpose(0, 2, 1) * scale
        if bias is not None:
            scores = scores + bias[number, :, :end - begin, :end - begin]
        result[begin:end] = (softmax(scores) @ v).transpose(1, 0, 2).reshape(end - begin, -1)
    return [result.astype(np.float32)]


def of_packed_attention(case):
    x, weights, bias = (case.feeds[f"i{k}"] for k in range(3))
    return by_sentence(case, *np.split(x @ weights + bias, 3, axis=1))


def of_packed_multi_head_attention(case):
    query = case.feeds["i0"]
    if "i1" in case.feeds:
        rows = [query, case.feeds["i1"], case.feeds["i2"]]
    else:
        rows = [query[:, :, part].reshape(len(query), -1) for part in range(3)]
    if "i3" in case.feeds:
        rows = [part + bias for part, bias in zip(rows, np.split(case.feeds["i3"], 3))]
    return by_sentence(case, *rows)


def of_multi_head_attention(case):
    """Packed operands, which ONNX Runtime does not take apart on a CPU."""
    query, key = case.feeds["i0"], case.feeds.get("i1")
    inputs = [case.feeds.get(name) for name in case.names]

    def rows(heads):
        return np.ascontiguousarray(heads).reshape(*heads.shape[:2], -1)

    if query.ndim == 5:
        inputs[:3] = [rows(query[:, :, :, part]) for part in range(3)]
    elif key.ndim == 5:
        inputs[1:3] = [rows(key[:, :, :, part]) for part in range(2)]
    return case.other("MultiHeadAttention", inputs, case.attributes, case.places).of_runtime()


TEXTS = {
    "MultiHeadAttention": of_multi_head_attention, "PackedAttention": of_packed_attention,
    "PackedMultiHeadAttention": of_packed_multi_head_attention
}
