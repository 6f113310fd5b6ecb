// The discrete Fourier transform, of many signals at once and of any length: what DFT and STFT are made of.
#pragma once
#include "onnx/IndexMath.h"

namespace mlc::onnx {

/// Complex numbers: two tensors of f64 of the same extents.
struct Complex {
  mlir::Value re, im;

  /// With real and imaginary part exchanged: the transform of the swapped signal, swapped, is the inverse transform
  /// without its factor.
  Complex swapped() const { return {im, re}; }
};

/// y[k, lane] = sum over t of x[t, lane] * exp(-2 pi i k t / length), for x and y of extents length x lanes; `length` is
/// at least 1. O(n log n) for every length, in double.
Complex fourierTransform(Lowering &l, Complex x, Index length, Index lanes);

} // namespace mlc::onnx
