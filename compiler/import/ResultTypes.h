// The types of a node's results, as far as they follow from its schema: element types, without extents.
#pragma once
#include "mlir/IR/Region.h"
#include "onnx/Rules.h"

namespace onnx {
class OpSchema;
}

namespace mlc::importer {

/// The type of result `index` of a node that speaks the pinned opset; `regions` are its graph attributes. Types that a
/// model declares for values in between (value_info) are not looked at: exporters get them wrong. Fails, with an error
/// at the node, where an operand or attribute that the type follows from is missing.
mlir::FailureOr<mlir::Type> resultType(const onnx::Node &node, const ::onnx::OpSchema &schema, unsigned index,
                                       llvm::ArrayRef<std::unique_ptr<mlir::Region>> regions);

} // namespace mlc::importer
