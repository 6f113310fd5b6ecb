// A model as the user names it, compiled or not, made ready to run.
#pragma once
#include "Compiler.h"
#include "Library.h"
#include <memory>

namespace mlc {

/// A context that knows all dialects.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// Whether a path names a compiled model, by its ending.
bool isCompiled(llvm::StringRef path);

/// Compiles, showing progress and diagnostics; its errors have been reported.
llvm::Error compileModel(const Options &options, mlir::MLIRContext &context);

/// A library, and what it took to load it.
struct LoadedModel {
  Library library;
  double loadSeconds; ///< from dlopen to a session that is ready
  uint64_t fileBytes;
};

/// Loads a .so, or compiles options.input, shows progress, and loads the result, of which no file remains. `runner` as
/// in Library::load.
llvm::Expected<LoadedModel> loadModel(const Options &options, llvm::StringRef runner = "");

} // namespace mlc
