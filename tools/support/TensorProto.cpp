// ONNX's own form of a value in a file: a TensorProto, SequenceProto, MapProto or OptionalProto. Its elements are raw bytes, or numbers in the field of a wider type.
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

/// ONNX has the values of a map as a sequence of tensors: of one element each, or a single one of all elements.
static Expected<Tensor> toMap(const ::onnx::MapProto &proto, const mlc_port &port, uint64_t fileBytes) {
  bool hasText = proto.key_type() == ::onnx::TensorProto::STRING;
  if (proto.key_type() != port.key || (!hasText && port.key != MLC_INT64))
    return fail(Twine("expects keys of type ") + mlc_type_name(port.key) + ", got " + mlc_type_name(proto.key_type()));
  int64_t count = hasText ? proto.string_keys_size() : proto.keys_size();
  Tensor keys(static_cast<mlc_type>(port.key), {count});
  if (hasText)
    llvm::copy(proto.string_keys(), keys.strings.begin());
  else
    std::copy_n(reinterpret_cast<const char *>(proto.keys().data()), keys.data.size(), keys.data.begin());

  Tensor values(static_cast<mlc_type>(port.type), {0});
  for (const ::onnx::TensorProto &part : proto.values().tensor_values()) {
    Expected<Tensor> tensor = toTensor(part, fileBytes);
    if (!tensor)
      return tensor;
    if (tensor->type != port.type)
      return fail(Twine("expects values of type ") + mlc_type_name(port.type) + ", got " + mlc_type_name(tensor->type));
    values.extents[0] += tensor->size();
    llvm::append_range(values.data, tensor->data);
    llvm::append_range(values.strings, tensor->strings);
  }
  if (values.extents[0] != count)
    return fail("expects a value for each of " + Twine(count) + " keys, got " + Twine(values.extents[0]));
  return Tensor::map(std::move(keys), std::move(values));
}

static Expected<Tensor> toSequence(const ::onnx::SequenceProto &proto, const mlc_port &port, uint64_t fileBytes) {
  auto type = static_cast<mlc_type>(port.type);
  if (port.kind == MLC_SEQUENCE_OF_MAPS) {
    if (proto.tensor_values_size() || proto.sparse_tensor_values_size() || proto.sequence_values_size() ||
        proto.optional_values_size())
      return fail("expects a sequence of maps");
    std::vector<Tensor> maps;
    for (const ::onnx::MapProto &value : proto.map_values()) {
      Expected<Tensor> map = toMap(value, port, fileBytes);
      if (!map)
        return map.takeError();
      maps.push_back(std::move(*map));
    }
    return Tensor::sequence(type, std::move(maps));
  }
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
    if (proto->has_sequence_value() && (port.kind == MLC_SEQUENCE || port.kind == MLC_SEQUENCE_OF_MAPS))
      return toSequence(proto->sequence_value(), port, bytes.size());
    if (proto->has_map_value() && port.kind == MLC_MAP)
      return toMap(proto->map_value(), port, bytes.size());
    if (proto->has_tensor_value() && port.kind == MLC_TENSOR)
      return toTensor(proto->tensor_value(), bytes.size());
    if (proto->has_tensor_value() || proto->has_sequence_value() || proto->has_map_value() ||
        proto->has_optional_value() || proto->has_sparse_tensor_value())
      return fail(Twine("expects an optional ") + (port.kind == MLC_TENSOR ? "tensor"
                                                   : port.kind == MLC_MAP  ? "map"
                                                                           : "sequence"));
    return Tensor::absent(type);
  }
  if (port.kind == MLC_TENSOR)
    return readTensorProto(bytes);
  if (port.kind == MLC_MAP) {
    Expected<::onnx::MapProto> proto = parse<::onnx::MapProto>(bytes);
    return proto ? toMap(*proto, port, bytes.size()) : proto.takeError();
  }
  Expected<::onnx::SequenceProto> proto = parse<::onnx::SequenceProto>(bytes);
  return proto ? toSequence(*proto, port, bytes.size()) : proto.takeError();
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

/// Values one by one, as the official tests have them.
static ::onnx::MapProto fromMap(const Tensor &map) {
  ::onnx::MapProto proto;
  const Tensor &keys = map.items[0], &values = map.items[1];
  proto.set_key_type(keys.type);
  for (const std::string &key : keys.strings)
    proto.add_string_keys(key);
  for (int64_t i = 0; keys.type != MLC_STRING && i < keys.size(); ++i)
    proto.add_keys(keys.integerAt(i));
  proto.mutable_values()->set_elem_type(::onnx::SequenceProto::TENSOR);
  size_t bytes = mlc_type_bits(values.type) / 8;
  for (int64_t i = 0; i < values.size(); ++i) {
    ::onnx::TensorProto &value = *proto.mutable_values()->add_tensor_values();
    value.set_data_type(values.type);
    if (values.type == MLC_STRING)
      value.add_string_data(values.strings[i]);
    else
      value.set_raw_data(values.data.data() + i * bytes, bytes);
  }
  return proto;
}

static ::onnx::SequenceProto fromSequence(const Tensor &value, const mlc_port &port) {
  ::onnx::SequenceProto proto;
  if (port.kind == MLC_SEQUENCE_OF_MAPS) {
    proto.set_elem_type(::onnx::SequenceProto::MAP);
    for (const Tensor &item : value.items)
      *proto.add_map_values() = fromMap(item);
    return proto;
  }
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
      *proto.mutable_sequence_value() = fromSequence(value, port);
    } else if (value.kind == Tensor::IsMap) {
      proto.set_elem_type(::onnx::OptionalProto::MAP);
      *proto.mutable_map_value() = fromMap(value);
    } else if (value.kind == Tensor::IsTensor) {
      proto.set_elem_type(::onnx::OptionalProto::TENSOR);
      *proto.mutable_tensor_value() = fromTensor(value);
    }
    out << proto.SerializeAsString();
  } else if (isSequence) {
    ::onnx::SequenceProto proto = fromSequence(value, port);
    proto.set_name(port.name);
    out << proto.SerializeAsString();
  } else if (value.kind == Tensor::IsMap) {
    ::onnx::MapProto proto = fromMap(value);
    proto.set_name(port.name);
    out << proto.SerializeAsString();
  } else {
    writeTensorProto(value, port.name, out);
  }
}

} // namespace mlc
