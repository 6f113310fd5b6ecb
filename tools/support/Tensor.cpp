#include "Tensor.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

ElementKind kindOf(mlc_type type) {
  switch (type) {
  case MLC_BOOL:
    return ElementKind::Bool;
  case MLC_INT2:
  case MLC_INT4:
  case MLC_INT8:
  case MLC_INT16:
  case MLC_INT32:
  case MLC_INT64:
    return ElementKind::Signed;
  case MLC_UINT2:
  case MLC_UINT4:
  case MLC_UINT8:
  case MLC_UINT16:
  case MLC_UINT32:
  case MLC_UINT64:
    return ElementKind::Unsigned;
  case MLC_COMPLEX64:
  case MLC_COMPLEX128:
    return ElementKind::Complex;
  case MLC_STRING:
    return ElementKind::String;
  case MLC_UNDEFINED:
    return ElementKind::Other;
  default:
    return ElementKind::Float;
  }
}

static const fltSemantics &semanticsOf(mlc_type type) {
  switch (type) {
  case MLC_FLOAT16:
    return APFloat::IEEEhalf();
  case MLC_BFLOAT16:
    return APFloat::BFloat();
  case MLC_FLOAT32:
    return APFloat::IEEEsingle();
  case MLC_FLOAT64:
    return APFloat::IEEEdouble();
  case MLC_FLOAT8E4M3FN:
    return APFloat::Float8E4M3FN();
  case MLC_FLOAT8E4M3FNUZ:
    return APFloat::Float8E4M3FNUZ();
  case MLC_FLOAT8E5M2:
    return APFloat::Float8E5M2();
  case MLC_FLOAT8E5M2FNUZ:
    return APFloat::Float8E5M2FNUZ();
  case MLC_FLOAT4E2M1:
    return APFloat::Float4E2M1FN();
  case MLC_FLOAT8E8M0:
    return APFloat::Float8E8M0FNU();
  default:
    llvm_unreachable("not a float type");
  }
}

std::optional<uint64_t> byteCount(mlc_type type, ArrayRef<int64_t> extents) {
  int64_t total = mlc_type_bits(type);
  if (total == 0)
    return std::nullopt;
  if (any_of(extents, [](int64_t extent) { return extent < 0; }))
    return std::nullopt;
  if (is_contained(extents, 0))
    return 0; // however large the others are
  for (int64_t extent : extents)
    if (MulOverflow(total, extent, total))
      return std::nullopt;
  return divideCeil(static_cast<uint64_t>(total), uint64_t(8));
}

Tensor::Tensor(mlc_type type, ArrayRef<int64_t> extents)
    : type(type), extents(extents), data(type == MLC_STRING ? 0 : *byteCount(type, extents)) {
  if (type == MLC_STRING)
    strings.resize(size());
}

Tensor Tensor::sequence(mlc_type type, std::vector<Tensor> items) {
  Tensor result;
  result.kind = IsSequence;
  result.type = type;
  result.items = std::move(items);
  return result;
}

/// The elements of a tensor of rank 1 in another order.
static Tensor reordered(const Tensor &tensor, ArrayRef<size_t> order) {
  Tensor result(tensor.type, tensor.extents);
  size_t bytes = mlc_type_bits(tensor.type) / 8;
  for (auto [to, from] : enumerate(order)) {
    if (tensor.type == MLC_STRING)
      result.strings[to] = tensor.strings[from];
    else
      memcpy(result.data.data() + to * bytes, tensor.data.data() + from * bytes, bytes);
  }
  return result;
}

Tensor Tensor::map(Tensor keys, Tensor values) {
  auto order = to_vector(seq<size_t>(0, keys.size()));
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return keys.type == MLC_STRING ? keys.strings[a] < keys.strings[b] : keys.integerAt(a) < keys.integerAt(b);
  });
  Tensor result;
  result.kind = IsMap;
  result.type = values.type;
  result.items = {reordered(keys, order), reordered(values, order)};
  return result;
}

Tensor Tensor::absent(mlc_type type) {
  Tensor result;
  result.kind = IsAbsent;
  result.type = type;
  return result;
}

int64_t Tensor::size() const {
  int64_t total = 1;
  for (int64_t extent : extents)
    total *= extent;
  return total;
}

//===-- Elements -------------------------------------------------------------------===//

