// Labels and categories: lists of strings or of integers, which operators have as one of two attributes.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// The strings of the attributes if there are any, else the integers, of which there may be none.
mlir::DenseElementsAttr labelsOf(mlir::MLIRContext *context, std::optional<mlir::ArrayAttr> strings,
                                 std::optional<llvm::ArrayRef<int64_t>> integers);

/// What a model says whose only label holds or does not: 0 or `positive`, or, of strings, an empty one or the label.
mlir::DenseElementsAttr onlyLabel(mlir::MLIRContext *context, std::optional<mlir::ArrayAttr> strings, int64_t positive);

/// labels[positions[i]], for i64 positions of one axis, or a position and one label.
mlir::Value labelsAt(Lowering &l, mlir::Value positions, mlir::DenseElementsAttr labels);

} // namespace mlc::onnx
