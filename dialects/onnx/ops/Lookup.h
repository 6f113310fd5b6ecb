// Tables from keys to values, which lie in the code as text (runtime/include/mlc/abi.h) and are searched by the runtime.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// Where a key is there several times, its last value counts.
std::string stringTable(llvm::ArrayRef<std::pair<llvm::StringRef, int64_t>> entries);
std::string numberTable(llvm::ArrayRef<std::pair<int64_t, int64_t>> entries);

/// The value of a key, a string or an i64, in a table, as an i64; -1 if it is not there.
mlir::Value findIn(mlir::OpBuilder &b, mlir::Location loc, mlir::Value key, mlir::Value table);

} // namespace mlc::onnx
