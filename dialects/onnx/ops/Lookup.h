// Tables from keys to values, which lie in the code as text (runtime/include/mlc/abi.h) and are searched by the runtime.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// Where a key is there several times, its last value counts.
std::string stringTable(llvm::ArrayRef<std::pair<llvm::StringRef, int64_t>> entries);
std::string numberTable(llvm::ArrayRef<std::pair<int64_t, int64_t>> entries);

/// A table of the places of keys of any type in their list; none of kinds of attributes that are not dense.
std::optional<std::string> tableOfPlaces(mlir::ElementsAttr keys);

/// For each element of a lowered tensor its place among the keys, which are of its type; -1 if it is not there.
mlir::Value placesIn(Lowering &l, mlir::Value elements, mlir::DenseElementsAttr keys);

/// The value of a key, a string or an i64, in a table, as an i64; -1 if it is not there.
mlir::Value findIn(mlir::OpBuilder &b, mlir::Location loc, mlir::Value key, mlir::Value table);

} // namespace mlc::onnx
