// The import phase: a model file -> a module with one graph function in the onnx dialect.
#pragma once
#include "import/InputShapes.h"
#include "import/Operators.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlc {

/// Reads a .onnx or ONNX text (.onnxtxt) file; its inputs get the extents that `shapes` says, where the model leaves them open. Weights stay in the file's mapping, which lives as long as the context.
/// Null, with an error that names file and node, when the model is not valid or uses what mlc does not know.
mlir::OwningOpRef<mlir::ModuleOp> importModel(llvm::StringRef path, mlir::MLIRContext &context,
                                              const InputShapes &shapes = {});

/// What the file names, whether it can be imported or not. Fails, with an error, where the file is no model.
llvm::FailureOr<std::vector<NamedOperator>> listOperators(llvm::StringRef path, mlir::MLIRContext &context);

} // namespace mlc
