#include "import/ResultTypes.h"
#include "import/Types.h"
#include "onnx/Schemas.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using ::onnx::OpSchema;

namespace mlc::importer {

namespace {
/// One result of one node.
struct Query {
  const onnx::Node &node;
  const OpSchema &schema;
  unsigned index;
  ArrayRef<std::unique_ptr<Region>> regions;

  MLIRContext *context() const { return node.builder.getContext(); }
  Type operand(unsigned i) const {
    Value value = node.operand(i);
    return value ? onnx::withoutShape(value.getType()) : Type();
  }
  Attribute attribute(StringRef name) const { return node.attributes.get(name); }
  Type tensorOf(Type element) const { return element ? UnrankedTensorType::get(element) : Type(); }
  Type string() const { return tensorOf(onnx::StringType::get(context())); }
  Type int64() const { return tensorOf(IntegerType::get(context(), 64)); }
  Type uint8() const { return tensorOf(IntegerType::get(context(), 8, IntegerType::Unsigned)); }
  Type float32() const { return tensorOf(Float32Type::get(context())); }
};

/// Gives a type, or null where this does not tell; fails, with an error, where the node is wrong.
using Answer = std::function<FailureOr<Type>(const Query &)>;
} // namespace

//===-- Answers that several operators share -----------------------------------------===//

static FailureOr<Type> firstOf(const Query &query, ArrayRef<Answer> answers) {
  for (const Answer &answer : answers)
    if (FailureOr<Type> type = answer(query); failed(type) || *type)
      return type;
  return Type();
}
template <typename... Answers> static Answer either(Answers... answers) {
  return [=](const Query &query) { return firstOf(query, {answers...}); };
}

static Answer operand(unsigned i) {
  return [i](const Query &query) { return query.operand(i); };
}
/// The element type whose number an attribute holds, or holds by default.
static Answer numbered(std::string name) {
  return [name](const Query &query) -> FailureOr<Type> {
    // 0 stands for "not said" where an attribute may be left out.
    if (auto number = dyn_cast_or_null<IntegerAttr>(query.attribute(name)); number && number.getInt() != 0) {
      Type element = onnx::elementType(number.getInt(), query.context());
      if (!element)
        return query.node.emitError() << "expects the number of an element type in attribute '" << name << "', got "
                                      << number.getInt();
      return query.tensorOf(element);
    }
    auto known = query.schema.attributes().find(name);
    int64_t number = known == query.schema.attributes().end() ? 0 : known->second.default_value.i();
    return query.tensorOf(onnx::elementType(number, query.context()));
  };
}
static Answer elementsOf(std::string name) {
  return [name](const Query &query) {
    auto value = dyn_cast_or_null<ElementsAttr>(query.attribute(name));
    return value ? query.tensorOf(value.getElementType()) : Type();
  };
}
/// Classes are named by strings where this attribute has some, otherwise by integers.
static Type labelType(const Query &query, StringRef strings) {
  auto list = dyn_cast_or_null<ArrayAttr>(query.attribute(strings));
  return list && !list.empty() ? query.string() : query.int64();
}
static Answer label(std::string strings) {
  return [strings](const Query &query) { return labelType(query, strings); };
}
static Answer sequence(Answer element) {
  return [element](const Query &query) -> FailureOr<Type> {
    FailureOr<Type> type = element(query);
    if (failed(type) || !*type)
      return type;
    return Type(onnx::SequenceType::get(query.context(), *type));
  };
}
/// What the graph attributes yield behind their first `skipped` values.
static Answer yielded(unsigned skipped) {
  return [skipped](const Query &query) -> Type {
    for (const std::unique_ptr<Region> &region : query.regions) {
      Operation *yield = region->front().getTerminator();
      if (query.index + skipped < yield->getNumOperands())
        return onnx::withoutShape(yield->getOperand(query.index + skipped).getType());
    }
    return {};
  };
}

/// Tensors that an optimizer changes, in groups: behind the rate and the number of the step, each comes with a gradient
/// and `states` states.
static Answer trained(size_t states) {
  return [states](const Query &query) {
    size_t count = (query.node.operands.size() - 2) / (2 + states);
    return count ? query.operand(2 + query.index % count) : Type();
  };
}

static Type float32(const Query &query) { return query.float32(); }
static Type uint8(const Query &query) { return query.uint8(); }

//===-- Operators with an answer of their own ------------------------------------------===//

static Type constant(const Query &query) {
  auto value = dyn_cast_or_null<ElementsAttr>(query.attribute("value"));
  return value ? value.getType() : Type();
}

static Type sequenceElement(const Query &query) {
  auto sequence = dyn_cast_or_null<onnx::SequenceType>(query.operand(0));
  return sequence ? sequence.getElement() : Type();
}

static Type optional(const Query &query) {
  Type element = query.operand(0);
  if (auto type = dyn_cast_or_null<TypeAttr>(query.attribute("type")); type && !element)
    element = onnx::withoutShape(type.getValue());
  return element ? onnx::OptionalType::get(query.context(), element) : Type();
}

static Type optionalElement(const Query &query) {
  Type type = query.operand(0);
  auto optional = dyn_cast_or_null<onnx::OptionalType>(type);
  return optional ? optional.getElement() : type;
}

static Type labelEncoder(const Query &query) {
  if (query.attribute("values_strings"))
    return query.string();
  return query.attribute("values_int64s") ? query.int64() : query.float32();
}

static Type categoryMapper(const Query &query) {
  return query.operand(0) == query.string() ? query.int64() : query.string();
}

static Type castMap(const Query &query) {
  auto word = dyn_cast_or_null<StringAttr>(query.attribute("cast_to"));
  StringRef castTo = word ? word.getValue() : "TO_FLOAT";
  return castTo == "TO_STRING" ? query.string() : castTo == "TO_INT64" ? query.int64() : query.float32();
}

static Type dictVectorizer(const Query &query) {
  auto map = dyn_cast_or_null<onnx::MapType>(query.operand(0));
  return map ? query.tensorOf(map.getValue()) : Type();
}

static Type zipMap(const Query &query) {
  Type key = cast<TensorType>(labelType(query, "classlabels_strings")).getElementType();
  return onnx::SequenceType::get(query.context(),
                                 onnx::MapType::get(query.context(), key, Float32Type::get(query.context())));
}

/// Operators whose schema leaves a result's type variable open.
static const llvm::StringMap<Answer> &specialAnswers() {
  static const llvm::StringMap<Answer> table = {
      {"Adagrad", trained(1)},
      {"Adam", trained(2)},
      {"Bernoulli", either(numbered("dtype"), operand(0))},
      {"BitCast", numbered("to")},
      {"BlackmanWindow", numbered("output_datatype")},
      {"Cast", numbered("to")},
      {"CastMap", castMap},
      {"CategoryMapper", categoryMapper},
      {"ConcatFromSequence", sequenceElement},
      {"Constant", constant},
      {"ConstantOfShape", either(elementsOf("value"), float32)},
      {"DequantizeLinear", either(numbered("output_dtype"), operand(1))},
      {"DictVectorizer", dictVectorizer},
      {"EyeLike", either(numbered("dtype"), operand(0))},
      {"HammingWindow", numbered("output_datatype")},
      {"HannWindow", numbered("output_datatype")},
      {"If", yielded(0)},
      {"LabelEncoder", either(elementsOf("values_tensor"), labelEncoder)},
      {"LayerNormalization", numbered("stash_type")},
      {"LinearAttention", operand(0)},
      {"LinearClassifier", label("classlabels_strings")},
      {"Loop", yielded(1)},
      {"MelWeightMatrix", numbered("output_datatype")},
      {"Momentum", trained(1)},
      {"Multinomial", numbered("dtype")},
      {"Optional", optional},
      {"OptionalGetElement", optionalElement},
      {"QGemm", either(operand(8), float32)},
      {"QuantizeLinear", either(numbered("output_dtype"), uint8)},
      {"RandomNormal", numbered("dtype")},
      {"RandomNormalLike", either(numbered("dtype"), operand(0))},
      {"RandomUniform", numbered("dtype")},
      {"RandomUniformLike", either(numbered("dtype"), operand(0))},
      {"SVMClassifier", label("classlabels_strings")},
      {"Scan", yielded(0)},
      {"SequenceAt", sequenceElement},
      {"SequenceConstruct", sequence(operand(0))},
      {"SequenceEmpty", sequence(either(numbered("dtype"), float32))},
      {"SplitToSequence", sequence(operand(0))},
      {"TreeEnsembleClassifier", label("classlabels_strings")},
      {"ZipMap", zipMap},
  };
  return table;
}

//===-- What the schema says ------------------------------------------------------------===//

/// The type string of a formal parameter that can only be one type.
static std::optional<std::string> onlyType(const OpSchema &schema, const OpSchema::FormalParameter &parameter) {
  if (parameter.GetTypes().size() != 1)
    return std::nullopt;
  return **parameter.GetTypes().begin();
}

/// The type of the first operand that shares a type variable.
static Type boundType(const Query &query, const std::string &variable) {
  const auto &inputs = query.schema.inputs();
  for (unsigned i = 0, count = query.node.operands.size(); i < count && !inputs.empty(); ++i) {
    const OpSchema::FormalParameter &input = inputs[std::min<size_t>(i, inputs.size() - 1)];
    if (input.GetTypeStr() == variable && input.GetIsHomogeneous())
      if (Type type = query.operand(i))
        return type;
  }
  return {};
}

FailureOr<Type> resultType(const onnx::Node &node, const OpSchema &schema, unsigned index,
                           ArrayRef<std::unique_ptr<Region>> regions) {
  Query query{node, schema, index, regions};
  const OpSchema::FormalParameter &output = schema.outputs()[std::min<size_t>(index, schema.outputs().size() - 1)];
  if (std::optional<std::string> only = onlyType(schema, output))
    return importType(*only, query.context());
  if (output.GetIsHomogeneous())
    if (Type type = boundType(query, output.GetTypeStr()))
      return type;
  auto special = specialAnswers().find(schema.Name());
  if (special != specialAnswers().end())
    if (FailureOr<Type> type = special->second(query); failed(type) || *type)
      return type;
  return node.emitError() << "says nothing from which the type of its result '" << output.GetName() << "' follows";
}

} // namespace mlc::importer
