// The compiler's diagnostics as the user reads them: file, node, what is wrong.
//
//   error: yolo.onnx: node 'Conv_12': expects 64 input channels, got 32
//   note: yolo.onnx: node 'Relu_11': the input comes from here
#pragma once
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>

namespace mlc {

/// Prints errors and warnings of a context while it lives.
class DiagnosticPrinter {
public:
  DiagnosticPrinter(mlir::MLIRContext &context, llvm::StringRef file, llvm::raw_ostream &out = llvm::errs());
  /// Whether an error has been printed.
  bool hasErrors() const { return errors; }

private:
  bool errors = false;
  mlir::ScopedDiagnosticHandler handler;
};

/// One line without its kind: "yolo.onnx: node 'Conv_12': expects ...". `file` is said where the location has no file
/// of its own.
std::string formatDiagnostic(mlir::Diagnostic &diagnostic, llvm::StringRef file);

} // namespace mlc
