#!/usr/bin/env python3
"""Run operators of com.microsoft on random inputs in mlc and in ONNX Runtime.

    build/venv/bin/python test/fuzz/microsoft.py --seed 1 --count 200

Each case is a model of one node, valid for the most part. mlc must give what ONNX Runtime gives, or end with an error
that names the node. What the CPU of ONNX Runtime lacks or computes otherwise than its documentation says is computed
as that says, beside the function that makes the case, in contrib. Of halves the answer is that of the same numbers in
32 bits: most kernels of ONNX Runtime know no others on a CPU.
"""
import numpy as np

from contrib import attention, experts, plain, quantized
from one_node import HALVES, Case, main

FAMILIES = [plain, quantized, attention, experts]
CASES = [make for family in FAMILIES for make in family.CASES]
TEXTS = {operator: text for family in FAMILIES for operator, text in getattr(family, "TEXTS", {}).items()}
# Operators all of whose floats may be halves.
OF_HALVES = {
    "BiasGelu", "BiasSplitGelu", "Gelu", "FastGelu", "QuickGelu", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization",
    "EmbedLayerNormalization", "FusedMatMul", "TransposeMatMul", "FusedMatMulActivation", "Attention", "MultiHeadAttention",
    "GroupQueryAttention", "RotaryEmbedding", "MoE", "GatedRMSNorm", "LinearAttention", "CausalConvWithState"
}


def converted(value, since, to):
    return value.astype(to) if value is not None and since is not None and value.dtype == since else value


class MicrosoftCase(Case):
    @classmethod
    def random(cls, chance, make=None, is_dynamic=None):
        operator, inputs, attributes, *outputs = (make or chance.one_of(CASES))(chance)
        unknown = chance.number(0, 2) > 0
        element = chance.one_of(HALVES) if operator in OF_HALVES and chance.number(0, 3) == 0 else np.float32
        inputs = [converted(value, np.float32, element) for value in inputs]
        return cls.of(operator, inputs, attributes, *outputs, is_dynamic=unknown if is_dynamic is None else is_dynamic)

    @classmethod
    def of(cls, operator, inputs, attributes, outputs=1, is_dynamic=False):
        return cls(operator, inputs, attributes, outputs, domain="com.microsoft", opset=1, is_dynamic=is_dynamic)

    def other(self, operator, inputs, attributes, outputs=1):
        """A case whose result is a part of this one's."""
        return self.of(operator, inputs, attributes, outputs)

    def expected(self):
        """Of the same node with extents that are known: ONNX Runtime refuses some that are not."""
        half = next((value.dtype for value in self.feeds.values() if value.dtype in HALVES), None)
        inputs = [converted(self.feeds.get(name), half, np.float32) for name in self.names]
        known = self.of(self.operator, inputs, self.attributes, self.places)
        answers = known.answers_of([known.of_text if self.operator in TEXTS else known.of_runtime])
        return [[converted(value, half and np.float32, half) for value in answer] for answer in answers]

    def of_text(self):
        return TEXTS[self.operator](self)


if __name__ == "__main__":
    main(__doc__, MicrosoftCase.random)
