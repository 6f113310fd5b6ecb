// How errors of the run name a node.
#pragma once
#include "mlir/IR/Operation.h"
#include <string>

namespace mlc::onnx {

/// "choice (Gather)": the node's name, which the importer has put into the location, and its operator.
std::string nodeText(mlir::Operation *op);

} // namespace mlc::onnx
