// What classifiers and regressors of ai.onnx.ml share: scores of rows, and the labels that they mean.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// How scores become what a model gives out. ai.onnx.ml names them; TreeEnsemble numbers them in this order.
enum class PostTransform { None, Softmax, Logistic, SoftmaxZero, Probit };

/// By its name; error at op.
llvm::FailureOr<PostTransform> postTransformOf(mlir::Operation *op, llvm::StringRef name);

/// f32 scores [rows, classes] transformed, each row by itself.
mlir::Value transformScores(Lowering &l, mlir::Value scores, PostTransform transform);

/// What a model of two classes gives out that has a score of one: [rows, 2], `whole` - score and score, for an f32 score
/// [rows].
mlir::Value scoresOfBoth(Lowering &l, mlir::Value score, double whole);

/// The numbers of an attribute that may be absent.
template <typename T> llvm::ArrayRef<T> orNone(std::optional<llvm::ArrayRef<T>> list) {
  return list.value_or(llvm::ArrayRef<T>());
}

/// A constant of these numbers, as `storage`: f32, f64, i64, i32 or i8.
mlir::Value tableOf(Lowering &l, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values, mlir::Type storage);

/// The rows [rows, features] of X, which may be a single one of rank 1, as `type` (f32 or f64).
mlir::Value rowsOf(Lowering &l, mlir::Value x, mlir::Type type);
/// What they are in the words of the analysis; error at op for other ranks.
llvm::FailureOr<std::pair<Extent, Extent>> rowsAndFeatures(mlir::Operation *op, mlir::Value x, Known &known);

} // namespace mlc::onnx
