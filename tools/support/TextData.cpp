#include "TextData.h"
#include "Errors.h"
#include "TensorFiles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <onnx/defs/parser.h>

using namespace llvm;

namespace mlc {

static std::optional<mlc_type> floatType(StringRef name) {
  static const std::pair<StringRef, mlc_type> types[] = {
      {"float16", MLC_FLOAT16},           {"bfloat16", MLC_BFLOAT16},
      {"float8e4m3fn", MLC_FLOAT8E4M3FN}, {"float8e4m3fnuz", MLC_FLOAT8E4M3FNUZ},
      {"float8e5m2", MLC_FLOAT8E5M2},     {"float8e5m2fnuz", MLC_FLOAT8E5M2FNUZ},
      {"float8e8m0", MLC_FLOAT8E8M0},     {"float4e2m1", MLC_FLOAT4E2M1}};
  for (auto [known, type] : types)
    if (known == name)
      return type;
  return std::nullopt;
}

/// The tensor that has the text of `type[extents] {elements}`.
static Expected<Tensor> parseTensor(StringRef text) {
  StringRef element = text.take_while([](char c) { return isAlnum(c); });
  std::optional<mlc_type> narrow = floatType(element);
  std::string wide = ((narrow ? "float" : element) + text.drop_front(element.size())).str();
  ::onnx::TensorProto proto;
  try {
    ::onnx::OnnxParser parser(wide);
    auto status = parser.Parse(proto);
    if (!status.IsOK())
      return fail("expects type[extents] {elements}, got '" + text + "'");
    if (!parser.EndOfInput())
      return fail("expects nothing behind the elements in '" + text + "'");
  } catch (const std::exception &) {
    return fail("expects type[extents] {elements}, got '" + text + "'");
  }
  Expected<Tensor> tensor = readTensorProto(proto.SerializeAsString());
  if (!tensor || !narrow)
    return tensor;
  Tensor result(*narrow, tensor->extents);
  for (int64_t i = 0, count = tensor->size(); i < count; ++i)
    result.setNumber(i, tensor->numberAt(i));
  return result;
}

/// "string[2] {"a", "b"}: float[2] {1, 2}", between braces.
static Expected<Tensor> parseMap(StringRef text) {
  if (!text.consume_front("{") || !text.consume_back("}"))
    return fail("expects {keys: values}, got '" + text + "'");
  size_t between = text.find("}:"); // behind the last key
  if (between == StringRef::npos)
    return fail("expects {keys: values}, got '{" + text + "}'");
  Expected<Tensor> keys = parseTensor(text.take_front(between + 1).trim());
  if (!keys)
    return keys;
  Expected<Tensor> values = parseTensor(text.drop_front(between + 2).trim());
  if (!values)
    return values;
  if ((keys->type != MLC_STRING && keys->type != MLC_INT64) || keys->extents.size() != 1 ||
      keys->extents != values->extents)
    return fail("expects keys that are strings or int64, and as many values, got '{" + text + "}'");
  return Tensor::map(std::move(*keys), std::move(*values));
}

/// A tensor; a map; tensors or maps between brackets, which are a sequence; or `absent float`, an optional without element.
static Expected<Tensor> parseValue(StringRef text) {
  if (text.consume_front("absent ")) {
    Expected<Tensor> like = parseTensor((text.trim() + "[0] {}").str());
    return like ? Expected<Tensor>(Tensor::absent(like->type)) : like.takeError();
  }
  if (text.starts_with("{"))
    return parseMap(text);
  if (!text.starts_with("["))
    return parseTensor(text);
  // "[float[2] {1, 2}; float[1] {3}]"; an empty one says its type, "[] float".
  size_t end = text.rfind(']');
  StringRef inner = text.slice(1, end).trim(), type = text.substr(end + 1).trim();
  std::vector<Tensor> items;
  SmallVector<StringRef> parts;
  inner.split(parts, ';', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    Expected<Tensor> item = part.trim().starts_with("{") ? parseMap(part.trim()) : parseTensor(part.trim());
    if (!item)
      return item;
    items.push_back(std::move(*item));
  }
  if (!items.empty())
    return Tensor::sequence(items.front().type, std::move(items));
  Expected<Tensor> like = parseTensor((type + "[0] {}").str());
  return like ? Expected<Tensor>(Tensor::sequence(like->type, {})) : like.takeError();
}

/// "x = float[2] {1, 2}"
static Error takeValue(StringRef text, StringMap<Tensor> &into) {
  auto [name, value] = text.split('=');
  if (value.empty())
    return fail("expects NAME = type[extents] {elements}, got '" + text + "'");
  Expected<Tensor> tensor = parseValue(value.trim());
  if (!tensor)
    return tensor.takeError();
  if (!into.try_emplace(name.trim(), std::move(*tensor)).second)
    return fail("'" + name.trim() + "' has a value already");
  return Error::success();
}

static Error takeTolerance(StringRef text, Tolerance &tolerance) {
  auto [rtol, atol] = text.split(' ');
  if (rtol.getAsDouble(tolerance.rtol) || atol.trim().getAsDouble(tolerance.atol))
    return fail("expects two numbers, got '" + text + "'");
  return Error::success();
}

static bool isComplete(const TextDataSet &set) { return !set.outputs.empty() || !set.failure.empty(); }

static Error takeLine(StringRef line, unsigned number, TextData &data) {
  auto [word, rest] = line.split(' ');
  rest = rest.trim();
  if (word == "#tolerance")
    return takeTolerance(rest, data.tolerance);
  if (word != "#in" && word != "#out" && word != "#fails")
    return Error::success();
  if (data.sets.empty() || (word == "#in" && isComplete(data.sets.back())))
    data.sets.push_back({"line " + std::to_string(number), {}, {}, ""});
  TextDataSet &set = data.sets.back();
  if (word == "#fails") {
    set.failure = rest.str();
    return set.failure.empty() ? fail("expects a part of the error's text") : Error::success();
  }
  return takeValue(rest, word == "#in" ? set.inputs : set.outputs);
}

Expected<TextData> readTextData(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(path);
  if (!file)
    return fail(path + ": " + file.getError().message());
  TextData data;
  unsigned number = 0;
  for (StringRef line : split((*file)->getBuffer(), '\n'))
    if (Error error = takeLine(line.rtrim(), ++number, data))
      return inContext(path + ":" + std::to_string(number), std::move(error));
  for (const TextDataSet &set : data.sets)
    if (!isComplete(set))
      return fail(path + ": the data set of " + set.name + " has neither #out nor #fails");
  return data;
}

/// The values in the order of the model's ports.
static Expected<std::vector<Tensor>> inOrder(ArrayRef<mlc_port> ports, const StringMap<Tensor> &values,
                                             StringRef what) {
  std::vector<Tensor> tensors;
  for (const mlc_port &port : ports) {
    auto found = values.find(port.name);
    if (found == values.end())
      return fail("has no " + what + " '" + port.name + "'");
    tensors.push_back(found->second);
  }
  if (values.size() > ports.size())
    return fail("expects " + Twine(ports.size()) + " " + what + "s, got " + Twine(values.size()));
  return tensors;
}

static Error runValues(const Library &library, Session &session, const TextDataSet &set,
                       function_ref<void(const mlc_port &, const Tensor &, const Tensor &)> judge) {
  Expected<std::vector<Tensor>> inputs = inOrder(library.inputs(), set.inputs, "input");
  if (!inputs)
    return inputs.takeError();
  Expected<std::vector<Tensor>> outputs = session.run(*inputs);
  if (!set.failure.empty()) {
    if (outputs)
      return fail("expects an error with '" + set.failure + "', but the run succeeds");
    std::string text = toString(outputs.takeError());
    return StringRef(text).contains(set.failure)
               ? Error::success()
               : fail("expects an error with '" + set.failure + "', got '" + text + "'");
  }
  if (!outputs)
    return outputs.takeError();
  Expected<std::vector<Tensor>> expected = inOrder(library.outputs(), set.outputs, "output");
  if (!expected)
    return expected.takeError();
  for (auto [port, got, want] : zip(library.outputs(), *outputs, *expected))
    judge(port, got, want);
  return Error::success();
}

Error runTextData(const Library &library, Session &session, const TextDataSet &set,
                  function_ref<void(const mlc_port &, const Tensor &, const Tensor &)> judge) {
  return inContext(set.name, runValues(library, session, set, judge));
}

} // namespace mlc
