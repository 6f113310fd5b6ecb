#include "extend/FunctionOperator.h"
#include "extend/ExtentText.h"
#include "mlc/Mlc.h"
#include "onnx/NodeText.h"
#include "onnx/Schemas.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace mlc {

std::pair<onnx::RuleOf<onnx::Custom>, onnx::Rule *> addRuleOf(const onnx::Declaration &declaration) {
  std::string operation = onnx::operationName(declaration.name, *onnx::findDomain(declaration.domain));
  onnx::Rules &rules = onnx::rulesToExtend();
  onnx::RuleOf<onnx::Custom> rule = rules.custom(StringRef(operation).drop_front(strlen("onnx.")));
  return {rule, &rule.get()};
}

std::string problemOfFunctionName(StringRef function) {
  bool isName =
      !function.empty() && !isDigit(function[0]) && all_of(function, [](char c) { return isAlnum(c) || c == '_'; });
  if (!isName)
    return ("expects the name of a C function, got '" + function + "'").str();
  if (function.starts_with("mlc_") || function == graphFunctionName)
    return ("cannot call a function of the name '" + function + "', which is mlc's own").str();
  return "";
}

//===-- Rules ----------------------------------------------------------------------===//

FailureOr<SmallVector<mlir::Value>> lowerToFunction(onnx::Custom op, StringRef function, onnx::Lowering &l) {
  SmallVector<mlir::Value> inputs, inits;
  SmallVector<int32_t> types;
  auto typeOf = [&](mlir::Value value) { return int32_t(onnx::elementTypeNumber(onnx::Lowering::element(value))); };
  for (unsigned i = 0; i < op.operandCount(); ++i) {
    mlir::Value operand = op.operand(i);
    types.push_back(operand ? typeOf(operand) : 0);
    if (operand)
      inputs.push_back(l(operand));
  }
  for (mlir::Value result : op->getResults()) {
    l.checkExtents(l.known.extents(result));
    inits.push_back(l.empty(result));
    types.push_back(typeOf(result));
  }
  auto call = ExternalOp::create(l.b, l.loc(), mlir::TypeRange(mlir::ValueRange(inits)), l.b.getStringAttr(function),
                                 l.b.getStringAttr(onnx::nodeText(op)), l.b.getDenseI32ArrayAttr(types),
                                 op.attributes(), inputs, inits);
  return SmallVector<mlir::Value>(call.getResults());
}

namespace {
/// The extents of one result.
struct ResultExtents {
  std::vector<std::pair<unsigned, std::string>> broadcast; ///< inputs whose common extents they are, or...
  std::vector<ExtentText> list;                            ///< ...each of them

  FailureOr<onnx::Extents> of(onnx::Custom op, onnx::Known &known) const {
    std::optional<onnx::Extents> extents;
    for (const auto &[input, name] : broadcast) {
      mlir::Value operand = op.operand(input);
      if (!operand)
        return op->emitOpError("expects input '") << name << "', by which the extents of its result are given";
      onnx::Extents own(known.extents(operand));
      extents = extents ? known.math.broadcast(*extents, own) : own;
      if (!extents)
        return op->emitOpError("expects inputs whose extents broadcast, which those of '") << name << "' do not";
    }
    if (extents)
      return *extents;
    onnx::Extents result;
    for (const ExtentText &text : list) {
      FailureOr<onnx::Extent> extent = text.evaluate(op, known);
      if (failed(extent))
        return failure();
      result.push_back(*extent);
    }
    return result;
  }
};
} // namespace

//===-- Reading ----------------------------------------------------------------------===//

static Error fail(const Twine &text) { return createStringError(text); }

static Error readTexts(const json::Value *value, StringRef key, std::vector<std::string> &into) {
  if (!value)
    return Error::success();
  const json::Array *list = value->getAsArray();
  if (!list)
    return fail("expects a list of texts as '" + key + "'");
  for (const json::Value &element : *list) {
    std::optional<StringRef> text = element.getAsString();
    if (!text)
      return fail("expects a list of texts as '" + key + "'");
    into.push_back(text->str());
  }
  return Error::success();
}

static std::string nameIn(StringRef entry) { return entry.split(':').first.trim().rtrim('?').trim().str(); }

static ExtentNames namesOf(const onnx::Declaration &declaration) {
  ExtentNames names;
  for (const std::string &input : declaration.inputs)
    names.inputs.push_back(nameIn(input));
  for (const std::string &attribute : declaration.attributes)
    if (StringRef(attribute).split(':').second.split('=').first.trim() == "int")
      names.attributes.push_back(nameIn(attribute));
  return names;
}