/// The bits of one element, in the lowest bits.
static uint64_t bitsAt(const Tensor &tensor, int64_t index) {
  unsigned bits = mlc_type_bits(tensor.type);
  uint64_t value = 0;
  if (bits >= 8) {
    memcpy(&value, tensor.data.data() + index * (bits / 8), bits / 8);
    return value;
  }
  unsigned perByte = 8 / bits;
  value = static_cast<unsigned char>(tensor.data[index / perByte]) >> (index % perByte * bits);
  return value & maskTrailingOnes<uint64_t>(bits);
}

static void setBitsAt(Tensor &tensor, int64_t index, uint64_t value) {
  unsigned bits = mlc_type_bits(tensor.type);
  if (bits >= 8) {
    memcpy(tensor.data.data() + index * (bits / 8), &value, bits / 8);
    return;
  }
  unsigned perByte = 8 / bits, shift = index % perByte * bits;
  char &byte = tensor.data[index / perByte];
  byte = (byte & ~(maskTrailingOnes<uint64_t>(bits) << shift)) | (value & maskTrailingOnes<uint64_t>(bits)) << shift;
}

int64_t Tensor::integerAt(int64_t index) const {
  uint64_t value = bitsAt(*this, index);
  return kindOf(type) == ElementKind::Signed ? SignExtend64(value, mlc_type_bits(type)) : static_cast<int64_t>(value);
}

