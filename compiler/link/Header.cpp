// Writes the typed C header of a model:
//
//   const mlc_model *digits_mlc(uint32_t version);
//   /* image: float32[batch, 1, 8, 8] -> scores: float32[batch, 10] */
//   static inline mlc_status digits_run(mlc_session *session, int64_t batch, const float *image, float *scores,
//   mlc_error *error);
//
// An output whose extents only a run can tell is an mlc_output instead of a pointer: its caller says who brings the
// memory.
#include "link/Link.h"
#include "mlc/mlc.h"
#include "onnx/Onnx.h"
#include "passes/Ports.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace mlc {
namespace {

/// Names of C that no parameter may have, and those that the function uses itself.
const llvm::StringSet<> &takenNames() {
  static const llvm::StringSet<> names = {
      "auto",    "break",     "case",      "char",     "const", "continue", "default",  "do",       "double",
      "else",    "enum",      "extern",    "float",    "for",   "goto",     "if",       "inline",   "int",
      "long",    "register",  "restrict",  "return",   "short", "signed",   "sizeof",   "static",   "struct",
      "switch",  "typedef",   "union",     "unsigned", "void",  "volatile", "while",    "bool",     "true",
      "false",   "class",     "new",       "delete",   "this",  "template", "typename", "operator", "private",
      "public",  "protected", "namespace", "using",    "try",   "catch",    "throw",    "friend",   "virtual",
      "session", "error",     "inputs",    "outputs"};
  return names;
}

/// Distinct identifiers for what is named anyhow.
class Names {
public:
  std::string add(StringRef wanted) {
    std::string name = identifier(wanted);
    while (takenNames().contains(name) || !used.insert(name).second)
      name += "_";
    return name;
  }

private:
  llvm::StringSet<> used;
};

/// How C sees an element, its mlc_type's name, and its bits; null if C has no type for it.
struct ElementType {
  const char *c;
  const char *constant;
};

ElementType elementType(Type type) {
  if (type.isF32())
    return {"float", "MLC_FLOAT32"};
  if (type.isF64())
    return {"double", "MLC_FLOAT64"};
  if (type.isF16())
    return {"uint16_t", "MLC_FLOAT16"};
  if (type.isBF16())
    return {"uint16_t", "MLC_BFLOAT16"};
  if (isa<onnx::StringType>(type))
    return {"mlc_string", "MLC_STRING"};
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return {nullptr, nullptr};
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return {"uint8_t", "MLC_BOOL"};
  case 8:
    return isUnsigned ? ElementType{"uint8_t", "MLC_UINT8"} : ElementType{"int8_t", "MLC_INT8"};
  case 16:
    return isUnsigned ? ElementType{"uint16_t", "MLC_UINT16"} : ElementType{"int16_t", "MLC_INT16"};
  case 32:
    return isUnsigned ? ElementType{"uint32_t", "MLC_UINT32"} : ElementType{"int32_t", "MLC_INT32"};
  case 64:
    return isUnsigned ? ElementType{"uint64_t", "MLC_UINT64"} : ElementType{"int64_t", "MLC_INT64"};
  default:
    return {nullptr, nullptr};
  }
}

class HeaderWriter {
public:
  HeaderWriter(raw_ostream &os, StringRef name, const Ports &ports) : os(os), name(identifier(name)), ports(ports) {
    for (const std::string &symbol : ports.symbols)
      symbols.push_back(names.add(symbol));
    for (const Port &port : ports.inputs)
      inputs.push_back(names.add(port.name));
    for (const Port &port : ports.outputs)
      outputs.push_back(names.add(port.name));
  }

