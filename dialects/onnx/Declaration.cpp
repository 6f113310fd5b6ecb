#include "onnx/Declaration.h"
#include "onnx/Schemas.h"
#include <cstdlib>
#include <set>

using ::onnx::AttributeProto;
using ::onnx::OpSchema;

namespace mlc::onnx {

namespace {
/// Written "name: type", with "?" behind the name of what may be left out, and "= value" behind a type.
struct Entry {
  std::string name, type, value;
  bool isOptional = false, hasValue = false;
};

/// What is wrong with a declaration.
struct Problem {
  std::string text;
};
} // namespace

static std::string trimmed(const std::string &text) {
  size_t begin = text.find_first_not_of(' '), end = text.find_last_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

static bool isWord(const std::string &text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos;
}

static Entry readEntry(const std::string &text) {
  Entry entry;
  size_t colon = text.find(':'), equal = text.find('=');
  if (colon == std::string::npos || (equal != std::string::npos && equal < colon))
    throw Problem{"expects 'name: type', got '" + text + "'"};
  entry.name = trimmed(text.substr(0, colon));
  if (!entry.name.empty() && entry.name.back() == '?') {
    entry.isOptional = true;
    entry.name = trimmed(entry.name.substr(0, entry.name.size() - 1));
  }
  entry.hasValue = equal != std::string::npos;
  entry.type = trimmed(text.substr(colon + 1, entry.hasValue ? equal - colon - 1 : std::string::npos));
  if (entry.hasValue)
    entry.value = trimmed(text.substr(equal + 1));
  if (!isWord(entry.name) || !isWord(entry.type))
    throw Problem{"expects 'name: type', got '" + text + "'"};
  return entry;
}

//===-- Types --------------------------------------------------------------------===//

static constexpr const char *elementTypes[] = {"float", "double", "float16", "bfloat16", "int8",   "int16", "int32",
                                               "int64", "uint8",  "uint16",  "uint32",   "uint64", "bool"};

/// As libonnx spells it.
static std::string tensorOf(const std::string &type) {
  std::string known;
  for (const char *element : elementTypes) {
    if (type == element)
      return "tensor(" + type + ")";
    known += (known.empty() ? "" : ", ") + std::string(element);
  }
  throw Problem{"unknown type '" + type + "'; known are " + known};
}

/// A variable stays what it is.
static std::string typeOf(const Entry &port, const Declaration &declaration) {
  for (const Declaration::TypeVariable &variable : declaration.types)
    if (variable.name == port.type)
      return port.type;
  return tensorOf(port.type);
}

static void addTypes(OpSchema &schema, const Declaration &declaration) {
  for (const Declaration::TypeVariable &variable : declaration.types) {
    if (!isWord(variable.name) || variable.types.empty())
      throw Problem{"expects a name and some types of each type variable, got '" + variable.name + "'"};
    std::vector<std::string> types;
    for (const std::string &type : variable.types)
      types.push_back(tensorOf(type));
    schema.TypeConstraint(variable.name, types, "");
  }
}

//===-- Ports --------------------------------------------------------------------===//

static void addPorts(OpSchema &schema, const Declaration &declaration) {
  std::set<std::string> bound;
  int index = 0;
  for (const std::string &text : declaration.inputs) {
    Entry port = readEntry(text);
    if (port.hasValue)
      throw Problem{"input '" + port.name + "' has a value; inputs have none"};
    bool isBound = typeOf(port, declaration) == port.type;
    if (isBound && !port.isOptional)
      bound.insert(port.type);
    schema.Input(index++, port.name, "", typeOf(port, declaration),
                 port.isOptional ? OpSchema::Optional : OpSchema::Single);
  }
  if (declaration.outputs.empty())
    throw Problem{"expects an output"};
  index = 0;
  for (const std::string &text : declaration.outputs) {
    Entry port = readEntry(text);
    if (port.hasValue || port.isOptional)
      throw Problem{"output '" + port.name + "' has a value or may be left out; outputs are always there"};
    std::string type = typeOf(port, declaration);
    if (type == port.type && !bound.count(type))
      throw Problem{"output '" + port.name + "' is of type variable '" + type +
                    "', which no input that is always there binds"};
    schema.Output(index++, port.name, "", type);
  }
}

//===-- Attributes ---------------------------------------------------------------===//

template <typename Number, typename Read> static Number numberOf(const Entry &entry, Read read) {
  char *end = nullptr;
  Number number = read(entry.value.c_str(), &end);
  if (entry.value.empty() || *end)
    throw Problem{"expects a value of kind " + entry.type + " for attribute '" + entry.name + "', got '" + entry.value +
                  "'"};
  return number;
}

static std::string quotedOf(const Entry &entry) {
  if (entry.value.size() < 2 || entry.value.front() != '"' || entry.value.back() != '"')
    throw Problem{"expects a text in quotes for attribute '" + entry.name + "', got " + entry.value};
  return entry.value.substr(1, entry.value.size() - 2);
}

static void addAttribute(OpSchema &schema, const Entry &entry) {
  static const std::pair<const char *, AttributeProto::AttributeType> kinds[] = {{"float", AttributeProto::FLOAT},
                                                                                 {"int", AttributeProto::INT},
                                                                                 {"string", AttributeProto::STRING},
                                                                                 {"floats", AttributeProto::FLOATS},
                                                                                 {"ints", AttributeProto::INTS}};
  for (const auto &[word, kind] : kinds) {
    if (entry.type != word)
      continue;
    if (!entry.hasValue)
      schema.Attr(entry.name, "", kind, /*required=*/true);
    else if (kind == AttributeProto::FLOAT)
      schema.Attr(entry.name, "", kind,
                  numberOf<float>(entry, [](const char *text, char **end) { return std::strtof(text, end); }));
    else if (kind == AttributeProto::INT)
      schema.Attr(entry.name, "", kind, numberOf<int64_t>(entry, [](const char *text, char **end) {
                    return int64_t(std::strtoll(text, end, 10));
                  }));
    else if (kind == AttributeProto::STRING)
      schema.Attr(entry.name, "", kind, quotedOf(entry));
    else
      throw Problem{"attribute '" + entry.name + "' has a value; lists have none here"};
    return;
  }
  throw Problem{"unknown kind '" + entry.type + "' of attribute '" + entry.name +
                "'; known are float, int, string, floats, ints"};
}

//===-- The operator ---------------------------------------------------------------===//

static void addOperator(const Declaration &declaration) {
  if (!isWord(declaration.name))
    throw Problem{"expects a name of letters, digits and '_', got '" + declaration.name + "'"};
  const Domain &domain = domainToExtend(declaration.domain);
  if (pinnedSchema(declaration.name, domain))
    throw Problem{"is known already"};
  OpSchema schema(declaration.name, __FILE__, 0);
  schema.SetDomain(domain.name).SinceVersion(1).SetNodeDeterminism(OpSchema::NodeDeterminism::Deterministic);
  addTypes(schema, declaration);
  addPorts(schema, declaration);
  for (const std::string &text : declaration.attributes) {
    Entry entry = readEntry(text);
    if (entry.isOptional)
      throw Problem{"attribute '" + entry.name + "' may be left out where it has a value, not by '?'"};
    addAttribute(schema, entry);
  }
  registerDeclared(std::move(schema));
}

std::string declare(const Declaration &declaration) {
  std::string problem;
  try {
    addOperator(declaration);
  } catch (const Problem &found) {
    problem = found.text;
  } catch (const std::exception &error) {
    problem = error.what();
  }
  return problem.empty() ? "" : "operator '" + declaration.qualifiedName() + "': " + problem;
}

} // namespace mlc::onnx
