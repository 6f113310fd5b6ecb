// Functions, expanded where they are called: those of the model, and those that an operator's schema gives as its
// meaning.
#include "import/Graph.h"
#include "import/Types.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "onnx/Microsoft.h"

using namespace mlir;
using ::onnx::AttributeProto;
using ::onnx::FunctionProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;

namespace mlc::importer {

/// Functions in functions in functions; a function that calls itself gets there.
static constexpr int deepestCall = 64;

static std::string keyOf(StringRef domain, StringRef name, StringRef overload) {
  return ((domain == "ai.onnx" ? "" : domain) + ":" + name + ":" + overload).str();
}

/// What functions may add to a model; more comes from hostile files only, in which each function calls another twice.
static constexpr int64_t mostNodes = 1 << 20;

GraphImporter::GraphImporter(const ::onnx::ModelProto &model, StringRef path, TensorReader &tensors,
                             MLIRContext &context)
    : model(model), path(path), tensors(tensors), context(context), nodesLeft(mostNodes), known(&context) {
  for (const FunctionProto &function : model.functions())
    functions[keyOf(function.domain(), function.name(), function.overload())] = &function;
}

const FunctionProto *GraphImporter::findFunction(const NodeProto &node) const {
  return functions.lookup(keyOf(node.domain(), node.op_type(), node.overload()));
}

//===-- Calls ------------------------------------------------------------------===//

FailureOr<Values> GraphImporter::call(const FunctionProto &function, ValueRange operands, Arguments arguments,
                                      const Opsets &opsets, const Scope &caller, ImplicitLocOpBuilder &builder) {
  Location loc = builder.getLoc();
  nodesLeft -= function.node_size();
  if (caller.calls == deepestCall || nodesLeft < 0)
    return emitError(loc) << "calls function '" << function.name()
                          << "', by which the functions of this model become too deep or too large";
  if ((int)operands.size() > function.input_size())
    return emitError(loc) << "function '" << function.name() << "' takes " << function.input_size() << " operands, got "
                          << operands.size();

  // Only graph attributes, which the caller's nodes are part of, may read the caller's names.
  std::string prefix = (cast<NameLoc>(loc).getName().getValue() + "/").str();
  Scope body{arguments.graphs.empty() ? nullptr : &caller, {}, opsets, &arguments, prefix, caller.calls + 1};
  for (auto [i, name] : llvm::enumerate(function.input()))
    if (failed(define(name, i < operands.size() ? operands[i] : Value(), body, loc)))
      return failure();
  if (failed(importNodes(function.node(), body, builder)))
    return failure();
  // An optional output is one that the body does not define; who reads it is told.
  Values results;
  for (const std::string &name : function.output())
    results.push_back(body.find(name).value_or(Value()));
  return results;
}

FailureOr<Values> GraphImporter::callOfModel(const FunctionProto &function, ValueRange operands, Arguments arguments,
                                             const Scope &caller, ImplicitLocOpBuilder &builder) {
  auto isGiven = [&](const std::string &name) { return arguments.values.get(name) || arguments.graphs.count(name); };
  for (const std::string &name : function.attribute())
    if (!isGiven(name))
      return emitError(builder.getLoc()) << "function '" << function.name() << "' expects an attribute '" << name
                                         << "'";
  for (const AttributeProto &attribute : function.attribute_proto()) {
    if (isGiven(attribute.name()))
      continue;
    FailureOr<Attribute> value = readAttribute(attribute, builder.getLoc());
    if (failed(value))
      return failure();
    arguments.values.set(attribute.name(), *value);
  }
  Opsets opsets = opsetsOf(function.opset_import());
  return call(function, operands, std::move(arguments), opsets, caller, builder);
}

//===-- Bodies from schemas ---------------------------------------------------------===//

/// An attribute of the dialect as libonnx has it; none for tensors, which no body is built by.
static std::optional<AttributeProto> exportAttribute(StringRef name, Attribute attribute) {
  AttributeProto proto;
  proto.set_name(name.str());
  if (auto value = dyn_cast<IntegerAttr>(attribute)) {
    proto.set_type(AttributeProto::INT);
    proto.set_i(value.getInt());
  } else if (auto value = dyn_cast<FloatAttr>(attribute)) {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(value.getValueAsDouble());
  } else if (auto value = dyn_cast<StringAttr>(attribute)) {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(value.getValue().str());
  } else if (auto value = dyn_cast<DenseI64ArrayAttr>(attribute)) {
    proto.set_type(AttributeProto::INTS);
    proto.mutable_ints()->Add(value.asArrayRef().begin(), value.asArrayRef().end());
  } else if (auto value = dyn_cast<DenseF32ArrayAttr>(attribute)) {
    proto.set_type(AttributeProto::FLOATS);
    proto.mutable_floats()->Add(value.asArrayRef().begin(), value.asArrayRef().end());
  } else {
    return std::nullopt;
  }
  return proto;
}

namespace {
/// A node as a body that depends on it wants to see it.
class BodyContext : public ::onnx::FunctionBodyBuildContext {
public:
  BodyContext(const onnx::Node &node, const Graphs &graphs, std::function<int(Value)> rankOf)
      : node(node), rankOf(std::move(rankOf)) {
    for (NamedAttribute attribute : node.attributes)
      if (std::optional<AttributeProto> value = exportAttribute(attribute.getName(), attribute.getValue()))
        attributes[value->name()] = *value;
    for (const auto &[name, graph] : graphs) {
      AttributeProto &attribute = attributes[name];
      attribute.set_name(name);
      attribute.set_type(AttributeProto::GRAPH);
      *attribute.mutable_g() = *graph;
    }
  }

