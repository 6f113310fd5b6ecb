// Tensors of a model: TensorProto -> attributes.
//
// Large data stays where it is, in the mapping of the model's file or of an external one: a DenseResourceElementsAttr
// refers to it and keeps the mapping alive. Small data becomes a DenseElementsAttr.
#pragma once
#include "import/Payloads.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace onnx {
class SparseTensorProto;
class TensorProto;
} // namespace onnx

namespace mlc::importer {

/// Reads the tensors of one model. Errors name the tensor, what was expected and what was found.
class TensorReader {
public:
  /// `path` is the model's file, next to which external data lies.
  explicit TensorReader(llvm::StringRef path) : path(path) {}

  /// Where the tensors' detached data lies: in `file`.
  void setPayloads(std::shared_ptr<llvm::MemoryBuffer> file, Payloads payloads) {
    this->file = std::move(file);
    this->payloads = std::move(payloads);
  }

  mlir::FailureOr<mlir::ElementsAttr> read(const ::onnx::TensorProto &tensor, mlir::Location loc);
  /// Densely, with zeros in between.
  mlir::FailureOr<mlir::ElementsAttr> read(const ::onnx::SparseTensorProto &tensor, mlir::Location loc);

private:
  using Buffer = std::shared_ptr<llvm::MemoryBuffer>;
  struct Bytes {
    llvm::ArrayRef<char> data;
    Buffer owner;
  };
  mlir::FailureOr<Bytes> bytesOf(const ::onnx::TensorProto &tensor, mlir::RankedTensorType type, mlir::Location loc);
  mlir::FailureOr<Bytes> externalBytes(const ::onnx::TensorProto &tensor, mlir::Location loc);
  mlir::FailureOr<Buffer> openExternal(llvm::StringRef location, const llvm::Twine &what, mlir::Location loc);

  std::string path;
  Buffer file;
  Payloads payloads;
  llvm::StringMap<Buffer> external;
};

} // namespace mlc::importer
