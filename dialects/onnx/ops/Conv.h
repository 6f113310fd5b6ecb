// The sum of products that convolutions are, for the operators that convolve other types.
#pragma once
#include "onnx/ops/Windows.h"

namespace mlc::onnx {

/// The windows of a convolution of `input` (N x C x spatial) by `filter` (F x C/groups x window); error at op where
/// they do not fit.
llvm::FailureOr<Windows> checkedConvolution(mlir::Operation *op, Known &known, mlir::Value input, mlir::Value filter,
                                            int64_t groups, std::optional<llvm::ArrayRef<int64_t>> kernelShape,
                                            WindowAttributes attributes);
/// What only the run can contradict of that; the same onnx values.
void expectConvolutionExtents(Lowering &l, mlir::Value input, mlir::Value filter, int64_t groups);

/// The convolution of lowered values in the accumulator's type, or as `factors` says; `input` has its padding already.
mlir::Value convolution(Lowering &l, mlir::Value input, mlir::Value filter, int64_t groups, const Windows &windows,
                        Factors factors = Factors::Same);

} // namespace mlc::onnx
