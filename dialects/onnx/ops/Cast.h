// Conversion of whole tensors between any two element types, text included.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// Each element of a lowered tensor as ONNX's Cast converts it; both types are ONNX's. What is no number ends the run.
mlir::Value convertElements(Lowering &l, mlir::Value operand, mlir::Type from, mlir::Type to, Narrowing narrowing = {});

} // namespace mlc::onnx