  void write() {
    std::string guard = StringRef(name).upper() + "_MLC_H";
    os << "/* The model " << name << " as C sees it. Written by mlc. */\n#ifndef " << guard << "\n#define " << guard
       << "\n\n#include <mlc/mlc.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
       << "/* The entry point of the library. */\nconst mlc_model *" << name << "_mlc(uint32_t version);\n\n";
    writePlaces("Places of the inputs", "input", inputs);
    writePlaces("Places of the outputs", "output", outputs);
    writePlaces("Places of the symbolic dimensions", "dim", symbols);
    auto hasC = [](const Port &port) { return !port.isHandle() && elementType(port.element).c != nullptr; };
    if (llvm::all_of(ports.inputs, hasC) && llvm::all_of(ports.outputs, hasC))
      writeRun();
    os << "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  }

private:
  void writePlaces(StringRef what, StringRef kind, ArrayRef<std::string> list) {
    if (list.empty())
      return;
    os << "/* " << what << ". */\nenum {";
    for (auto [i, item] : llvm::enumerate(list))
      os << (i ? ",\n      " : " ") << name << "_" << kind << "_" << item << " = " << i;
    os << " };\n\n";
  }

  std::string dimension(const Dimension &d) {
    return d.fixed ? std::to_string(*d.fixed) : d.symbol ? symbols[*d.symbol] : "?";
  }

  void writeShape(const Port &port, StringRef as) {
    os << as << ": ";
    StringRef constant = elementType(port.element).constant;
    os << constant.drop_front(4).lower() << "[";
    llvm::interleaveComma(port.dimensions, os, [&](const Dimension &d) { os << dimension(d); });
    os << "]";
  }

  static bool isOpen(const Port &port) {
    return llvm::any_of(port.dimensions, [](const Dimension &d) { return !d.fixed && !d.symbol; });
  }

  std::string elements(const Port &port) {
    std::string result = "1";
    for (const Dimension &d : port.dimensions)
      result += " * (uint64_t)" + dimension(d);
    return result;
  }

  void writeRun() {
    os << "/* Runs the model once.\n *\n";
    for (auto [port, as] : llvm::zip(ports.inputs, inputs))
      os << " *   ", writeShape(port, as), os << "\n";
    for (auto [port, as] : llvm::zip(ports.outputs, outputs))
      os << " *   -> ", writeShape(port, as), os << "\n";
    os << " *\n * All arrays are contiguous, last axis fastest";
    if (llvm::any_of(ports.outputs, isOpen))
      os << "; of an output with extents that only the run can tell, `memory` says who brings it";
    os << ". */\nstatic inline mlc_status " << name << "_run(mlc_session *session";
    for (const std::string &symbol : symbols)
      os << ", int64_t " << symbol;
    for (auto [port, as] : llvm::zip(ports.inputs, inputs))
      os << ", const " << elementType(port.element).c << " *" << as;
    for (auto [port, as] : llvm::zip(ports.outputs, outputs))
      os << ", " << (isOpen(port) ? "mlc_output" : elementType(port.element).c) << " *" << as;
    os << ", mlc_error *error) {\n";
    for (auto [i, port] : llvm::enumerate(ports.inputs)) {
      if (port.dimensions.empty())
        continue;
      os << "  const int64_t extents" << i << "[] = {";
      llvm::interleaveComma(port.dimensions, os, [&](const Dimension &d) { os << dimension(d); });
      os << "};\n";
    }
    if (!ports.inputs.empty())
      os << "  mlc_input inputs[" << ports.inputs.size() << "] = {\n";
    for (auto [i, port] : llvm::enumerate(ports.inputs))
      os << "      {0, " << inputs[i] << ", 0, " << (port.dimensions.empty() ? "0" : "extents" + std::to_string(i))
         << ", 0, " << port.dimensions.size() << ", " << elementType(port.element).constant << ", MLC_ON_HOST},\n";
    if (!ports.inputs.empty())
      os << "  };\n";
    os << "  mlc_output outputs[" << ports.outputs.size() << "] = {\n";
    for (auto [i, port] : llvm::enumerate(ports.outputs)) {
      if (isOpen(port))
        os << "      *" << outputs[i] << ",\n";
      else
        os << "      {0, " << outputs[i] << ", " << elements(port) << " * sizeof *" << outputs[i] << ", 0, 0, 0, "
           << elementType(port.element).constant << ", MLC_MEMORY_CALLER, MLC_ON_HOST},\n";
    }
    os << "  };\n";
    std::string call = "mlc_run(session, " + std::string(ports.inputs.empty() ? "0" : "inputs") + ", " +
                       std::to_string(ports.inputs.size()) + ", outputs, " + std::to_string(ports.outputs.size()) +
                       ", error)";
    if (llvm::none_of(ports.outputs, isOpen)) {
      os << "  return " << call << ";\n}\n\n";
      return;
    }
    os << "  mlc_status status = " << call << ";\n";
    for (auto [i, port] : llvm::enumerate(ports.outputs))
      if (isOpen(port))
        os << "  *" << outputs[i] << " = outputs[" << i << "];\n";
    os << "  return status;\n}\n\n";
  }

  raw_ostream &os;
  std::string name;
  const Ports &ports;
  Names names;
  SmallVector<std::string> symbols, inputs, outputs;
};

} // namespace

LogicalResult writeHeader(ModuleOp module, llvm::raw_ostream &out) {
  std::optional<Ports> ports = portsOf(module);
  if (!ports)
    return emitError(module.getLoc()) << "expects the attribute '" << interfaceAttrName
                                      << "', which mlc-emit-entry-point leaves for the header";
  HeaderWriter(out, module.getSymName().value_or("model"), *ports).write();
  return success();
}

} // namespace mlc
