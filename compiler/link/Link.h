// The link phase: a module in its last MLIR -> one shared library.
#pragma once
#include "Target.h"
#include <string>

namespace mlc {

/// The path of a file of the folder lib/mlc/<runtime>: beside the executable that this is part of, as it is installed
/// and as it is built.
std::string runtimeFile(llvm::StringRef runtime, llvm::StringRef file);

/// Emits machine code, places weights, links the runtime and the files `linked` (objects, archives, shared libraries),
/// and writes `path`, whole or not at all.
llvm::LogicalResult linkModel(mlir::ModuleOp module, const Target &target, TargetAttr attr, llvm::StringRef path,
                              llvm::ArrayRef<std::string> linked = {});

/// Writes the typed C header of the model.
llvm::LogicalResult writeHeader(mlir::ModuleOp module, llvm::raw_ostream &out);

} // namespace mlc
