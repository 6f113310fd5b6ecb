#!/usr/bin/env python3
"""Train the digit classifier of the demo, and write digits.onnx, the pictures in images/, and test_data_set_0/ with their scores.

    pip install -r requirements.txt
    python train.py

A small convolutional network, trained in numpy on scikit-learn's digits: 1,797 handwritten digits of 8x8 pixels.
A fifth of them is held out: the accuracy stated is on those, and the pictures are of those.

    image float[batch, 1, 8, 8], 0 (paper) to 255 (ink), as the PNG files have it
    Mul 1/255, Conv 16 3x3, Relu, MaxPool 2x2, Conv 32 3x3, Relu, MaxPool 2x2, Flatten, Gemm 10, Softmax
    scores float[batch, 10], the probability of each digit
"""
import pathlib
import struct
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).resolve().parent
SEED = 7
HELD_OUT = 0.2
EPOCHS = 40
BATCH = 32
CHANNELS = (1, 16, 32)
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
PICTURES = 12  # one of each digit, and more


# Layers. Each forward returns what its backward needs beside its result.


def columns(x):
    """The 3x3 neighbourhood of every pixel, zero outside: [n, c, h, w] -> [n, h, w, c * 9]."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    n, c, h, w = x.shape
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, h, w, c * 9)


def conv(x, weight, bias):
    cols = columns(x)
    y = cols @ weight.reshape(len(weight), -1).T + bias
    return y.transpose(0, 3, 1, 2), cols


def conv_backward(dy, cols, weight):
    """Gradients for the input, the weight and the bias."""
    out, channels = weight.shape[:2]
    flat = dy.transpose(0, 2, 3, 1).reshape(-1, out)
    dweight = (flat.T @ cols.reshape(len(flat), -1)).reshape(weight.shape)
    mirrored = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)  # the adjoint of a padded 3x3 convolution is another one
    dx, _ = conv(dy, mirrored, np.zeros(channels, dy.dtype))
    return dx, dweight, flat.sum(0)


def pool(x):
    """Maxima of 2x2 blocks, and where each block has them."""
    n, c, h, w = x.shape
    blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
    y = blocks.max((3, 5), keepdims=True)
    return y[:, :, :, 0, :, 0], blocks == y


def pool_backward(dy, is_max):
    share = is_max / is_max.sum((3, 5), keepdims=True)
    dx = share * dy[:, :, :, None, :, None]
    n, c, h, _, w, _ = dx.shape
    return dx.reshape(n, c, 2 * h, 2 * w)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# The network


def initial_weights(rng):
    def normal(shape, fan_in):
        return rng.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)

    _, first, second = CHANNELS
    return {
        "conv1.weight": normal((first, 1, 3, 3), 9),
        "conv1.bias": np.zeros(first, np.float32),
        "conv2.weight": normal((second, first, 3, 3), first * 9),
        "conv2.bias": np.zeros(second, np.float32),
        "output.weight": normal((10, second * 4), second * 4),
        "output.bias": np.zeros(10, np.float32),
    }


def loss_and_gradients(w, images, labels):
    """Mean cross entropy of a batch, and its gradient for each weight."""
    a1, cols1 = conv(images / 255, w["conv1.weight"], w["conv1.bias"])
    p1, max1 = pool(np.maximum(a1, 0))
    a2, cols2 = conv(p1, w["conv2.weight"], w["conv2.bias"])
    p2, max2 = pool(np.maximum(a2, 0))
    features = p2.reshape(len(images), -1)
    scores = softmax(features @ w["output.weight"].T + w["output.bias"])
    loss = -np.log(scores[np.arange(len(labels)), labels]).mean()

    grad = {}
    dlogits = scores
    dlogits[np.arange(len(labels)), labels] -= 1
    dlogits /= len(labels)
    grad["output.weight"] = dlogits.T @ features
    grad["output.bias"] = dlogits.sum(0)
    da2 = pool_backward((dlogits @ w["output.weight"]).reshape(p2.shape), max2) * (a2 > 0)
    dp1, grad["conv2.weight"], grad["conv2.bias"] = conv_backward(da2, cols2, w["conv2.weight"])
    da1 = pool_backward(dp1, max1) * (a1 > 0)
    _, grad["conv1.weight"], grad["conv1.bias"] = conv_backward(da1, cols1, w["conv1.weight"])
    return loss, grad


def shifted(images, rng):
    """Each image moved by up to one pixel: what a pen does."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dy, dx = rng.integers(0, 3, (2, len(images)))
    return np.stack([p[:, y : y + 8, x : x + 8] for p, y, x in zip(padded, dy, dx)])


