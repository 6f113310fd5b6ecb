#include "import/Payloads.h"
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/wire_format_lite.h>
#include <onnx/onnx_pb.h>

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using ::onnx::TensorProto;

namespace mlc::importer {

/// The largest field number that protobuf has, which no ONNX message uses. The walk drops it from its input.
static constexpr int payloadField = (1 << 29) - 1;

/// As deep as protobuf itself reads.
static constexpr int deepest = 100;

namespace {
class Walk {
public:
  Walk(llvm::ArrayRef<char> file, Payloads &payloads) : file(file), payloads(payloads) {}

  /// Appends the message in [at, end) without its payloads.
  llvm::Error message(const Descriptor *type, size_t at, size_t end, int depth, std::string &left);

private:
  llvm::Expected<uint64_t> varint(size_t &at, size_t end);
  llvm::Error malformed(size_t at, const llvm::Twine &why) {
    return llvm::createStringError(why + " at byte " + llvm::Twine(at));
  }
  static bool isPayload(const Descriptor *type, int field, uint64_t size) {
    if (type != TensorProto::descriptor() || size < smallestPayload)
      return false;
    return field == TensorProto::kRawDataFieldNumber || field == TensorProto::kFloatDataFieldNumber ||
           field == TensorProto::kDoubleDataFieldNumber;
  }

  llvm::ArrayRef<char> file;
  Payloads &payloads;
};
} // namespace

llvm::Expected<uint64_t> Walk::varint(size_t &at, size_t end) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at == end)
      return malformed(at, "it ends inside a number");
    uint8_t byte = file[at++];
    value |= (uint64_t)(byte & 127) << std::min(shift, 63u);
    if (byte < 128)
      return value;
  }
  return malformed(at, "a number has more than 64 bits");
}

static void appendVarint(std::string &text, uint64_t value) {
  uint8_t buffer[10];
  uint8_t *end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, buffer);
  text.append((char *)buffer, end - buffer);
}

llvm::Error Walk::message(const Descriptor *type, size_t at, size_t end, int depth, std::string &left) {
  if (depth > deepest)
    return malformed(at, "messages are nested more than " + llvm::Twine(deepest) + " deep");
  while (at < end) {
    size_t start = at;
    llvm::Expected<uint64_t> tag = varint(at, end);
    if (!tag)
      return tag.takeError();
    int field = WireFormatLite::GetTagFieldNumber(*tag);
    if (*tag > UINT32_MAX || field == 0)
      return malformed(start, "there is no field of a model");
    size_t fieldSize = 0;
    switch (*tag & 7) {
    case WireFormatLite::WIRETYPE_VARINT: {
      llvm::Expected<uint64_t> value = varint(at, end);
      if (!value)
        return value.takeError();
      break;
    }
    case WireFormatLite::WIRETYPE_FIXED64:
      fieldSize = 8;
      break;
    case WireFormatLite::WIRETYPE_FIXED32:
      fieldSize = 4;
      break;
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
      llvm::Expected<uint64_t> size = varint(at, end);
      if (!size)
        return size.takeError();
      if (*size > end - at)
        return malformed(start, "it is truncated: " + llvm::Twine(*size) + " bytes are announced and " +
                                    llvm::Twine(end - at) + " are left");
      const FieldDescriptor *known = type->FindFieldByNumber(field);
      if (isPayload(type, field, *size)) {
        appendVarint(left, WireFormatLite::MakeTag(payloadField, WireFormatLite::WIRETYPE_VARINT));
        appendVarint(left, payloads.size());
        payloads.push_back({file.slice(at, *size), field});
        at += *size;
        continue;
      }
      if (known && known->type() == FieldDescriptor::TYPE_MESSAGE) {
        std::string inner;
        if (llvm::Error error = message(known->message_type(), at, at + *size, depth + 1, inner))
          return error;
        appendVarint(left, *tag);
        appendVarint(left, inner.size());
        left += inner;
        at += *size;
        continue;
      }
      fieldSize = *size;
      break;
    }
    default:
      return malformed(start, "there is no field of a model");
    }
    if (fieldSize > end - at)
      return malformed(start, "it ends inside a field");
    at += fieldSize;
    if (field != payloadField)
      left.append(file.data() + start, at - start);
  }
  return llvm::Error::success();
}

llvm::Expected<std::string> detachPayloads(llvm::ArrayRef<char> file, Payloads &payloads) {
  std::string left;
  if (llvm::Error error = Walk(file, payloads).message(::onnx::ModelProto::descriptor(), 0, file.size(), 0, left))
    return error;
  return left;
}

std::optional<Payload> payloadOf(const TensorProto &tensor, const Payloads &payloads) {
  const google::protobuf::UnknownFieldSet &unknown = tensor.unknown_fields();
  for (int i = 0; i < unknown.field_count(); ++i)
    if (unknown.field(i).number() == payloadField)
      return payloads[unknown.field(i).varint()];
  return std::nullopt;
}

} // namespace mlc::importer
