// mlc info: what a model takes, gives and contains; of a compiled one from its library alone.
#include "CodegenOptions.h"
#include "KernelWork.h"
#include "Verbs.h"
#include "import/Import.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "onnx/Custom.h"
#include "onnx/Onnx.h"
#include "support/Diagnostics.h"
#include "support/Inputs.h"
#include "support/Model.h"
#include "support/OnnxTypes.h"
#include "support/Table.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"

using namespace llvm;

namespace mlc {

using enum Table::Align;

static void printSection(StringRef title, const Table &table) {
  outs() << title << "\n";
  table.print(outs(), /*indent=*/2);
}

//===-- Compiled -------------------------------------------------------------------===//

static void printPorts(StringRef title, const mlc_model_info &info, ArrayRef<mlc_port> ports) {
  Table table({Left, Left});
  for (const mlc_port &port : ports)
    table.row({port.name, formatPort(info, port)});
  printSection(title, table);
}

/// The memory of a run, of the symbolic dimensions that the user gives and 1 for the others.
static Error printMemory(const Library &library, const InputRequest &request) {
  Expected<std::vector<int64_t>> symbols = chosenSymbols(library, request);
  if (!symbols)
    return symbols.takeError();
  Expected<uint64_t> bytes = arenaBytes(library, *symbols);
  if (!bytes)
    return bytes.takeError();
  outs() << "arena of a session: " << formatBytes(*bytes);
  for (auto [i, extent] : enumerate(*symbols))
    outs() << (i ? ", " : " for ") << symbolName(library.info(), i) << "=" << extent;
  outs() << "\n";
  return Error::success();
}

static Error printCompiled(const Options &options, const InputRequest &request, StringRef runner) {
  Expected<LoadedModel> loaded = loadModel(options, runner);
  if (!loaded)
    return loaded.takeError();
  const mlc_model_info &info = loaded->library.info();
  outs() << "compiled model '" << info.name << "', " << formatBytes(loaded->fileBytes) << "\n";
  printPorts("inputs", info, loaded->library.inputs());
  printPorts("outputs", info, loaded->library.outputs());
  Table properties({Left, Left});
  for (const mlc_property &property : ArrayRef(info.properties, info.property_count))
    if (!StringRef(property.key).starts_with(kernelWorkPrefix)) // for mlc bench
      properties.row({property.key, property.value});
  printSection("properties", properties);
  if (info.kernel_count)
    outs() << "kernels with times: " << info.kernel_count << "\n";
  return printMemory(loaded->library, request);
}

//===-- Not compiled ---------------------------------------------------------------===//

static void printPorts(StringRef title, unsigned count, function_ref<mlir::DictionaryAttr(unsigned)> attributesOf) {
  Table table({Left, Left});
  for (unsigned i = 0; i < count; ++i) {
    mlir::DictionaryAttr attributes = attributesOf(i);
    table.row({attributes.getAs<mlir::StringAttr>("onnx.name").str(),
               formatOnnxType(attributes.getAs<mlir::TypeAttr>("onnx.type").getValue(),
                              attributes.getAs<mlir::ArrayAttr>("onnx.dims"))});
  }
  printSection(title, table);
}

static uint64_t storedBytes(mlir::ShapedType type) {
  mlir::Type element = type.getElementType();
  return element.isIntOrFloat() ? type.getNumElements() * element.getIntOrFloatBitWidth() / 8 : 0;
}

/// What the graph is made of, constants aside.
static void printContents(mlir::func::FuncOp graph) {
  MapVector<StringRef, unsigned> counts;
  uint64_t weights = 0, weightBytes = 0;
  graph.walk([&](mlir::Operation *op) {
    if (auto constant = dyn_cast<onnx::ConstantOp>(op)) {
      auto type = cast<mlir::ShapedType>(constant.getType());
      weights += type.getNumElements();
      weightBytes += storedBytes(type);
    } else if (isa<onnx::OnnxDialect>(op->getDialect()) && !isa<onnx::YieldOp>(op)) {
      ++counts[onnx::operatorName(op)];
    }
  });
  auto rows = counts.takeVector();
  llvm::stable_sort(rows, [](const auto &a, const auto &b) { return a.second > b.second; });
  Table table({Left, Right});
  unsigned all = 0;
  for (auto &[name, count] : rows) {
    table.row({name.str(), std::to_string(count)});
    all += count;
  }
  outs() << "constants: " << weights << " elements, " << formatBytes(weightBytes) << "\n";
  printSection("operators: " + std::to_string(all), table);
}

static void printProperties(mlir::ModuleOp module) {
  Table table({Left, Left});
  for (StringRef name : {"producer", "domain", "graph"})
    if (auto text = module->getAttrOfType<mlir::StringAttr>(("onnx." + name).str()))
      table.row({name.str(), text.str()});
  if (auto opsets = module->getAttrOfType<mlir::DictionaryAttr>("onnx.opsets"))
    for (mlir::NamedAttribute opset : opsets)
      table.row({"opset " + opset.getName().str(), std::to_string(cast<mlir::IntegerAttr>(opset.getValue()).getInt())});
  if (auto properties = module->getAttrOfType<mlir::DictionaryAttr>("onnx.properties"))
    for (mlir::NamedAttribute property : properties)
      table.row({property.getName().str(), cast<mlir::StringAttr>(property.getValue()).str()});
  printSection("properties", table);
}

static Error printSource(const Options &options) {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  DiagnosticPrinter printer(*context, options.input);
  mlir::OwningOpRef<mlir::ModuleOp> module = importModel(options.input, *context);
  if (!module)
    return alreadyReported();
  auto graph = module->lookupSymbol<mlir::func::FuncOp>(graphFunctionName);
  printPorts("inputs", graph.getNumArguments(), [&](unsigned i) { return graph.getArgAttrDict(i); });
  printPorts("outputs", graph.getNumResults(), [&](unsigned i) { return graph.getResultAttrDict(i); });
  printProperties(*module);
  printContents(graph);
  return Error::success();
}

Error runInfo(CommandLine &line) {
  Options options;
  InputRequest request;
  std::string runner;
  line.positional("model", options.input);
  line.option("dim", "NAME=N", request.dims,
              "the extent of a symbolic dimension, for the memory of a compiled model (1)");
  addRunnerOption(line, runner);
  addExtensionOptions(line);
  line.explain("MODEL is a compiled .so: its inputs, outputs, properties and memory; or a model file: its inputs,\n"
               "outputs, properties, weights, and how often it has each operator once functions are expanded.");
  if (Error error = line.parse())
    return error;
  if (Error error = expectFile(options.input))
    return error;
  return isCompiled(options.input) ? printCompiled(options, request, runner) : printSource(options);
}

} // namespace mlc
