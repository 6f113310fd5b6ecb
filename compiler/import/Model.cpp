// A model file -> a module: reads the file, and makes the graph a function with its interface as attributes.
#include "import/Graph.h"
#include "import/Import.h"
#include "import/Types.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include <onnx/defs/parser.h>

using namespace mlir;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::ValueInfoProto;

namespace mlc {
namespace importer {
namespace {

//===-- Files ------------------------------------------------------------------===//

/// A model, and the tensors that it refers to.
struct ModelFile {
  ModelFile(StringRef path) : tensors(path) {}
  ModelProto model;
  TensorReader tensors;
};

LogicalResult parseBinary(ModelFile &into, std::shared_ptr<llvm::MemoryBuffer> file, Location loc) {
  StringRef bytes = file->getBuffer();
  if (bytes.starts_with("version https://git-lfs"))
    return emitError(loc) << "is a pointer of Git LFS, not the model itself; `git lfs pull` fetches that";
  Payloads payloads;
  llvm::Expected<std::string> message = detachPayloads(ArrayRef(bytes.data(), bytes.size()), payloads);
  if (!message)
    return emitError(loc) << "is not an ONNX model: " << llvm::toString(message.takeError());
  if (!into.model.ParseFromString(*message))
    return emitError(loc) << "is not an ONNX model: its fields are not those of one";
  into.tensors.setPayloads(std::move(file), std::move(payloads));
  return success();
}

/// The parser of ONNX text calls itself for what is nested.
constexpr int deepestText = 200;

bool isTooDeep(StringRef text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '(' || c == '{' || c == '<' || c == '[';
    depth -= c == ')' || c == '}' || c == '>' || c == ']';
    depth = std::max(depth, 0);
    if (depth > deepestText)
      return true;
  }
  return false;
}

/// libonnx says "[ParseError at position (line: 2 column: 1)]", the line, and on a line of its own what is wrong.
LogicalResult refuseText(StringRef message, FileLineColLoc loc) {
  auto numberAfter = [&](StringRef word) {
    unsigned number = 0;
    StringRef rest = message.substr(message.find(word)).substr(word.size());
    return rest.consumeInteger(10, number) ? 0 : number;
  };
  Location place = FileLineColLoc::get(loc.getFilename(), numberAfter("line: "), numberAfter("column: "));
  return emitError(place) << "is not ONNX text: " << message.rtrim().rsplit('\n').second;
}

LogicalResult parseText(ModelFile &into, StringRef text, FileLineColLoc loc) {
  if (isTooDeep(text))
    return emitError(loc) << "is nested more than " << deepestText << " deep";
  try {
    ::onnx::OnnxParser parser(std::string_view(text.data(), text.size()));
    auto status = parser.Parse(into.model);
    if (!status.IsOK())
      return refuseText(status.ErrorMessage(), loc);
    if (!parser.EndOfInput())
      return emitError(loc) << "is not ONNX text: something follows after the model";
  } catch (const std::exception &error) {
    return emitError(loc) << "is not ONNX text: " << error.what();
  }
  return success();
}

LogicalResult readFile(ModelFile &into, StringRef path, FileLineColLoc loc) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return emitError(loc) << "cannot be read: " << error.message();
  if (!llvm::sys::fs::is_regular_file(status))
    return emitError(loc) << "is not a file";
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return emitError(loc) << "cannot be read: " << file.getError().message();
  if ((*file)->getBufferSize() == 0)
    return emitError(loc) << "is empty";
  LogicalResult parsed = path.ends_with(".onnxtxt") ? parseText(into, (*file)->getBuffer(), loc)
                                                    : parseBinary(into, std::move(*file), loc);
  if (succeeded(parsed) && !into.model.has_graph())
    return emitError(loc) << "has no graph";
  return parsed;
}

//===-- The interface --------------------------------------------------------------===//

/// What stands on an argument or result of the graph function.
DictionaryAttr interfaceOf(const ValueInfoProto &value, const NamedType &type, Builder &b) {
  SmallVector<StringRef> dimensions(type.dimensions.begin(), type.dimensions.end());
  return b.getDictionaryAttr({b.getNamedAttr("onnx.name", b.getStringAttr(value.name())),
                              b.getNamedAttr("onnx.dims", b.getStrArrayAttr(dimensions)),
                              b.getNamedAttr("onnx.type", TypeAttr::get(type.type))});
}

/// What the model says of itself.
void describe(ModuleOp module, const ModelProto &model) {
  Builder b(module.getContext());
  NamedAttrList attributes(module->getAttrDictionary());
  auto setText = [&](StringRef name, const std::string &text) {
    if (!text.empty())
      attributes.set(name, b.getStringAttr(text));
  };
  NamedAttrList opsets, properties;
  for (const auto &entry : opsetsOf(model.opset_import()))
    opsets.set(entry.first().empty() ? "ai.onnx" : entry.first(), b.getI64IntegerAttr(entry.second));
  for (const auto &entry : model.metadata_props())
    if (!entry.key().empty())
      properties.set(entry.key(), b.getStringAttr(entry.value()));
  attributes.set("onnx.ir_version", b.getI64IntegerAttr(model.ir_version()));
  attributes.set("onnx.opsets", opsets.getDictionary(b.getContext()));
  if (!properties.empty())
    attributes.set("onnx.properties", properties.getDictionary(b.getContext()));
  std::string producer = model.producer_name();
  if (!model.producer_version().empty())
    producer += (producer.empty() ? "" : " ") + model.producer_version();
  setText("onnx.producer", producer);
  setText("onnx.domain", model.domain());
  setText("onnx.graph", model.graph().name());
  setText("onnx.doc", model.doc_string());
  if (model.model_version())
    attributes.set("onnx.model_version", b.getI64IntegerAttr(model.model_version()));
  module->setAttrs(attributes);
}

/// Old converters declare the map of one row where there is a sequence of them, one for each row.
bool isMapOfRow(Type declared, Type type) {
  auto rows = dyn_cast<onnx::SequenceType>(type);
  return rows && isa<onnx::MapType>(declared) && rows.getElement() == declared;
}

/// Whether a result fits what the model declares of it: the same type, apart from extents, which exporters get wrong.
LogicalResult checkResult(const ValueInfoProto &output, Type declared, Value value, Location loc) {
  if (onnx::withoutShape(declared) == onnx::withoutShape(value.getType()))
    return success();
  InFlightDiagnostic error = emitError(loc) << "output '" << output.name() << "' is declared as " << declared
                                            << ", got " << value.getType();
  error.attachNote(value.getLoc()) << "from here";
  return error;
}

/// The graph's inputs that a caller gives; up to IR version 3, and sometimes later, initializers are listed as inputs
/// as well.
SmallVector<const ValueInfoProto *> inputsOf(const GraphProto &graph) {
  llvm::StringSet<> given;
  for (const auto &tensor : graph.initializer())
    given.insert(tensor.name());
  for (const auto &tensor : graph.sparse_initializer())
    given.insert(tensor.values().name());
  SmallVector<const ValueInfoProto *> inputs;
  for (const ValueInfoProto &input : graph.input())
    if (!given.contains(input.name()))
      inputs.push_back(&input);
  return inputs;
}

/// Gives an input the extents that are said of it beside the model.
LogicalResult applyShapes(const InputShapes &shapes, const ValueInfoProto &input, unsigned position, NamedType &type,
                          Location loc) {
  auto given = llvm::find_if(shapes.given, [&](const InputShape &shape) { return shape.input == input.name(); });
  auto tensor = dyn_cast<TensorType>(type.type);
  if (given == shapes.given.end()) {
    if (!tensor || tensor.hasRank() || !shapes.rankOf)
      return success();
    std::optional<int64_t> rank = shapes.rankOf(position);
    if (rank)
      type.type = RankedTensorType::get(SmallVector<int64_t>(*rank, ShapedType::kDynamic), tensor.getElementType());
    return success();
  }
  if (!tensor)
    return emitError(loc) << "expects extents for tensors only, but '" << input.name() << "' is " << type.type;
  if (!onnx::elementCount(given->extents))
    return emitError(loc) << "has more elements than 64 bits can count: extents " << given->extents;
  auto wanted = RankedTensorType::get(given->extents, tensor.getElementType());
  // As two extents: what is known of either.
  SmallVector<int64_t> extents(given->extents);
  if (tensor.hasRank()) {
    if (failed(verifyCompatibleShape(tensor, wanted)))
      return emitError(loc) << "expects extents of '" << input.name() << "' that fit " << tensor << ", got " << wanted;
    for (auto [extent, own] : llvm::zip_equal(extents, tensor.getShape()))
      extent = ShapedType::isDynamic(extent) ? own : extent;
  }
  type.type = RankedTensorType::get(extents, tensor.getElementType());
  type.dimensions.resize(extents.size());
  return success();
}

/// Whether all extents are said of inputs that there are.
LogicalResult checkNames(const InputShapes &shapes, ArrayRef<const ValueInfoProto *> inputs, Location loc) {
  auto nameOf = [](const ValueInfoProto *input) { return StringRef(input->name()); };
  for (const InputShape &shape : shapes.given)
    if (llvm::none_of(inputs, [&](const ValueInfoProto *input) { return input->name() == shape.input; }))
      return emitError(loc) << "has no input '" << shape.input << "' to give extents to; it has "
                            << llvm::join(llvm::map_range(inputs, nameOf), ", ");
  return success();
}

OwningOpRef<ModuleOp> importFile(const ModelFile &file, TensorReader &tensors, StringRef path, MLIRContext &context,
                                 const InputShapes &shapes) {
  const ModelProto &model = file.model;
  const GraphProto &graph = model.graph();
  GraphImporter importer(model, path, tensors, context);
  Location loc = importer.location(graph.name().empty() ? "model" : graph.name());
  Builder b(&context);

  Opsets opsets = opsetsOf(model.opset_import());
  if (opsets.empty() && model.ir_version() < 3)
    opsets[""] = 1; // IR versions before opsets
  Scope scope{.outer = nullptr, .opsets = opsets};
  SmallVector<Type> inputTypes;
  SmallVector<DictionaryAttr> inputAttributes, outputAttributes;
  SmallVector<const ValueInfoProto *> inputs = inputsOf(graph);
  for (auto [position, input] : llvm::enumerate(inputs)) {
    Location inputLoc = importer.location(input->name());
    FailureOr<NamedType> type = importType(input->type(), inputLoc, "input '" + input->name() + "'");
    if (failed(type) || failed(applyShapes(shapes, *input, position, *type, inputLoc)))
      return nullptr;
    inputTypes.push_back(type->type);
    inputAttributes.push_back(interfaceOf(*input, *type, b));
  }

  if (failed(checkNames(shapes, inputs, loc)))
    return nullptr;

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  describe(*module, model);
  auto builder = ImplicitLocOpBuilder::atBlockEnd(loc, module->getBody());
  auto function = func::FuncOp::create(builder, "model", b.getFunctionType(inputTypes, {}));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  for (auto [input, argument] : llvm::zip_equal(inputs, body->getArguments())) {
    Location inputLoc = importer.location(input->name());
    argument.setLoc(inputLoc);
    if (input->name().empty())
      return emitError(inputLoc) << "an input has no name", nullptr;
    if (!scope.names.try_emplace(input->name(), argument).second)
      return emitError(inputLoc) << "input '" << input->name() << "' is listed twice", nullptr;
  }
  FailureOr<Values> outputs = importer.importGraph(graph, scope, builder);
  if (failed(outputs))
    return nullptr;
  if (outputs->empty())
    return emitError(loc) << "the graph has no outputs", nullptr;

  for (auto [output, value] : llvm::zip_equal(graph.output(), *outputs)) {
    Location outputLoc = importer.location(output.name());
    NamedType type{value.getType(), {}};
    if (output.has_type() && output.type().value_case() != ::onnx::TypeProto::VALUE_NOT_SET) {
      FailureOr<NamedType> declared = importType(output.type(), outputLoc, "output '" + output.name() + "'");
      if (failed(declared))
        return nullptr;
      if (!isMapOfRow(declared->type, type.type)) {
        if (failed(checkResult(output, declared->type, value, outputLoc)))
          return nullptr;
        type = std::move(*declared);
      }
    }
    outputAttributes.push_back(interfaceOf(output, type, b));
  }
  func::ReturnOp::create(builder, *outputs);
  function.setType(b.getFunctionType(inputTypes, TypeRange(ValueRange(*outputs))));
  function.setAllArgAttrs(inputAttributes);
  function.setAllResultAttrs(outputAttributes);
  if (failed(verify(*module)))
    return nullptr;
  return module;
}

} // namespace
} // namespace importer

OwningOpRef<ModuleOp> importModel(StringRef path, MLIRContext &context, const InputShapes &shapes) {
  context.loadDialect<func::FuncDialect, onnx::OnnxDialect>();
  importer::ModelFile file(path);
  if (failed(importer::readFile(file, path, FileLineColLoc::get(&context, path, 0, 0))))
    return nullptr;
  return importer::importFile(file, file.tensors, path, context, shapes);
}

FailureOr<std::vector<NamedOperator>> listOperators(StringRef path, MLIRContext &context) {
  importer::ModelFile file(path);
  if (failed(importer::readFile(file, path, FileLineColLoc::get(&context, path, 0, 0))))
    return failure();
  return operatorsOf(file.model);
}

} // namespace mlc
