// Large tensor data inside a serialized model, found before the model is parsed.
//
// Protobuf copies every field that it parses, and cannot parse more than 2 GB. So the bytes are walked once as they lie
// in the file's mapping: the data of large tensors is noted in place, and what is left is a small message in which a
// private field of the tensor holds the number of its data.
#pragma once
#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace onnx {
class TensorProto;
}

namespace mlc::importer {

struct Payload {
  llvm::ArrayRef<char> bytes; ///< in the file
  int field; ///< of TensorProto: raw_data, or float_data or double_data, which lie in the file as raw data does
};
/// By number.
using Payloads = std::vector<Payload>;

/// Tensor data of fewer bytes stays in the message.
constexpr size_t smallestPayload = 1024;

/// Moves the large data of all tensors of a serialized ModelProto (in initializers, attributes, nested graphs,
/// functions) to `payloads`, and returns the message that is left. Fails where the bytes are no protobuf message,
/// saying at which offset.
llvm::Expected<std::string> detachPayloads(llvm::ArrayRef<char> file, Payloads &payloads);

/// The detached data of a tensor; none if its data is in its fields.
std::optional<Payload> payloadOf(const ::onnx::TensorProto &tensor, const Payloads &payloads);

} // namespace mlc::importer