  const AttributeProto *getAttribute(const std::string &name) const override {
    auto found = attributes.find(name);
    return found == attributes.end() ? nullptr : &found->second;
  }
  bool hasInput(int index) const override { return (bool)node.operand(index); }
  bool hasOutput(int index) const override { return index < (int)node.results.size() && node.results[index]; }

  /// The element type; for our own bodies also the rank, which others do not ask for, since it takes inference to know
  /// it.
  const ::onnx::TypeProto *getInputType(int index) const override {
    Value operand = node.operand(index);
    if (!operand)
      return nullptr;
    ::onnx::TypeProto &type = types[index];
    type = exportType(operand.getType());
    int rank = node.domain == "com.microsoft" ? rankOf(operand) : -1;
    if (rank >= 0)
      type.mutable_tensor_type()->mutable_shape();
    for (int axis = 0; axis < rank; ++axis)
      type.mutable_tensor_type()->mutable_shape()->add_dim();
    return &type;
  }

private:
  const onnx::Node &node;
  std::function<int(Value)> rankOf;
  std::map<std::string, AttributeProto> attributes;
  mutable std::map<int, ::onnx::TypeProto> types;
};
} // namespace

int GraphImporter::rankOf(Value value) {
  auto type = dyn_cast<TensorType>(value.getType());
  if (!type || type.hasRank())
    return type ? type.getRank() : -1;
  Block *block = value.getParentBlock();
  if (!isa<func::FuncOp>(block->getParentOp()))
    return -1;
  for (Operation *op = lastKnown ? lastKnown->getNextNode() : &block->front(); op; op = op->getNextNode()) {
    lastKnown = op;
    if (failed(onnx::inferFactsOf(op, known)))
      return -1;
  }
  const onnx::Facts &facts = known.of(value);
  return facts.extents ? facts.extents->size() : -1;
}

/// The newest body that the schema has for the pinned opset or an earlier one; its nodes are read, and upgraded, as of
/// the opset that it names. Where the schema does not know the form of the node, `unknownForm` says why.
static std::optional<FunctionProto> bodyOf(const BodyContext &context, const OpSchema &schema,
                                           std::string &unknownForm) {
  auto newest = [](const std::vector<int> &versions) { return versions.empty() ? 0 : versions.back(); };
  int fixed = newest(schema.function_opset_versions()),
      built = newest(schema.context_dependent_function_opset_versions());
  if (!fixed && !built)
    return std::nullopt;
  try {
    if (fixed >= built)
      return *schema.GetFunction(fixed);
    FunctionProto body;
    if (schema.BuildContextDependentFunction(context, body, built))
      return body;
  } catch (const onnx::UnknownForm &form) {
    unknownForm = form.what();
  } catch (const std::exception &) {
    // A body that cannot be built from what the node has: the operator stays.
  }
  return std::nullopt;
}

FailureOr<std::optional<Values>> GraphImporter::expand(const onnx::Node &node, const OpSchema &schema,
                                                       const Graphs &graphs, const Scope &caller,
                                                       std::string &unknownForm) {
  BodyContext bodyContext(node, graphs, [&](Value value) { return rankOf(value); });
  std::optional<FunctionProto> body = bodyOf(bodyContext, schema, unknownForm);
  if (!body)
    return std::optional<Values>();
  Arguments arguments{node.attributes, graphs};
  for (const auto &[name, attribute] : schema.attributes())
    if (attribute.default_value.has_type() && !arguments.values.get(name)) {
      FailureOr<Attribute> value = readAttribute(attribute.default_value, node.builder.getLoc());
      if (failed(value))
        return failure();
      arguments.values.set(name, *value);
    }
  Opsets opsets = opsetsOf(body->opset_import());
  // Bodies of other domains may leave out what opset of ai.onnx they are written in: the newest.
  opsets.try_emplace("", onnx::findDomain("")->opset);
  // Nodes of a graph attribute, which the body repeats, are in the words of the model.
  if (!graphs.empty())
    opsets[""] = caller.opsets.lookup("");
  FailureOr<Values> results = call(*body, node.operands, std::move(arguments), opsets, caller, node.builder);
  return failed(results) ? FailureOr<std::optional<Values>>() : std::optional<Values>(std::move(*results));
}

} // namespace mlc::importer
