// Quantized weights that are known when a model is compiled.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// A constant of integers of 8 bits and the zero point that belongs to it:  w - zero point.
class QuantizedConstant {
public:
  /// None where w or its zero point (null for 0; one, or one for each index of `axis`) is no such constant.
  static std::optional<QuantizedConstant> of(mlir::Value w, mlir::Value zeroPoint, int64_t axis);

  /// The numbers, as signed integers of as few bits (8 or 16) as hold all of them. What is held like that already is not
  /// copied.
  mlir::Value centered(Lowering &l) const;
  /// Their sums over `axis` and the axes after it, for each index before it; times `factor`, as i32 that wrap around.
  mlir::ElementsAttr sumsFrom(int64_t axis, int64_t factor) const;
  /// Their sums over `axis` alone.
  mlir::ElementsAttr sumsAlong(int64_t axis, int64_t factor) const;

private:
  int64_t at(int64_t index) const;
  /// Sums over the middle one of three axes that stand for all.
  mlir::ElementsAttr sums(int64_t outer, int64_t summed, int64_t inner, llvm::ArrayRef<int64_t> shape,
                          int64_t factor) const;

  mlir::Value w;
  bool isUnsigned;
  llvm::ArrayRef<int64_t> shape;
  std::vector<char> storage, zeroStorage; ///< what the arrays refer to, where constants lie in another form
  llvm::ArrayRef<char> bytes, zeroBytes;
  int64_t inner = 1; ///< elements for each index of the zero point's axis
};

} // namespace mlc::onnx
