// The link phase: a module in its last MLIR -> one shared library.
#pragma once
#include "Target.h"

namespace mlc {

/// Emits machine code, places weights, links the runtime, and writes `path`, whole or not at all.
llvm::LogicalResult linkModel(mlir::ModuleOp module, const Target &target, TargetAttr attr, llvm::StringRef path);

/// Writes the typed C header of the model.
llvm::LogicalResult writeHeader(mlir::ModuleOp module, llvm::raw_ostream &out);

} // namespace mlc
