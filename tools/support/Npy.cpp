// The .npy format of numpy, versions 1 to 3: a magic, a header that is a Python dictionary, the elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "Errors.h"
#include "TensorFiles.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

static const struct {
  StringRef code; ///< numpy's, without the byte order
  mlc_type type;
} elementCodes[] = {
    {"f4", MLC_FLOAT32}, {"f8", MLC_FLOAT64}, {"f2", MLC_FLOAT16},   {"b1", MLC_BOOL},        {"i1", MLC_INT8},
    {"i2", MLC_INT16},   {"i4", MLC_INT32},   {"i8", MLC_INT64},     {"u1", MLC_UINT8},       {"u2", MLC_UINT16},
    {"u4", MLC_UINT32},  {"u8", MLC_UINT64},  {"c8", MLC_COMPLEX64}, {"c16", MLC_COMPLEX128},
};

bool npyHolds(mlc_type type) {
  return any_of(elementCodes, [&](const auto &row) { return row.type == type; });
}

/// The text of the value of a key in the header, up to the comma or brace behind it; a tuple whole.
static StringRef valueOf(StringRef header, StringRef key) {
  size_t at = header.find(("'" + key + "'").str());
  if (at == StringRef::npos)
    return "";
  StringRef rest = header.substr(at).split(':').second.ltrim();
  return rest.starts_with("(") ? rest.take_front(rest.find(')') + 1)
                               : rest.take_until([](char c) { return c == ',' || c == '}'; }).trim();
}

static Expected<mlc_type> parseElementType(StringRef descr) {
  StringRef code = descr.trim("'\"");
  if (code.starts_with(">") && code != ">i1")
    return fail("expects little-endian elements, got " + descr);
  StringRef plain = code.ltrim("<=|");
  for (const auto &row : elementCodes)
    if (row.code == plain)
      return row.type;
  return fail("no ONNX type for numpy elements " + descr);
}

static Expected<SmallVector<int64_t, 4>> parseShape(StringRef tuple) {
  if (!tuple.consume_front("(") || !tuple.consume_back(")"))
    return fail("the header has no shape");
  SmallVector<StringRef> words;
  tuple.split(words, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  SmallVector<int64_t, 4> extents;
  for (StringRef word : words) {
    word = word.trim();
    if (word.empty())
      continue;
    int64_t &extent = extents.emplace_back();
    if (word.getAsInteger(10, extent) || extent < 0)
      return fail("expects extents in the header's shape, got '" + word + "'");
  }
  return extents;
}

/// Numpy calls an array whose first axis is the fastest Fortran-ordered.
static Tensor reverseOrder(const Tensor &source) {
  Tensor result(source.type, source.extents);
  size_t width = mlc_type_bits(source.type) / 8;
  SmallVector<int64_t> strides(source.extents.size()), indices(source.extents.size());
  int64_t stride = 1;
  for (auto [extent, axisStride] : zip(source.extents, strides)) {
    axisStride = stride;
    stride *= extent;
  }
  for (int64_t to = 0, count = source.size(); to < count; ++to) {
    int64_t from = 0;
    for (auto [index, axisStride] : zip(indices, strides))
      from += index * axisStride;
    memcpy(result.data.data() + to * width, source.data.data() + from * width, width);
    for (size_t axis = indices.size(); axis-- > 0;) {
      if (++indices[axis] < source.extents[axis])
        break;
      indices[axis] = 0;
    }
  }
  return result;
}

Expected<Tensor> readNpy(StringRef bytes) {
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 12)
    return fail("not a .npy file");
  bool isLong = bytes[6] >= 2;
  size_t length = isLong ? support::endian::read32le(bytes.data() + 8) : support::endian::read16le(bytes.data() + 8);
  StringRef rest = bytes.substr(isLong ? 12 : 10);
  if (rest.size() < length)
    return fail("the file ends inside its header");
  StringRef header = rest.take_front(length), elements = rest.drop_front(length);

  Expected<mlc_type> type = parseElementType(valueOf(header, "descr"));
  if (!type)
    return type.takeError();
  Expected<SmallVector<int64_t, 4>> extents = parseShape(valueOf(header, "shape"));
  if (!extents)
    return extents.takeError();
  std::optional<uint64_t> size = byteCount(*type, *extents);
  if (!size || *size != elements.size())
    return fail("expects " + (size ? std::to_string(*size) : "a possible number of") + " bytes for " +
                formatType(*type, *extents) + ", got " + std::to_string(elements.size()));
  Tensor tensor(*type, *extents);
  llvm::copy(elements, tensor.data.begin());
  return valueOf(header, "fortran_order") == "True" ? reverseOrder(tensor) : std::move(tensor);
}

void writeNpy(const Tensor &tensor, raw_ostream &out) {
  StringRef code = find_if(elementCodes, [&](const auto &row) { return row.type == tensor.type; })->code;
  std::string header;
  raw_string_ostream text(header);
  text << "{'descr': '" << (code.ends_with("1") ? "|" : "<") << code << "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.extents)
    text << extent << ", ";
  text << "), }";
  // The elements begin at a multiple of 64 bytes.
  text.indent(64 - (10 + header.size() + 1) % 64) << "\n";
  char length[2];
  support::endian::write16le(length, header.size());
  out << StringRef("\x93NUMPY\x01\x00", 8) << StringRef(length, 2) << header
      << StringRef(tensor.data.data(), tensor.data.size());
}

} // namespace mlc
