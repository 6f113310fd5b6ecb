// A node of an operator that was declared (Declaration.h), as the operator's rules see it.
#pragma once
#include "mlir/IR/Operation.h"

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::onnx {

class Custom {
public:
  /// An onnx.Custom.
  explicit Custom(mlir::Operation *op) : op(op) {}
  mlir::Operation *operator->() const { return op; }
  operator mlir::Operation *() const { return op; }

  /// "my.ops.Swish"
  llvm::StringRef operatorName() const;
  /// By the places of the declaration; null where an input is left out.
  mlir::Value operand(unsigned index) const;
  mlir::Value result(unsigned index = 0) const;
  /// Inputs of the declaration, whether they are there or not.
  unsigned operandCount() const;

  /// Attributes that the declaration has, with its default where the node gives none.
  double number(llvm::StringRef name) const;
  int64_t integer(llvm::StringRef name) const;
  llvm::StringRef text(llvm::StringRef name) const;
  llvm::ArrayRef<float> numbers(llvm::StringRef name) const;
  llvm::ArrayRef<int64_t> integers(llvm::StringRef name) const;
  mlir::DictionaryAttr attributes() const;

private:
  mlir::Operation *op;
};

/// An operator's name without the dialect: "Conv", "ml.Scaler", "my.ops.Swish".
llvm::StringRef operatorName(mlir::Operation *op);

} // namespace mlc::onnx
#pragma GCC visibility pop