static Expected<ResultExtents> readExtents(const json::Value &value, const ExtentNames &names, StringRef output) {
  ResultExtents result;
  if (std::optional<StringRef> text = value.getAsString()) {
    StringRef inputs = *text;
    if (inputs.consume_front("broadcast(") && !inputs.consume_back(")"))
      return fail("expects 'broadcast(INPUT, ...)' as the extents of '" + output + "', got '" + *text + "'");
    for (StringRef input : split(inputs, ',')) {
      auto found = llvm::find(names.inputs, input.trim());
      if (found == names.inputs.end())
        return fail("expects inputs as the extents of '" + output + "', got '" + input.trim() + "'");
      result.broadcast.emplace_back(found - names.inputs.begin(), *found);
    }
    return result;
  }
  const json::Array *list = value.getAsArray();
  if (!list)
    return fail("expects an input or a list as the extents of '" + output + "'");
  for (const json::Value &element : *list) {
    std::optional<int64_t> number = element.getAsInteger();
    std::optional<StringRef> text = element.getAsString();
    if (!number && !text)
      return fail("expects numbers and texts as the extents of '" + output + "'");
    Expected<ExtentText> extent = ExtentText::parse(number ? std::to_string(*number) : text->str(), names);
    if (!extent)
      return extent.takeError();
    result.list.push_back(std::move(*extent));
  }
  return result;
}

static Error readTypes(const json::Value *value, onnx::Declaration &declaration) {
  if (!value)
    return Error::success();
  const json::Object *types = value->getAsObject();
  if (!types)
    return fail("expects an object of lists as 'types'");
  for (const auto &[name, list] : *types) {
    onnx::Declaration::TypeVariable &variable = declaration.types.emplace_back();
    variable.name = StringRef(name).str();
    if (Error error = readTexts(&list, "types", variable.types))
      return error;
  }
  return Error::success();
}

static Error declareOne(const json::Object &object) {
  onnx::Declaration declaration;
  std::string function;
  for (auto [key, target] : {std::pair<StringRef, std::string *>("domain", &declaration.domain),
                             {"name", &declaration.name},
                             {"function", &function}}) {
    std::optional<StringRef> text = object.getString(key);
    if (!text || text->empty())
      return fail("expects a text as '" + key + "' of each operator");
    *target = text->str();
  }
  auto inOperator = [&](Error error) {
    return fail("operator '" + declaration.qualifiedName() + "': " + toString(std::move(error)));
  };
  static constexpr StringLiteral keys[] = {"domain",  "name",  "function",   "inputs",
                                           "outputs", "types", "attributes", "extents"};
  for (const auto &[key, value] : object)
    if (!is_contained(keys, StringRef(key)))
      return inOperator(fail("unknown key '" + StringRef(key) + "'; known are " + join(ArrayRef(keys), ", ")));
  for (auto [key, target] : {std::pair<StringRef, std::vector<std::string> *>("inputs", &declaration.inputs),
                             {"outputs", &declaration.outputs},
                             {"attributes", &declaration.attributes}})
    if (Error error = readTexts(object.get(key), key, *target))
      return inOperator(std::move(error));
  if (Error error = readTypes(object.get("types"), declaration))
    return inOperator(std::move(error));
  if (std::string problem = problemOfFunctionName(function); !problem.empty())
    return inOperator(fail(problem));

  const json::Object *extents = object.getObject("extents");
  std::vector<ResultExtents> ofResults;
  ExtentNames names = namesOf(declaration);
  for (const std::string &output : declaration.outputs) {
    const json::Value *given = extents ? extents->get(nameIn(output)) : nullptr;
    if (!given)
      return inOperator(fail("expects the extents of output '" + nameIn(output) + "' in 'extents'"));
    Expected<ResultExtents> read = readExtents(*given, names, nameIn(output));
    if (!read)
      return inOperator(read.takeError());
    ofResults.push_back(std::move(*read));
  }
  if (std::string problem = onnx::declare(declaration); !problem.empty())
    return fail(problem);
  addRuleOf(declaration)
      .first.callsFunction()
      .shape([ofResults](onnx::Custom op, onnx::Known &known) -> FailureOr<SmallVector<onnx::Facts>> {
        SmallVector<onnx::Facts> all;
        for (const ResultExtents &result : ofResults) {
          FailureOr<onnx::Extents> extents = result.of(op, known);
          if (failed(extents))
            return failure();
          all.emplace_back(std::move(*extents));
        }
        return all;
      })
      .lower([function](onnx::Custom op, onnx::Lowering &l) { return lowerToFunction(op, function, l); });
  return Error::success();
}

Error declareFunctionOperators(StringRef text) {
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return fail("is neither a shared library nor JSON: " + toString(value.takeError()));
  const json::Object *object = value->getAsObject();
  const json::Array *operators = object ? object->getArray("operators") : nullptr;
  if (!operators || operators->empty())
    return fail("expects an object with a list 'operators'");
  for (const json::Value &element : *operators) {
    const json::Object *op = element.getAsObject();
    if (!op)
      return fail("expects objects in 'operators'");
    if (Error error = declareOne(*op))
      return error;
  }
  return Error::success();
}

} // namespace mlc
