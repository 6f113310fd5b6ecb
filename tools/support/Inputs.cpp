#include "Inputs.h"
#include "Errors.h"
#include "TensorFiles.h"
#include "llvm/ADT/STLExtras.h"
#include <random>
#include <unistd.h>

using namespace llvm;

namespace mlc {

namespace {
using Extents = SmallVector<std::optional<int64_t>>; ///< by symbol

/// Reads "name=extent".
Error takeDim(const Library &library, StringRef text, Extents &extents) {
  auto [name, value] = text.rsplit('=');
  int64_t extent;
  if (value.getAsInteger(10, extent) || extent < 0)
    return fail("--dim " + text + ": expects NAME=EXTENT");
  if (extents.empty())
    return fail("--dim " + text + ": the model has no symbolic dimensions");
  std::vector<std::string> names;
  for (uint32_t i = 0; i < extents.size(); ++i)
    names.push_back(symbolName(library.info(), i));
  auto found = find(names, name);
  if (found == names.end())
    return unknownWord("dimension", name, SmallVector<StringRef>(names.begin(), names.end()));
  extents[found - names.begin()] = extent;
  return Error::success();
}

uint64_t machineBytes() { return uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGE_SIZE)); }

class InputMaker {
public:
  InputMaker(const Library &library, const InputRequest &request)
      : library(library), request(request), extents(library.info().symbol_count) {}

  Expected<std::vector<Tensor>> make() {
    for (const std::string &dim : request.dims)
      if (Error error = takeDim(library, dim, extents))
        return error;
    std::vector<std::optional<Tensor>> given(library.inputs().size());
    for (const std::string &file : request.files)
      if (Error error = takeFile(file, given))
        return error;

    std::vector<Tensor> inputs;
    std::mt19937_64 random(request.seed.value_or(0));
    for (auto [port, tensor] : zip(library.inputs(), given)) {
      if (!tensor && !request.seed)
        return fail("input '" + Twine(port.name) + "', " + formatPort(library.info(), port) +
                    ", has no value; give --input " + port.name + "=FILE or --random-inputs");
      if (!tensor) {
        Expected<Tensor> drawn = draw(port, random);
        if (!drawn)
          return drawn.takeError();
        tensor = std::move(*drawn);
      }
      inputs.push_back(std::move(*tensor));
    }
    return inputs;
  }

private:
  const Library &library;
  const InputRequest &request;
  Extents extents;

  Expected<size_t> indexOf(StringRef name) const {
    SmallVector<StringRef> names =
        map_to_vector(library.inputs(), [](const mlc_port &port) { return StringRef(port.name); });
    auto found = find(names, name);
    if (found == names.end())
      return unknownWord("input", name, names);
    return found - names.begin();
  }

  /// "name=path" or "path"
  Error takeFile(StringRef text, std::vector<std::optional<Tensor>> &given) {
    auto [name, path] = text.split('=');
    size_t index = 0;
    if (path.empty()) {
      if (given.size() != 1)
        return fail("--input " + text + ": expects NAME=FILE, since the model has " + Twine(given.size()) + " inputs");
      path = name;
    } else {
      Expected<size_t> named = indexOf(name);
      if (!named)
        return named.takeError();
      index = *named;
    }
    const mlc_port &port = library.inputs()[index];
    Expected<Tensor> tensor = readTensor(path, port);
    if (!tensor)
      return tensor.takeError();
    learnExtents(port, *tensor);
    given[index] = std::move(*tensor);
    return Error::success();
  }

  /// Drawn inputs follow those from files. Contradictions are left to the run, which names them.
  void learnExtents(const mlc_port &port, const Tensor &tensor) {
    if (tensor.extents.size() != size_t(port.rank))
      return;
    for (auto [expected, extent] : zip(ArrayRef(port.extents, port.rank), tensor.extents))
      if (MLC_EXTENT_IS_SYMBOL(expected)) {
        auto &known = extents[MLC_EXTENT_SYMBOL(expected)];
        if (!known)
          known = extent;
      }
  }

  Expected<Tensor> draw(const mlc_port &port, std::mt19937_64 &random) const {
    auto type = static_cast<mlc_type>(port.type);
    if (port.kind != MLC_TENSOR || port.optional)
      return fail("input '" + Twine(port.name) + "', " + formatPort(library.info(), port) +
                  ", cannot be drawn; give --input " + port.name + "=FILE");
    SmallVector<int64_t> shape;
    for (int64_t extent : ArrayRef(port.extents, port.rank))
      shape.push_back(MLC_EXTENT_IS_SYMBOL(extent)   ? extents[MLC_EXTENT_SYMBOL(extent)].value_or(1)
                      : extent == MLC_EXTENT_UNKNOWN ? 1
                                                     : extent);
    if (mlc_type_bits(type) == 0)
      return fail("input '" + Twine(port.name) + "': cannot draw values of type " + mlc_type_name(type));
    std::optional<uint64_t> bytes = byteCount(type, shape);
    if (!bytes || *bytes > machineBytes())
      return fail("input '" + Twine(port.name) + "', " + formatType(type, shape) +
                  ", takes more memory than this machine has");
    Tensor tensor(type, shape);
    for (std::string &text : tensor.strings)
      text = random() >> 63 ? "a" : "b";
    if (type == MLC_STRING)
      return tensor;
    bool isFloat = kindOf(type) == ElementKind::Float || kindOf(type) == ElementKind::Complex;
    // The standard's distributions differ between libraries; these are the same everywhere.
    for (int64_t i = 0, count = tensor.size(); i < count; ++i)
      tensor.setNumber(i,
                       isFloat ? static_cast<double>(random() >> 40) / (1 << 24) : static_cast<double>(random() >> 63));
    return tensor;
  }
};
} // namespace

Expected<std::vector<Tensor>> makeInputs(const Library &library, const InputRequest &request) {
  return InputMaker(library, request).make();
}

std::vector<int64_t> symbolValues(const Library &library, ArrayRef<Tensor> inputs) {
  std::vector<int64_t> values(library.info().symbol_count, 1);
  for (auto [port, tensor] : zip(library.inputs(), inputs))
    if (tensor.extents.size() == size_t(port.rank))
      for (auto [expected, extent] : zip(ArrayRef(port.extents, port.rank), tensor.extents))
        if (MLC_EXTENT_IS_SYMBOL(expected))
          values[MLC_EXTENT_SYMBOL(expected)] = extent;
  return values;
}

Expected<std::vector<int64_t>> chosenSymbols(const Library &library, const InputRequest &request) {
  Extents extents(library.info().symbol_count);
  for (const std::string &dim : request.dims)
    if (Error error = takeDim(library, dim, extents))
      return error;
  std::vector<int64_t> values;
  for (std::optional<int64_t> extent : extents)
    values.push_back(extent.value_or(1));
  return values;
}

Expected<uint64_t> arenaBytes(const Library &library, ArrayRef<int64_t> symbols) {
  uint64_t bytes = 0;
  mlc_error error;
  if (mlc_query_memory(library.model(), symbols.data(), &bytes, &error) != MLC_OK)
    return fail(error.text);
  return bytes;
}

} // namespace mlc
