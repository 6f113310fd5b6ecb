// The matrix product of numpy, for the operators that are one on other types.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// Extents of a @ b; error at op where they do not fit.
llvm::FailureOr<Extents> shapeOfProduct(mlir::Operation *op, Known &known, mlir::Value a, mlir::Value b);

/// a @ b, where `left` and `right` are what became of the onnx values a and b: lowered, in the accumulator's type or as
/// `factors` says, with batches that broadcast (broadcastBatches). `extents` are those of the result, which has the
/// accumulator's type.
mlir::Value lowerProduct(Lowering &l, llvm::ArrayRef<Extent> extents, mlir::Value a, mlir::Value b, mlir::Value left,
                         mlir::Value right, Factors factors = Factors::Same);

/// Extents of a product of two matrices, each transposed if it is said so, to which c (which may be null) broadcasts;
/// error at op where they do not fit.
llvm::FailureOr<Extents> shapeOfMatrices(mlir::Operation *op, Known &known, mlir::Value a, bool transA, mlir::Value b,
                                         bool transB, mlir::Value c);

/// That product of `left` and `right`, which a and b have become, in the accumulator's type or as `factors` says; of the
/// extents of `result`.
mlir::Value productOfMatrices(Lowering &l, mlir::Value a, mlir::Value left, bool transA, mlir::Value b,
                              mlir::Value right, bool transB, mlir::Value result, Factors factors = Factors::Same);

/// What became of `operand`, one of the two factors of a product with extents `result`, with batch axes that are 1 or
/// the result's.
mlir::Value broadcastBatches(Lowering &l, llvm::ArrayRef<Extent> result, mlir::Value operand, mlir::Value lowered,
                             mlir::Value other);

} // namespace mlc::onnx
