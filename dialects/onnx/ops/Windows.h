// Windows that slide over the spatial axes of a tensor N x C x D1 x D2...: what convolutions and poolings share.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// What an operator says about its windows.
struct WindowAttributes {
  std::optional<llvm::ArrayRef<int64_t>> strides, dilations, pads;
  llvm::StringRef autoPad;
  bool ceils = false; ///< a last window may begin in the operand and end beyond it
};

template <typename Op> WindowAttributes windowAttributes(Op op) {
  WindowAttributes result{op.getStrides(), {}, op.getPads(), "NOTSET"};
  if constexpr (requires { op.getDilations(); })
    result.dilations = op.getDilations();
  if constexpr (requires { op.getAutoPad(); })
    result.autoPad = op.getAutoPad();
  if constexpr (requires { op.getCeilMode(); })
    result.ceils = op.getCeilMode();
  return result;
}

/// The same, complete and as numbers for each spatial axis.
struct Windows {
  llvm::SmallVector<int64_t> strides, dilations;
  Extents kernel; ///< elements of the window
  Extents before; ///< padding at the begin of the axis
  Extents after;  ///< padding at its end, as much as the last window needs or the operator says
  Extents padded; ///< the axis with the padding that the operator says, which counts as elements; no more than before +
                  ///< axis + after
  Extents places; ///< of the window: extents of the result

  int64_t rank() const { return strides.size(); }
};

/// Windows of `kernel` elements over axes of extents `spatial`; error at op where the attributes do not make sense.
llvm::FailureOr<Windows> windowsOf(mlir::Operation *op, Known &known, WindowAttributes attributes,
                                   llvm::ArrayRef<Extent> spatial, llvm::ArrayRef<Extent> kernel);

/// Checks at run time that no axis is too short for the window.
void checkPlaces(Lowering &l, const Windows &windows);
/// `operand` (lowered, N x C x spatial axes) with the padding of `windows` filled with `value`; with checkPlaces.
mlir::Value padded(Lowering &l, mlir::Value operand, const Windows &windows, mlir::Value value);

/// Where element `inside` of the window at `place` lies on spatial axis `axis` of the padded operand.
mlir::AffineExpr elementOfWindow(const Windows &windows, int64_t axis, mlir::AffineExpr place, mlir::AffineExpr inside);

} // namespace mlc::onnx
