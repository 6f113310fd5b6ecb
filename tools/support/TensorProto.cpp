// ONNX's own form of a value in a file: a TensorProto, SequenceProto or OptionalProto. Its elements are raw bytes, or numbers in the field of a wider type.
#include "Errors.h"
#include "TensorFiles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <onnx/onnx-data.pb.h>
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

static Expected<Tensor> toTensor(const ::onnx::TensorProto &proto, uint64_t fileBytes) {
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
    return fail("expects the elements in the file, got a reference to another one");
  auto type = static_cast<mlc_type>(proto.data_type());
  SmallVector<int64_t> extents(proto.dims().begin(), proto.dims().end());
  if (type == MLC_STRING) {
    std::optional<uint64_t> bytes = byteCount(type, extents);
    if (!bytes || *bytes / sizeof(mlc_string) != uint64_t(proto.string_data_size()))
      return fail("expects the elements of " + formatType(type, extents) + ", got " +
                  std::to_string(proto.string_data_size()));
    Tensor tensor(type, extents);
    llvm::copy(proto.string_data(), tensor.strings.begin());
    return tensor;
  }
  // A limit on what data must back, so that a few bytes cannot ask for all memory.
  std::optional<uint64_t> size = byteCount(type, extents);
  if (!size || *size > 16 * fileBytes)
    return fail("expects elements for " + formatType(type, extents) + ", got a file of " + std::to_string(fileBytes) +
                " bytes");
  Tensor tensor(type, extents);
  if (Error error = copyElements(proto, tensor))
    return error;
  return tensor;
}

static Expected<Tensor> toSequence(const ::onnx::SequenceProto &proto, mlc_type type, uint64_t fileBytes) {
  if (proto.sparse_tensor_values_size() || proto.sequence_values_size() || proto.map_values_size() ||
      proto.optional_values_size())
    return fail("expects a sequence of tensors");
  std::vector<Tensor> items;
  for (const ::onnx::TensorProto &value : proto.tensor_values()) {
    Expected<Tensor> item = toTensor(value, fileBytes);
    if (!item)
      return item.takeError();
    items.push_back(std::move(*item));
  }
  return Tensor::sequence(type, std::move(items));
}

/// The message that all of `bytes` are.
template <typename Proto> static Expected<Proto> parse(StringRef bytes) {
  Proto proto;
  if (!proto.ParseFromArray(bytes.data(), bytes.size()))
    return fail("not an ONNX " + StringRef(proto.GetTypeName()).rsplit('.').second);
  return proto;
}

Expected<Tensor> readTensorProto(StringRef bytes) {
  Expected<::onnx::TensorProto> proto = parse<::onnx::TensorProto>(bytes);
  return proto ? toTensor(*proto, bytes.size()) : proto.takeError();
}

Expected<Tensor> readValueProto(StringRef bytes, const mlc_port &port) {
  auto type = static_cast<mlc_type>(port.type);
  if (port.optional) {
    Expected<::onnx::OptionalProto> proto = parse<::onnx::OptionalProto>(bytes);
    if (!proto)
      return proto.takeError();
    if (proto->has_sequence_value() && port.kind == MLC_SEQUENCE)
      return toSequence(proto->sequence_value(), type, bytes.size());
    if (proto->has_tensor_value() && port.kind == MLC_TENSOR)
      return toTensor(proto->tensor_value(), bytes.size());
    if (proto->has_tensor_value() || proto->has_sequence_value() || proto->has_map_value() ||
        proto->has_optional_value() || proto->has_sparse_tensor_value())
      return fail(Twine("expects an optional ") + (port.kind == MLC_SEQUENCE ? "sequence" : "tensor"));
    return Tensor::absent(type);
  }
  if (port.kind != MLC_SEQUENCE)
    return readTensorProto(bytes);
  Expected<::onnx::SequenceProto> proto = parse<::onnx::SequenceProto>(bytes);
  return proto ? toSequence(*proto, type, bytes.size()) : proto.takeError();
}

static ::onnx::TensorProto fromTensor(const Tensor &tensor) {
  ::onnx::TensorProto proto;
  proto.set_data_type(tensor.type);
  for (int64_t extent : tensor.extents)
    proto.add_dims(extent);
  for (const std::string &text : tensor.strings)
    proto.add_string_data(text);
  if (tensor.type != MLC_STRING)
    proto.set_raw_data(tensor.data.data(), tensor.data.size());
  return proto;
}

static ::onnx::SequenceProto fromSequence(const Tensor &value) {
  ::onnx::SequenceProto proto;
  proto.set_elem_type(::onnx::SequenceProto::TENSOR);
  for (const Tensor &item : value.items)
    *proto.add_tensor_values() = fromTensor(item);
  return proto;
}

void writeTensorProto(const Tensor &tensor, StringRef name, raw_ostream &out) {
  ::onnx::TensorProto proto = fromTensor(tensor);
  proto.set_name(name.str());
  out << proto.SerializeAsString();
}

void writeValueProto(const Tensor &value, const mlc_port &port, raw_ostream &out) {
  bool isSequence = value.kind == Tensor::IsSequence;
  if (port.optional) {
    ::onnx::OptionalProto proto;
    proto.set_name(port.name);
    if (isSequence) {
      proto.set_elem_type(::onnx::OptionalProto::SEQUENCE);
      *proto.mutable_sequence_value() = fromSequence(value);
    } else if (value.kind == Tensor::IsTensor) {
      proto.set_elem_type(::onnx::OptionalProto::TENSOR);
      *proto.mutable_tensor_value() = fromTensor(value);
    }
    out << proto.SerializeAsString();
  } else if (isSequence) {
    ::onnx::SequenceProto proto = fromSequence(value);
    proto.set_name(port.name);
    out << proto.SerializeAsString();
  } else {
    writeTensorProto(value, port.name, out);
  }
}

} // namespace mlc
