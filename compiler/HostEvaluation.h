// Runs a part of a model while compiling: on this machine, by mlc's own pipeline.
#pragma once
#include "mlir/IR/BuiltinOps.h"

namespace mlc {

/// Compiles a module with one graph function `@model` in the onnx dialect for this machine, runs it on constants, and
/// gives its results as constants. So no operator is implemented a second time for folding. `inputs` are dense
/// constants of the types of the arguments. Fails, with an error, when the module does not compile or the run ends with
/// one.
llvm::FailureOr<llvm::SmallVector<mlir::ElementsAttr>> evaluateOnHost(mlir::ModuleOp module,
                                                                      llvm::ArrayRef<mlir::ElementsAttr> inputs);

} // namespace mlc
