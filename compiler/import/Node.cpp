// One node: its attributes, its upgrade to the pinned opset, the operation that it becomes.
#include "import/Graph.h"
#include "import/ResultTypes.h"
#include "import/Types.h"
#include "onnx/Lowering.h"

using namespace mlir;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;

namespace mlc::importer {

//===-- Attributes -------------------------------------------------------------===//

/// The kind of what an attribute holds.
static AttributeProto::AttributeType kindHeld(const AttributeProto &proto) {
  if (proto.has_f())
    return AttributeProto::FLOAT;
  if (proto.has_i())
    return AttributeProto::INT;
  if (proto.has_s())
    return AttributeProto::STRING;
  if (proto.has_t())
    return AttributeProto::TENSOR;
  if (proto.has_g())
    return AttributeProto::GRAPH;
  if (proto.floats_size())
    return AttributeProto::FLOATS;
  if (proto.ints_size())
    return AttributeProto::INTS;
  if (proto.has_tp())
    return AttributeProto::TYPE_PROTO;
  if (proto.has_sparse_tensor())
    return AttributeProto::SPARSE_TENSOR;
  return proto.strings_size() ? AttributeProto::STRINGS : AttributeProto::UNDEFINED;
}

/// The kind of an attribute; files before IR version 2 do not say it.
static AttributeProto::AttributeType kindOf(const AttributeProto &proto) {
  return proto.type() == AttributeProto::UNDEFINED ? kindHeld(proto) : proto.type();
}

/// Whether an attribute holds something of the kind that it says. Some writers leave out zeros, empty texts and lists.
static bool holdsItsKind(const AttributeProto &proto) {
  switch (proto.type()) {
  case AttributeProto::TENSOR:
    return proto.has_t();
  case AttributeProto::GRAPH:
    return proto.has_g();
  case AttributeProto::TYPE_PROTO:
    return proto.has_tp();
  case AttributeProto::SPARSE_TENSOR:
    return proto.has_sparse_tensor();
  case AttributeProto::FLOAT:
    return proto.has_f() || kindHeld(proto) == AttributeProto::UNDEFINED;
  case AttributeProto::INT:
    return proto.has_i() || kindHeld(proto) == AttributeProto::UNDEFINED;
  case AttributeProto::STRING:
    return proto.has_s() || kindHeld(proto) == AttributeProto::UNDEFINED;
  case AttributeProto::FLOATS:
    return proto.floats_size() || kindHeld(proto) == AttributeProto::UNDEFINED;
  case AttributeProto::INTS:
    return proto.ints_size() || kindHeld(proto) == AttributeProto::UNDEFINED;
  case AttributeProto::STRINGS:
    return proto.strings_size() || kindHeld(proto) == AttributeProto::UNDEFINED;
  default:
    return true;
  }
}

/// The kind that an attribute of the dialect stands for.
static AttributeProto::AttributeType kindOf(Attribute attribute) {
  if (isa<IntegerAttr>(attribute))
    return AttributeProto::INT;
  if (isa<FloatAttr>(attribute))
    return AttributeProto::FLOAT;
  if (isa<StringAttr>(attribute))
    return AttributeProto::STRING;
  if (isa<DenseI64ArrayAttr>(attribute))
    return AttributeProto::INTS;
  if (isa<DenseF32ArrayAttr>(attribute))
    return AttributeProto::FLOATS;
  if (isa<ArrayAttr>(attribute))
    return AttributeProto::STRINGS;
  if (isa<TypeAttr>(attribute))
    return AttributeProto::TYPE_PROTO;
  return AttributeProto::TENSOR;
}

static std::string nameOf(AttributeProto::AttributeType kind) {
  return StringRef(AttributeProto::AttributeType_Name(kind)).lower();
}

FailureOr<Attribute> GraphImporter::readAttribute(const AttributeProto &proto, Location loc) {
  Builder b(&context);
  switch (kindOf(proto)) {
  case AttributeProto::INT:
    return Attribute(b.getI64IntegerAttr(proto.i()));
  case AttributeProto::FLOAT:
    return Attribute(b.getF32FloatAttr(proto.f()));
  case AttributeProto::STRING:
    return Attribute(b.getStringAttr(proto.s()));
  case AttributeProto::INTS:
    return Attribute(b.getDenseI64ArrayAttr(ArrayRef<int64_t>(proto.ints().data(), proto.ints_size())));
  case AttributeProto::FLOATS:
    return Attribute(b.getDenseF32ArrayAttr(ArrayRef<float>(proto.floats().data(), proto.floats_size())));
  case AttributeProto::STRINGS:
    return Attribute(b.getStrArrayAttr(SmallVector<StringRef>(proto.strings().begin(), proto.strings().end())));
  case AttributeProto::TENSOR: {
    FailureOr<ElementsAttr> value = tensors.read(proto.t(), loc);
    return failed(value) ? FailureOr<Attribute>() : Attribute(*value);
  }
  case AttributeProto::SPARSE_TENSOR: {
    FailureOr<ElementsAttr> value = tensors.read(proto.sparse_tensor(), loc);
    return failed(value) ? FailureOr<Attribute>() : Attribute(*value);
  }
  case AttributeProto::TYPE_PROTO: {
    FailureOr<NamedType> type = importType(proto.tp(), loc, "attribute '" + proto.name() + "'");
    return failed(type) ? FailureOr<Attribute>() : Attribute(TypeAttr::get(type->type));
  }
  default:
    return emitError(loc) << "attribute '" << proto.name()
                          << "' is of a kind that no operator has: " << nameOf(kindOf(proto));
  }
}

FailureOr<Arguments> GraphImporter::readAttributes(const NodeProto &proto, const Scope &scope, Location loc) {
  Arguments result;
  for (const AttributeProto &attribute : proto.attribute()) {
    const std::string &name = attribute.name();
    if (StringRef(name).starts_with("__"))
      continue; // some tool's own
    if (name.empty())
      return emitError(loc) << "operator '" << proto.op_type() << "' has an attribute without a name";
    if (result.values.get(name) || result.graphs.count(name))
      return emitError(loc) << "operator '" << proto.op_type() << "' has attribute '" << name << "' twice";
    if (const std::string &referred = attribute.ref_attr_name(); !referred.empty()) {
      if (!scope.call)
        return emitError(loc) << "attribute '" << name << "' refers to attribute '" << referred
                              << "' of a function, but is not inside of one";
      // What the caller leaves out, the node has not either.
      if (Attribute value = scope.call->values.get(referred))
        result.values.set(name, value);
      else if (auto graph = scope.call->graphs.find(referred); graph != scope.call->graphs.end())
        result.graphs[name] = graph->second;
      continue;
    }
    if (!holdsItsKind(attribute))
      return emitError(loc) << "operator '" << proto.op_type() << "' has attribute '" << name << "' of kind "
                            << nameOf(attribute.type()) << ", which holds "
                            << (kindHeld(attribute) == AttributeProto::UNDEFINED ? "nothing"
                                                                                 : nameOf(kindHeld(attribute)));
    if (kindOf(attribute) == AttributeProto::GRAPH) {
      result.graphs[name] = &attribute.g();
      continue;
    }
    if (kindOf(attribute) == AttributeProto::UNDEFINED)
      continue; // an empty list of a file without kinds
    FailureOr<Attribute> value = readAttribute(attribute, loc);
    if (failed(value))
      return failure();
    result.values.set(name, *value);
  }
  return result;
}

/// Constants come in eight forms, of which the dialect has one.
static void unifyConstant(onnx::Node &node) {
  Builder b(node.builder.getContext());
  auto set = [&](StringRef name, auto make) {
    if (Attribute given = node.attributes.erase(name))
      node.attributes.set("value", make(given));
  };
  auto scalar = [](Type element, Attribute value) {
    return DenseElementsAttr::get(RankedTensorType::get({}, element), value);
  };
  auto list = [](Type element, auto values) {
    return DenseElementsAttr::get(RankedTensorType::get({(int64_t)values.size()}, element), values);
  };
  Type string = onnx::StringType::get(b.getContext());
  set("sparse_value", [&](Attribute value) { return value; }); // read densely
  set("value_int", [&](Attribute value) { return scalar(b.getI64Type(), value); });
  set("value_float", [&](Attribute value) { return scalar(b.getF32Type(), value); });
  set("value_string", [&](Attribute value) {
    return DenseElementsAttr::get(RankedTensorType::get({}, string), ArrayRef(cast<StringAttr>(value).getValue()));
  });
  set("value_ints", [&](Attribute value) { return list(b.getI64Type(), cast<DenseI64ArrayAttr>(value).asArrayRef()); });
  set("value_floats",
      [&](Attribute value) { return list(b.getF32Type(), cast<DenseF32ArrayAttr>(value).asArrayRef()); });
  set("value_strings", [&](Attribute value) {
    auto text = [](Attribute element) { return cast<StringAttr>(element).getValue(); };
    return list(string, ArrayRef<StringRef>(llvm::map_to_vector(cast<ArrayAttr>(value), text)));
  });
}

/// Some writers give a number where an operator has a tensor of one.
static void wrapNumbers(onnx::Node &node, const OpSchema &schema) {
  Builder b(node.builder.getContext());
  for (const auto &[name, attribute] : schema.attributes()) {
    Attribute given = attribute.type == AttributeProto::TENSOR ? node.attributes.get(name) : Attribute();
    if (!isa_and_present<IntegerAttr, FloatAttr>(given))
      continue;
    Type element = isa<FloatAttr>(given) ? Type(b.getF32Type()) : Type(b.getI64Type());
    node.attributes.set(name, DenseElementsAttr::get(RankedTensorType::get({1}, element), given));
  }
}

//===-- Checks -----------------------------------------------------------------===//

/// Whether a node has only attributes that its schema, or a later one, knows, and of the right kinds. An operator that
/// a domain does not have in the model's opset, or that is there under another name, is judged by `pinned` after its
/// upgrade.
static LogicalResult checkAttributes(const onnx::Node &node, const Graphs &graphs, const OpSchema *schema,
                                     const OpSchema *pinned) {
  auto check = [&](StringRef name, AttributeProto::AttributeType kind) -> LogicalResult {
    const OpSchema *owner = nullptr;
    for (const OpSchema *candidate : {pinned, schema})
      if (candidate && candidate->attributes().count(name.str()))
        owner = candidate;
    if (!owner)
      return node.emitError() << "has no attribute '" << name << "'";
    AttributeProto::AttributeType expected = owner->attributes().at(name.str()).type;
    if (expected == kind || (expected == AttributeProto::SPARSE_TENSOR && kind == AttributeProto::TENSOR))
      return success();
    return node.emitError() << "expects attribute '" << name << "' to be of kind " << nameOf(expected) << ", got "
                            << nameOf(kind);
  };
  for (NamedAttribute attribute : node.attributes)
    if (failed(check(attribute.getName(), kindOf(attribute.getValue()))))
      return failure();
  for (const auto &[name, graph] : graphs)
    if (failed(check(name, AttributeProto::GRAPH)))
      return failure();
  return success();
}

/// Graphs are missed where they become regions.
static LogicalResult checkRequired(const onnx::Node &node, const OpSchema &schema) {
  for (const OpSchema::Attribute *attribute : onnx::sortedAttributes(schema))
    if (attribute->required && attribute->type != AttributeProto::GRAPH && !node.attributes.get(attribute->name))
      return node.emitError() << "expects attribute '" << attribute->name << "' of kind " << nameOf(attribute->type);
  return success();
}

static LogicalResult checkOperands(const onnx::Node &node, const OpSchema &schema) {
  const auto &inputs = schema.inputs();
  bool isOpen = !inputs.empty() && inputs.back().GetOption() == OpSchema::Variadic;
  if (node.operands.size() > inputs.size() && !isOpen)
    return node.emitError() << "expects at most " << inputs.size() << " operands, got " << node.operands.size();
  for (auto [i, input] : llvm::enumerate(inputs)) {
    unsigned least = input.GetOption() == OpSchema::Single     ? 1
                     : input.GetOption() == OpSchema::Variadic ? input.GetMinArity()
                                                               : 0;
    for (unsigned at = i; at < i + least; ++at)
      if (!node.operand(at))
        return node.emitError() << "expects operand " << at << ", '" << input.GetName() << "'";
  }
  for (unsigned at = inputs.size(); at < node.operands.size(); ++at)
    if (!node.operands[at])
      return node.emitError() << "expects operand " << at << ", one of '" << inputs.back().GetName() << "'";
  return success();
}

static LogicalResult checkResults(const onnx::Node &node, const OpSchema &schema) {
  const auto &outputs = schema.outputs();
  bool isOpen = !outputs.empty() && outputs.back().GetOption() == OpSchema::Variadic;
  size_t used = node.results.size();
  while (used > 0 && !node.results[used - 1])
    --used;
  if (used > outputs.size() && !isOpen)
    return node.emitError() << "has at most " << outputs.size() << " results, got a name for number " << used - 1;
  return success();
}

//===-- Upgrade ----------------------------------------------------------------===//

static std::string knownDomains() {
  std::string text;
  for (const onnx::Domain &domain : onnx::domains()) {
    text += (text.empty() ? "" : ", ") + (domain.name.empty() ? "ai.onnx" : domain.name);
    if (!domain.isDeclared)
      text += " up to opset " + std::to_string(domain.opset);
  }
  return text;
}

/// How an operator comes to be known.
static constexpr StringLiteral adviceToDeclare = "; --ops=FILE adds operators";

/// Applies the upgrade rules of the opsets between the model's and the pinned one, in order. A rule may turn the node
/// into another operator, whose rules then go on from there.
static LogicalResult upgrade(onnx::Node &node) {
  int64_t reached = node.opset;
  while (const onnx::Domain *domain = onnx::findDomain(node.domain.str())) {
    const onnx::Rule *rule = onnx::allRules().find(onnx::operationName(node.type, *domain));
    if (!rule)
      return success();
    auto next = llvm::find_if(rule->upgrades, [&](const auto &step) { return step.first > reached; });
    if (next == rule->upgrades.end())
      return success();
    reached = next->first;
    if (failed(next->second(node)))
      return failure();
  }
  return success();
}

//===-- Graph attributes ---------------------------------------------------------===//

/// The type of a counter or condition: rank 0, unless the body declares rank 1, as some exporters do.
static Type oneElement(const ::onnx::ValueInfoProto &declared, Type element) {
  bool isList = declared.type().tensor_type().shape().dim_size() == 1;
  return RankedTensorType::get(isList ? ArrayRef<int64_t>(1) : ArrayRef<int64_t>(), element);
}

/// The types of the arguments that a node gives to its graph attribute; extents may change from one iteration to the
/// next.
static SmallVector<Type> argumentTypes(const onnx::Node &node, const GraphProto &graph) {
  auto typeOf = [](Value value) { return onnx::withoutShape(value.getType()); };
  SmallVector<Type> types;
  if (node.type == "Scan")
    llvm::append_range(types, llvm::map_range(node.operands, typeOf));
  if (node.type == "Loop") {
    Builder b(node.builder.getContext());
    auto declared = [&](int i) { return i < graph.input_size() ? graph.input(i) : ::onnx::ValueInfoProto(); };
    types = {oneElement(declared(0), b.getI64Type()), oneElement(declared(1), b.getI1Type())};
    llvm::append_range(
        types, llvm::map_range(llvm::drop_begin(node.operands, std::min<size_t>(2, node.operands.size())), typeOf));
  }
  return types;
}

FailureOr<std::unique_ptr<Region>> GraphImporter::importRegion(const onnx::Node &node, const GraphProto &graph,
                                                               Scope &scope) {
  SmallVector<Type> types = argumentTypes(node, graph);
  if ((int)types.size() != graph.input_size())
    return node.emitError() << "gives " << types.size() << " values to its graph '" << graph.name() << "', which takes "
                            << graph.input_size();
  auto region = std::make_unique<Region>();
  Block &block = region->emplaceBlock();
  Scope inner{&scope, {}, scope.opsets, scope.call, scope.prefix, scope.calls};
  for (auto [input, type] : llvm::zip_equal(graph.input(), types)) {
    Location loc = location(input.name());
    if (failed(define(input.name(), block.addArgument(type, loc), inner, loc)))
      return failure();
  }
  ImplicitLocOpBuilder builder(node.builder.getLoc(), &context);
  builder.setInsertionPointToEnd(&block);
  FailureOr<Values> outputs = importGraph(graph, inner, builder);
  if (failed(outputs))
    return failure();
  if (node.type == "Loop" && outputs->empty())
    return node.emitError() << "expects its graph '" << graph.name() << "' to give a condition, got no outputs";
  onnx::YieldOp::create(builder, *outputs);
  return region;
}

FailureOr<GraphImporter::Regions> GraphImporter::importRegions(const onnx::Node &node, const OpSchema &schema,
                                                               const Graphs &graphs, Scope &scope) {
  Regions regions;
  for (const OpSchema::Attribute *attribute : onnx::sortedAttributes(schema)) {
    if (attribute->type != AttributeProto::GRAPH)
      continue;
    auto graph = graphs.find(attribute->name);
    if (graph == graphs.end())
      return node.emitError() << "expects a graph '" << attribute->name << "'";
    FailureOr<std::unique_ptr<Region>> region = importRegion(node, *graph->second, scope);
    if (failed(region))
      return failure();
    regions.push_back(std::move(*region));
  }
  return regions;
}

//===-- The operation ------------------------------------------------------------===//

namespace {
/// How the operands or results of a node are distributed over the formal parameters of its schema.
struct Segments {
  SmallVector<int32_t> sizes;
  SmallVector<int> items; ///< the numbers of those that the operation has
  bool areNeeded;         ///< whether the sizes do not follow from the number of items
};
} // namespace

/// `isThere(i)`: whether item `i` of `count` is present; one that is required always is.
static Segments distribute(const std::vector<OpSchema::FormalParameter> &parameters, unsigned count,
                           llvm::function_ref<bool(unsigned)> isThere) {
  Segments segments;
  int open = 0;
  for (auto [i, parameter] : llvm::enumerate(parameters)) {
    unsigned end = parameter.GetOption() == OpSchema::Variadic ? std::max<unsigned>(count, i) : i + 1;
    open += parameter.GetOption() != OpSchema::Single;
    unsigned before = segments.items.size();
    for (unsigned item = i; item < end; ++item)
      if (parameter.GetOption() != OpSchema::Optional || isThere(item))
        segments.items.push_back(item);
    segments.sizes.push_back(segments.items.size() - before);
  }
  segments.areNeeded = open > 1;
  return segments;
}

/// A node of a declared operator, with a value for each of its attributes.
FailureOr<Values> GraphImporter::createCustom(onnx::Node &node, const OpSchema &schema, const onnx::Domain &domain) {
  Builder b(&context);
  for (const auto &[name, attribute] : schema.attributes())
    if (attribute.default_value.has_type() && !node.attributes.get(name)) {
      FailureOr<Attribute> value = readAttribute(attribute.default_value, node.builder.getLoc());
      if (failed(value))
        return failure();
      node.attributes.set(name, *value);
    }
  Values operands;
  SmallVector<int64_t> absent;
  for (unsigned place = 0; place < schema.inputs().size(); ++place) {
    if (Value operand = node.operand(place))
      operands.push_back(operand);
    else
      absent.push_back(place);
  }
  SmallVector<Type> types;
  for (unsigned i = 0; i < schema.outputs().size(); ++i) {
    FailureOr<Type> type = resultType(node, schema, i, {});
    if (failed(type))
      return failure();
    types.push_back(*type);
  }
  std::string name = StringRef(onnx::operationName(node.type, domain)).drop_front(strlen("onnx.")).str();
  auto op = onnx::CustomOp::create(node.builder, node.builder.getLoc(), types, operands, b.getStringAttr(name),
                                   node.attributes.getDictionary(&context),
                                   absent.empty() ? DenseI64ArrayAttr() : b.getDenseI64ArrayAttr(absent));
  Values values(op.getResults());
  values.resize(node.results.size());
  return values;
}

FailureOr<Values> GraphImporter::createOperation(onnx::Node &node, const OpSchema &schema, Regions regions) {
  // What a graph yields, the operation has, even if the model gives names to the first few only.
  if (!regions.empty()) {
    size_t yielded = regions.front()->front().getTerminator()->getNumOperands() - (node.type == "Loop");
    node.results.resize(std::max(node.results.size(), yielded));
  }
  OperationState state(node.builder.getLoc(), onnx::operationName(node.type, *onnx::findDomain(node.domain.str())));
  Segments operands =
      distribute(schema.inputs(), node.operands.size(), [&](unsigned i) { return (bool)node.operand(i); });
  for (int item : operands.items)
    state.addOperands(node.operands[item]);
  Segments results = distribute(schema.outputs(), node.results.size(),
                                [&](unsigned i) { return i < node.results.size() && node.results[i]; });
  for (int item : results.items) {
    FailureOr<Type> type = resultType(node, schema, item, regions);
    if (failed(type))
      return failure();
    state.addTypes(*type);
  }
  ArrayRef<StringAttr> known = state.name.getAttributeNames();
  for (NamedAttribute attribute : node.attributes) {
    // Where MLIR has taken a name for its own accessor, the generator has added a word.
    StringAttr name = attribute.getName();
    if (!llvm::is_contained(known, name))
      name = StringAttr::get(&context, name.getValue() + "Value");
    state.addAttribute(name, attribute.getValue());
  }
  if (operands.areNeeded)
    state.addAttribute("operandSegmentSizes", node.builder.getDenseI32ArrayAttr(operands.sizes));
  if (results.areNeeded)
    state.addAttribute("resultSegmentSizes", node.builder.getDenseI32ArrayAttr(results.sizes));
  for (std::unique_ptr<Region> &region : regions)
    state.addRegion(std::move(region));

  Operation *op = node.builder.create(state);
  Values values(node.results.size());
  for (auto [item, value] : llvm::zip_equal(results.items, op->getResults()))
    if (item < (int)values.size())
      values[item] = value;
  return values;
}

/// Scan of opset 8 runs over a batch, axis 0 of all operands and results: a scan over the batch, of one over the axis
/// behind it.
FailureOr<Values> GraphImporter::createBatchedScan(onnx::Node &node, const OpSchema &schema, Regions regions) {
  auto region = std::make_unique<Region>();
  Block &block = region->emplaceBlock();
  for (Value operand : node.operands)
    block.addArgument(onnx::withoutShape(operand.getType()), node.builder.getLoc());
  ImplicitLocOpBuilder inside(node.builder.getLoc(), &context);
  inside.setInsertionPointToEnd(&block);
  onnx::Node inner{node.domain,     node.type,    node.opset, Values(block.getArguments()),
                   node.attributes, node.results, inside};
  FailureOr<Values> values = createOperation(inner, schema, std::move(regions));
  if (failed(values))
    return failure();
  // A result that has no name is one all the same.
  onnx::YieldOp::create(inside, block.back().getResults());
  node.attributes = {};
  node.setInteger("num_scan_inputs", node.operands.size());
  Regions outer;
  outer.push_back(std::move(region));
  return createOperation(node, schema, std::move(outer));
}

//===-- From a message to values ----------------------------------------------------===//

FailureOr<Values> GraphImporter::importOperator(onnx::Node &node, const Graphs &graphs, Scope &scope) {
  const onnx::Domain *domain = onnx::findDomain(node.domain.str());
  if (!domain)
    return node.emitError() << "is of a domain that mlc does not know; it knows " << knownDomains() << adviceToDeclare;
  if (node.opset > domain->opset)
    return node.emitError() << "is of a newer opset than mlc knows; it knows " << knownDomains();
  const OpSchema *former = onnx::schemaOf(node.type, *domain, node.opset);
  const OpSchema *pinned = onnx::pinnedSchema(node.type, *domain);
  node.attributes.erase("consumed_inputs"); // which all operators had once, without a meaning
  if (pinned && node.type != "Constant")
    wrapNumbers(node, *pinned);
  if ((former || pinned) && failed(checkAttributes(node, graphs, former, pinned)))
    return failure();
  if (node.type == "Constant" && node.domain.empty()) {
    if (node.attributes.getAttrs().size() != 1)
      return node.emitError() << "expects one attribute that holds its value, got "
                              << node.attributes.getAttrs().size();
    unifyConstant(node);
  }

  if (failed(upgrade(node)))
    return failure();
  domain = onnx::findDomain(node.domain.str());
  pinned = onnx::pinnedSchema(node.type, *domain);
  if (!pinned)
    return node.emitError() << "is not known; mlc knows " << knownDomains()
                            << ", and removed operators where it can say them otherwise" << adviceToDeclare;
  if (failed(checkAttributes(node, graphs, nullptr, pinned)) || failed(checkRequired(node, *pinned)) ||
      failed(checkOperands(node, *pinned)) || failed(checkResults(node, *pinned)))
    return failure();

  if (onnx::isDeclared(node.type, *domain))
    return createCustom(node, *pinned, *domain);
  const onnx::Rule *rule = onnx::allRules().find(onnx::operationName(node.type, *domain));
  std::string unknownForm;
  if (!rule || !rule->lower || rule->expands) {
    FailureOr<std::optional<Values>> expansion = expand(node, *pinned, graphs, scope, unknownForm);
    if (failed(expansion))
      return failure();
    if (*expansion)
      return std::move(**expansion);
  }
  bool isBatchedScan = node.type == "Scan" && node.domain.empty() && node.opset < 9;
  FailureOr<Regions> regions = importRegions(node, *pinned, graphs, scope);
  if (succeeded(regions) && isBatchedScan)
    return createBatchedScan(node, *pinned, std::move(*regions));
  FailureOr<Values> results =
      failed(regions) ? FailureOr<Values>() : createOperation(node, *pinned, std::move(*regions));
  if (succeeded(results) && !unknownForm.empty())
    onnx::noteUnknownForm(*std::prev(node.builder.getInsertionPoint()), unknownForm);
  return results;
}

FailureOr<Values> GraphImporter::importNode(const NodeProto &proto, Scope &scope, ImplicitLocOpBuilder &builder) {
  Location loc = builder.getLoc();
  if (proto.op_type().empty())
    return emitError(loc) << "names no operator";
  Values operands;
  for (const std::string &name : proto.input()) {
    std::optional<Value> value = name.empty() ? Value() : scope.find(name);
    if (!value)
      return emitError(loc) << "operator '" << proto.op_type() << "' reads '" << name
                            << "', which no node, input or initializer defines";
    operands.push_back(*value);
  }
  while (!operands.empty() && !operands.back())
    operands.pop_back();
  FailureOr<Arguments> attributes = readAttributes(proto, scope, loc);
  if (failed(attributes))
    return failure();
  if (const ::onnx::FunctionProto *function = findFunction(proto))
    return callOfModel(*function, operands, std::move(*attributes), scope, builder);

  StringRef domain = proto.domain() == "ai.onnx" ? StringRef() : StringRef(proto.domain());
  auto opset = scope.opsets.find(domain);
  onnx::Node node{domain,
                  proto.op_type(),
                  opset == scope.opsets.end() ? 0 : opset->second,
                  std::move(operands),
                  std::move(attributes->values),
                  {},
                  builder};
  for (const std::string &name : proto.output())
    node.results.push_back(!name.empty());
  bool isOfFunctions =
      llvm::any_of(model.functions(), [&](const auto &function) { return function.domain() == proto.domain(); });
  if (isOfFunctions && !onnx::findDomain(domain.str()))
    return emitError(loc) << "calls function '" << proto.op_type() << "' of " << domain
                          << ", which the model lacks: it has other functions of that domain";
  if (node.opset < 1)
    return node.emitError() << "is of a domain whose opset the model does not say";
  return importOperator(node, attributes->graphs, scope);
}

} // namespace mlc::importer
