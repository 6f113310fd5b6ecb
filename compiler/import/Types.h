// Types of a model: TypeProto and the type strings of schemas -> MLIR types.
#pragma once
#include "mlir/IR/Types.h"
#include "mlir/Support/LLVM.h"
#include <string>

namespace onnx {
class TypeProto;
}

namespace mlc::importer {

/// A type and the names of its dimensions: one for each, "" for a number or an unnamed dimension.
struct NamedType {
  mlir::Type type;
  llvm::SmallVector<std::string> dimensions;
};

/// Fails, with an error at `loc` that starts with `what` ("input 'x'"), for types that mlc does not have, and for
/// absurd extents.
mlir::FailureOr<NamedType> importType(const ::onnx::TypeProto &proto, mlir::Location loc, llvm::StringRef what);

/// "seq(tensor(float))", as schemas spell it, without shapes. The string is libonnx's own, so it is well-formed.
mlir::Type importType(llvm::StringRef text, mlir::MLIRContext *context);

/// The reverse: a type, without shapes, for libonnx.
::onnx::TypeProto exportType(mlir::Type type);

} // namespace mlc::importer