static double toDouble(mlc_type type, uint64_t bits) {
  if (type == MLC_FLOAT32)
    return bit_cast<float>(static_cast<uint32_t>(bits));
  if (type == MLC_FLOAT64)
    return bit_cast<double>(bits);
  APFloat value(semanticsOf(type), APInt(mlc_type_bits(type), bits));
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

std::complex<double> Tensor::complexAt(int64_t index) const {
  switch (kindOf(type)) {
  case ElementKind::Float:
    return toDouble(type, bitsAt(*this, index));
  case ElementKind::Unsigned:
    return static_cast<double>(static_cast<uint64_t>(integerAt(index)));
  case ElementKind::Complex: {
    bool isDouble = type == MLC_COMPLEX128;
    auto part = [&](int64_t at) {
      uint64_t bits = 0;
      memcpy(&bits, data.data() + at * (isDouble ? 8 : 4), isDouble ? 8 : 4);
      return toDouble(isDouble ? MLC_FLOAT64 : MLC_FLOAT32, bits);
    };
    return {part(2 * index), part(2 * index + 1)};
  }
  default:
    return static_cast<double>(integerAt(index));
  }
}

void Tensor::setNumber(int64_t index, double value) {
  switch (kindOf(type)) {
  case ElementKind::Float: {
    APFloat rounded(value);
    bool losesInfo;
    rounded.convert(semanticsOf(type), APFloat::rmNearestTiesToEven, &losesInfo);
    return setBitsAt(*this, index, rounded.bitcastToAPInt().getZExtValue());
  }
  case ElementKind::Complex:
    if (type == MLC_COMPLEX128)
      memcpy(data.data() + index * 16, &value, sizeof value);
    else if (float part = value; true)
      memcpy(data.data() + index * 8, &part, sizeof part);
    return;
  case ElementKind::Bool:
    return setBitsAt(*this, index, value != 0);
  default:
    return setBitsAt(*this, index, static_cast<uint64_t>(static_cast<int64_t>(std::nearbyint(value))));
  }
}

//===-- Text ----------------------------------------------------------------------===//

std::string formatExtents(ArrayRef<int64_t> extents) {
  if (extents.empty())
    return "scalar";
  return join(map_range(extents, [](int64_t extent) { return std::to_string(extent); }), "x");
}

std::string formatType(mlc_type type, ArrayRef<int64_t> extents) {
  return std::string(mlc_type_name(type)) + " " + formatExtents(extents);
}

std::string formatType(const Tensor &value) {
  if (value.kind == Tensor::IsAbsent)
    return std::string(mlc_type_name(value.type)) + ", absent";
  if (value.kind == Tensor::IsMap)
    return "map of " + std::to_string(value.items[0].size()) + " " + mlc_type_name(value.type);
  if (value.kind == Tensor::IsSequence)
    return "sequence of " + std::to_string(value.items.size()) + " " + mlc_type_name(value.type) +
           (!value.items.empty() && value.items[0].kind == Tensor::IsMap ? " maps" : "");
  return formatType(value.type, value.extents);
}

std::string formatIndex(ArrayRef<int64_t> extents, int64_t index) {
  SmallVector<std::string> indices;
  for (int64_t extent : reverse(extents)) {
    indices.push_back(std::to_string(index % extent));
    index /= extent;
  }
  return "[" + join(reverse(indices), ", ") + "]";
}

static std::string formatNumber(double value) {
  std::string text;
  raw_string_ostream(text) << format("%.6g", value);
  return text;
}

std::string formatElement(const Tensor &tensor, int64_t index) {
  switch (kindOf(tensor.type)) {
  case ElementKind::Bool:
    return tensor.integerAt(index) ? "true" : "false";
  case ElementKind::Signed:
    return std::to_string(tensor.integerAt(index));
  case ElementKind::Unsigned:
    return std::to_string(static_cast<uint64_t>(tensor.integerAt(index)));
  case ElementKind::Float:
    return formatNumber(tensor.numberAt(index));
  case ElementKind::Complex: {
    std::complex<double> value = tensor.complexAt(index);
    return formatNumber(value.real()) + (std::signbit(value.imag()) ? "-" : "+") +
           formatNumber(std::abs(value.imag())) + "i";
  }
  case ElementKind::String: {
    std::string text;
    raw_string_ostream out(text);
    out << '"';
    printEscapedString(tensor.strings[index], out);
    out << '"';
    return text;
  }
  case ElementKind::Other:
    return "?";
  }
  llvm_unreachable("all kinds are above");
}

namespace {
/// Prints nested brackets; of an axis longer than `shown` only both ends, once the whole is longer than `most`.
class Printer {
public:
  explicit Printer(const Tensor &tensor) : tensor(tensor), shortens(tensor.size() > most) {
    measure(0, 0, tensor.size());
  }
  std::string text() {
    print(0, 0, tensor.size());
    return std::move(out);
  }

private:
  static constexpr int64_t most = 200, ends = 3;
  const Tensor &tensor;
  bool shortens;
  size_t width = 0;
  std::string out;

  template <typename F> void eachShown(int64_t extent, F visit) {
    for (int64_t i = 0; i < extent; ++i) {
      if (shortens && extent > 2 * ends && i == ends) {
        visit(-1);
        i = extent - ends;
      }
      visit(i);
    }
  }

  /// The widest element that will be shown, so that columns align.
  void measure(unsigned axis, int64_t first, int64_t count) {
    if (axis == tensor.extents.size()) {
      width = std::max(width, formatElement(tensor, first).size());
      return;
    }
    int64_t step = tensor.extents[axis] ? count / tensor.extents[axis] : 0;
    eachShown(tensor.extents[axis], [&](int64_t i) {
      if (i >= 0)
        measure(axis + 1, first + i * step, step);
    });
  }

  void print(unsigned axis, int64_t first, int64_t count) {
    if (axis == tensor.extents.size()) {
      std::string element = formatElement(tensor, first);
      out += std::string(tensor.extents.empty() ? 0 : width - element.size(), ' ') + element;
      return;
    }
    bool innermost = axis + 1 == tensor.extents.size();
    int64_t step = tensor.extents[axis] ? count / tensor.extents[axis] : 0;
    // As numpy: one line more between each two of the larger blocks.
    std::string separator =
        innermost ? " " : std::string(tensor.extents.size() - axis - 1, '\n') + std::string(axis + 1, ' ');
    out += '[';
    eachShown(tensor.extents[axis], [&](int64_t i) {
      if (i != 0)
        out += separator;
      if (i < 0)
        out += "...";
      else
        print(axis + 1, first + i * step, step);
    });
    out += ']';
  }
};
} // namespace

/// "{0: 0.25, 1: 0.75}"
static std::string formatMap(const Tensor &map) {
  const Tensor &keys = map.items[0], &values = map.items[1];
  return "{" +
         join(map_range(seq<int64_t>(0, keys.size()),
                        [&](int64_t i) { return formatElement(keys, i) + ": " + formatElement(values, i); }),
              ", ") +
         "}";
}

std::string formatElements(const Tensor &tensor) {
  if (tensor.kind == Tensor::IsAbsent)
    return "(absent)";
  if (tensor.kind == Tensor::IsMap)
    return formatMap(tensor);
  if (tensor.kind == Tensor::IsSequence) {
    std::string text;
    if (!tensor.items.empty() && tensor.items[0].kind == Tensor::IsMap) {
      for (const Tensor &item : tensor.items)
        text += (text.empty() ? "" : "\n") + formatMap(item);
      return text;
    }
    for (auto [i, item] : enumerate(tensor.items))
      text += (i ? "\n" : "") + std::string("#") + std::to_string(i) + ", " + formatType(item) + ":\n" +
              formatElements(item);
    return text.empty() ? "(empty)" : text;
  }
  if (kindOf(tensor.type) == ElementKind::Other)
    return "(no printable elements)";
  return Printer(tensor).text();
}

} // namespace mlc
