// What operators do with !mlc.sequence values, which are the sequences, maps and optionals of a model.
#pragma once
#include "mlc/Mlc.h"
#include "onnx/IndexMath.h"

namespace mlc::onnx {

/// A function of the runtime on sequences, in the graph.
template <typename... Operands>
mlir::Value service(Lowering &l, llvm::StringRef name, mlir::Type result, Operands... operands) {
  return ServiceOp::create(l.b, l.loc(), mlir::TypeRange(result), name, mlir::ValueRange{operands...}).getResult();
}

mlir::Value emptySequence(Lowering &l);
/// With a copy of a lowered tensor, whose ONNX element type is `element`, behind all others.
mlir::Value append(Lowering &l, mlir::Value sequence, mlir::Value tensor, mlir::Type element);
/// The tensor at `position`, which has been checked; `type` says its rank and storage type, and what is known of its extents.
mlir::Value itemAt(Lowering &l, mlir::Value sequence, Index position, mlir::RankedTensorType type);

} // namespace mlc::onnx
