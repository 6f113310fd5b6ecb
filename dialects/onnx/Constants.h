// Constant tensors as bytes, in the layout that compiled models use: row-major, bool and what has fewer than 8 bits as one
// byte.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <vector>

namespace mlc::onnx {

/// The elements of a constant. They lie in the attribute where its form allows, else in `storage`, which then is
/// filled.
llvm::ArrayRef<char> bytesOf(mlir::ElementsAttr value, std::vector<char> &storage);

/// A constant with a copy of these elements; large ones become resources, which are not uniqued and print by name.
mlir::ElementsAttr constantOf(mlir::RankedTensorType type, llvm::ArrayRef<char> data);

/// Bytes of an element in memory; 0 for types that have no fixed form there (strings), or several to a byte.
unsigned bytesPerElement(mlir::Type element);

} // namespace mlc::onnx
