// What a model says of its results, for operators whose own operands do not tell.
#pragma once
#include "mlir/IR/Value.h"
#include <cstdint>
#include <optional>

namespace mlc::onnx {

/// The rank that the model declares for a value that it gives as a result.
std::optional<int64_t> declaredRank(mlir::Value value);

} // namespace mlc::onnx
