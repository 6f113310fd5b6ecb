// The attributes of the operators of trees, as forests.
#pragma once
#include "onnx/Onnx.h"
#include "onnx/ops/Forest.h"

namespace mlc::onnx {

/// Numbers that an attribute gives as floats, or as a tensor.
llvm::SmallVector<double> numbersOf(std::optional<llvm::ArrayRef<float>> floats,
                                    std::optional<mlir::ElementsAttr> tensor);

/// Features are compared as f32, unless they are doubles.
mlir::Type compareType(mlir::Value x);

/// Refuses a list of one entry for each node (or vote, or target) that has another length.
llvm::LogicalResult checkLength(mlir::Operation *op, llvm::StringRef name, size_t length, size_t expected);

/// The votes of TreeEnsembleRegressor and TreeEnsembleClassifier, which name them differently.
struct Votes {
  llvm::ArrayRef<int64_t> trees, nodes, targets;
  llvm::SmallVector<double> weights;
};

/// The forest that a node holds. Fails, with an error at the node, where its attributes do not describe one.
llvm::FailureOr<Forest> forestOf(MlTreeEnsembleOp op);
llvm::FailureOr<Forest> forestOf(MlTreeEnsembleRegressorOp op, const Votes &votes, int64_t targets);
llvm::FailureOr<Forest> forestOf(MlTreeEnsembleClassifierOp op, const Votes &votes, int64_t targets);

} // namespace mlc::onnx
