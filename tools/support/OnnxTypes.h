// Types of the onnx dialect, in the words of the tools.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include <string>

namespace mlc {

/// "float32 batchx3x?x?"; `dims` names what the type leaves open, and may be null.
std::string formatOnnxType(mlir::Type type, mlir::ArrayAttr dims = {});

} // namespace mlc
