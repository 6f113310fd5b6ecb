// ONNX's own form of a tensor in a file. Its elements are raw bytes, or numbers in the field of a wider type.
#include "Errors.h"
#include "TensorFiles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <onnx/onnx_pb.h>

using namespace llvm;

namespace mlc {

/// Copies numbers of a protobuf field into elements of `width` bytes, the lowest ones of each number.
template <typename Field> static Error copyNumbers(const Field &field, size_t width, Tensor &tensor) {
  if (field.size() * width != tensor.data.size())
    return fail("expects " + std::to_string(tensor.data.size() / width) + " numbers for " +
                formatType(tensor.type, tensor.extents) + ", got " + std::to_string(field.size()));
  char *to = tensor.data.data();
  for (auto value : field) {
    memcpy(to, &value, width);
    to += width;
  }
  return Error::success();
}

static Error copyElements(const ::onnx::TensorProto &proto, Tensor &tensor) {
  if (proto.has_raw_data()) {
    if (proto.raw_data().size() != tensor.data.size())
      return fail("expects " + std::to_string(tensor.data.size()) + " bytes for " +
                  formatType(tensor.type, tensor.extents) + ", got " + std::to_string(proto.raw_data().size()));
    llvm::copy(proto.raw_data(), tensor.data.begin());
    return Error::success();
  }
  switch (tensor.type) {
  case MLC_FLOAT32:
  case MLC_COMPLEX64:
    return copyNumbers(proto.float_data(), 4, tensor);
  case MLC_FLOAT64:
  case MLC_COMPLEX128:
    return copyNumbers(proto.double_data(), 8, tensor);
  case MLC_INT64:
    return copyNumbers(proto.int64_data(), 8, tensor);
  case MLC_UINT64:
    return copyNumbers(proto.uint64_data(), 8, tensor);
  case MLC_UINT32:
    return copyNumbers(proto.uint64_data(), 4, tensor);
  default:
    return copyNumbers(proto.int32_data(), std::max(1, mlc_type_bits(tensor.type) / 8),
                       tensor); // packed ones byte by byte
  }
}

Expected<Tensor> readTensorProto(StringRef bytes) {
  ::onnx::TensorProto proto;
  if (!proto.ParseFromArray(bytes.data(), bytes.size()))
    return fail("not an ONNX TensorProto");
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
    return fail("expects the elements in the file, got a reference to another one");
  auto type = static_cast<mlc_type>(proto.data_type());
  SmallVector<int64_t> extents(proto.dims().begin(), proto.dims().end());
  if (type == MLC_STRING)
    return fail("tensors of strings cannot be read yet");
  // A limit on what data must back, so that a few bytes cannot ask for all memory.
  std::optional<uint64_t> size = byteCount(type, extents);
  if (!size || *size > 16 * uint64_t(bytes.size()))
    return fail("expects elements for " + formatType(type, extents) + ", got a file of " +
                std::to_string(bytes.size()) + " bytes");
  Tensor tensor(type, extents);
  if (Error error = copyElements(proto, tensor))
    return error;
  return tensor;
}

void writeTensorProto(const Tensor &tensor, StringRef name, raw_ostream &out) {
  ::onnx::TensorProto proto;
  proto.set_name(name.str());
  proto.set_data_type(tensor.type);
  for (int64_t extent : tensor.extents)
    proto.add_dims(extent);
  proto.set_raw_data(tensor.data.data(), tensor.data.size());
  out << proto.SerializeAsString();
}

} // namespace mlc