def train(images, labels, rng):
    """Weights after EPOCHS of Adam with decoupled weight decay, the rate falling to zero along a cosine."""
    w = initial_weights(rng)
    mean = {k: np.zeros_like(v) for k, v in w.items()}
    square = {k: np.zeros_like(v) for k, v in w.items()}
    steps = EPOCHS * (len(images) // BATCH)
    step = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(images))[: len(images) // BATCH * BATCH]
        losses = []
        for batch in order.reshape(-1, BATCH):
            loss, grad = loss_and_gradients(w, shifted(images[batch], rng), labels[batch])
            losses.append(loss)
            step += 1
            rate = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k, g in grad.items():
                mean[k] = 0.9 * mean[k] + 0.1 * g
                square[k] = 0.999 * square[k] + 0.001 * g * g
                update = mean[k] / (1 - 0.9**step) / (np.sqrt(square[k] / (1 - 0.999**step)) + 1e-8)
                w[k] = (w[k] - rate * (update + WEIGHT_DECAY * w[k])).astype(np.float32)
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return w


def onnx_model(w):
    scale = np.array(1 / 255, np.float32)
    nodes = [
        helper.make_node("Mul", ["image", "scale"], ["scaled"], "scale"),
        helper.make_node("Conv", ["scaled", "conv1.weight", "conv1.bias"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
        helper.make_node("MaxPool", ["r1"], ["p1"], "pool1", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "conv2.weight", "conv2.bias"], ["c2"], "conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("MaxPool", ["r2"], ["p2"], "pool2", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p2"], ["features"], "flatten"),
        helper.make_node("Gemm", ["features", "output.weight", "output.bias"], ["logits"], "output", transB=1),
        helper.make_node("Softmax", ["logits"], ["scores"], "softmax"),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(scale, "scale"), *(numpy_helper.from_array(v, k) for k, v in w.items())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    model.producer_name = "examples/digits/train.py"
    onnx.checker.check_model(model, full_check=True)
    return model


def write_png(path, pixels):
    """An 8-bit grayscale PNG (W3C PNG specification)."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


def choose_pictures(labels):
    """The first held-out image of each digit and the first others, whatever the model says to them."""
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    return chosen + [i for i in range(len(labels)) if i not in chosen][: PICTURES - len(chosen)]


def write_pictures(folder, images, labels):
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        write_png(folder / f"{number:02}-{label}.png", image[0].astype(np.uint8))


def write_data_set(folder, images, scores):
    """All pictures as one batch, and what ONNX's reference implementation makes of them, for `mlc verify`."""
    folder.mkdir(exist_ok=True)
    for file, name, values in (("input_0.pb", "image", images), ("output_0.pb", "scores", scores)):
        (folder / file).write_bytes(numpy_helper.from_array(values, name).SerializeToString())


def main():
    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.float32)[:, None]  # the set has 17 levels of gray
    labels = digits.target
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(images))
    held_out, training = np.split(order, [round(HELD_OUT * len(images))])

    weights = train(images[training], labels[training], rng)
    model = onnx_model(weights)
    (scores,) = ReferenceEvaluator(model).run(None, {"image": images[held_out]})
    right = int((scores.argmax(1) == labels[held_out]).sum())
    accuracy = f"{right} of {len(held_out)} held-out images right: {right / len(held_out):.1%}"
    model.doc_string = f"Handwritten digits, 8x8 pixels from 0 (paper) to 255 (ink). {accuracy}."
    onnx.save(model, HERE / "digits.onnx")
    chosen = choose_pictures(labels[held_out])
    write_pictures(HERE / "images", images[held_out][chosen], labels[held_out][chosen])
    write_data_set(HERE / "test_data_set_0", images[held_out][chosen], scores[chosen])
    print(f"digits.onnx: trained on {len(training)} images, {accuracy}")


if __name__ == "__main__":
    main()
