// mlc ops: the operators of ONNX, and what mlc has for each.
#include "CodegenOptions.h"
#include "Coverage.h"
#include "Verbs.h"
#include "onnx/Rules.h"
#include "onnx/Schemas.h"
#include "support/Table.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include <onnx/defs/function.h>

using namespace llvm;

namespace mlc {

namespace {
/// How an operator is lowered.
enum class Support {
  None,
  Rule,     ///< by a rule of mlc
  Function, ///< by the body that its schema defines, all operators of which are supported
  Forms     ///< the same, by a body that its schema builds for a node's form; the plainest form is supported
};

struct Operator {
  std::string domain, name;
  std::vector<int> versions; ///< the opsets that changed it, ascending; all are read
  bool infersShapes;
  Support support;
  std::vector<std::string> missing; ///< what the body of an unsupported one needs

  int since() const { return versions.back(); }
  std::string qualifiedName() const { return (domain.empty() ? "" : domain + ".") + name; }
};

/// A node in the plainest form that a schema allows: what must be there is, attributes are the default, and tensors are
/// of float where that is allowed.
class PlainNode : public ::onnx::FunctionBodyBuildContext {
public:
  explicit PlainNode(const ::onnx::OpSchema &schema) : schema(schema) {
    for (const auto &input : schema.inputs()) {
      ::onnx::DataType chosen = nullptr;
      for (::onnx::DataType type : input.GetTypes())
        if (!chosen || *type == "tensor(float)")
          chosen = type;
      types.push_back(chosen ? ::onnx::Utils::DataTypeUtils::ToTypeProto(chosen) : ::onnx::TypeProto());
    }
  }
  const ::onnx::AttributeProto *getAttribute(const std::string &name) const override {
    auto found = schema.attributes().find(name);
    bool hasDefault = found != schema.attributes().end() && found->second.default_value.has_type();
    return hasDefault ? &found->second.default_value : nullptr;
  }
  bool hasInput(int index) const override { return isSingle(schema.inputs(), index); }
  bool hasOutput(int index) const override { return isSingle(schema.outputs(), index); }
  const ::onnx::TypeProto *getInputType(int index) const override { return hasInput(index) ? &types[index] : nullptr; }

private:
  const ::onnx::OpSchema &schema;
  std::vector<::onnx::TypeProto> types;

  static bool isSingle(ArrayRef<::onnx::OpSchema::FormalParameter> ports, int index) {
    return index < (int)ports.size() && ports[index].GetOption() != ::onnx::OpSchema::Optional;
  }
};
} // namespace

/// The opsets in which a schema begins, up to the pinned one.
static std::vector<int> versionsOf(const ::onnx::OpSchema &pinned, const onnx::Domain &domain) {
  std::vector<int> versions;
  for (int opset = pinned.SinceVersion(); opset > 0; opset = versions.back() - 1) {
    const ::onnx::OpSchema *schema = onnx::schemaOf(pinned.Name(), domain, opset);
    if (!schema)
      break;
    versions.push_back(schema->SinceVersion());
  }
  std::reverse(versions.begin(), versions.end());
  return versions;
}

namespace {
/// Looks operators up, through bodies of functions.
class Survey {
public:
  Operator operator()(const ::onnx::OpSchema &schema, const onnx::Domain &domain) {
    const onnx::Rule *rule = onnx::allRules().find(onnx::operationName(schema.Name(), domain));
    Operator result{domain.name, schema.Name(), versionsOf(schema, domain), rule && rule->shape, Support::None, {}};
    if (rule && rule->lower && !rule->expands) {
      result.support = Support::Rule;
      return result;
    }
    StringSet<> missing;
    result.support = bodyOf(schema, missing);
    for (const auto &entry : missing)
      result.missing.push_back(entry.first().str());
    llvm::sort(result.missing);
    return result;
  }

private:
  Support bodyOf(const ::onnx::OpSchema &schema, StringSet<> &missing) {
    Support support = Support::None;
    if (schema.HasFunction()) {
      support = Support::Function;
      addMissing(schema.GetFunction()->node(), missing);
    } else if (schema.HasContextDependentFunction()) {
      support = Support::Forms;
      try {
        ::onnx::FunctionProto body;
        if (schema.BuildContextDependentFunction(PlainNode(schema), body))
          addMissing(body.node(), missing);
      } catch (const std::exception &) {
        // It has a body for other forms only.
      }
    }
    return missing.empty() ? support : Support::None;
  }

  void addMissing(const google::protobuf::RepeatedPtrField<::onnx::NodeProto> &nodes, StringSet<> &missing) {
    for (const ::onnx::NodeProto &node : nodes) {
      const onnx::Domain *domain = onnx::findDomain(node.domain());
      const ::onnx::OpSchema *schema = domain ? onnx::pinnedSchema(node.op_type(), *domain) : nullptr;
      if (!schema || (node.op_type() != "Constant" && (*this)(*schema, *domain).support == Support::None))
        missing.insert(node.op_type());
      for (const ::onnx::AttributeProto &attribute : node.attribute())
        addMissing(attribute.g().node(), missing);
    }
  }
};
} // namespace

static StringRef wordFor(Support support) {
  switch (support) {
  case Support::None:
    return "-";
  case Support::Rule:
    return "rule";
  case Support::Function:
    return "function";
  case Support::Forms:
    return "function of the form";
  }
  llvm_unreachable("all are above");
}

static std::vector<Operator> allOperators() {
  std::vector<Operator> operators;
  for (const onnx::Domain &domain : onnx::domains())
    for (const ::onnx::OpSchema *schema : onnx::pinnedSchemas(domain))
      operators.push_back(Survey()(*schema, domain));
  return operators;
}

static json::Value toJson(ArrayRef<Operator> operators) {
  json::Array list;
  for (const Operator &op : operators) {
    json::Object object{{"domain", op.domain.empty() ? "ai.onnx" : op.domain},
                        {"name", op.name},
                        {"since", op.since()},
                        {"opsets", json::Array(op.versions)},
                        {"infersShapes", op.infersShapes},
                        {"supported", op.support != Support::None}};
    if (op.support != Support::None)
      object["loweredBy"] = wordFor(op.support);
    if (!op.missing.empty())
      object["missing"] = json::Array(op.missing);
    json::Object tested;
    for (const Coverage &part : coverageOf(op.qualifiedName())) {
      json::Object *of = tested.getObject(part.target);
      if (!of)
        of = tested.try_emplace(part.target, json::Object()).first->second.getAsObject();
      (*of)[part.type] = json::Object{{"passed", part.passed}, {"all", part.all}};
    }
    object["tested"] = std::move(tested);
    list.push_back(std::move(object));
  }
  json::Object opsets;
  for (const onnx::Domain &domain : onnx::domains())
    if (!domain.isDeclared)
      opsets[domain.name.empty() ? "ai.onnx" : domain.name] = domain.opset;
  return json::Object{{"opsets", std::move(opsets)}, {"operators", std::move(list)}};
}

Error runOps(CommandLine &line) {
  bool asJson = false, missing = false;
  line.flag("json", asJson, "print JSON, with opsets, tests passed by element type, what unsupported ones lack");
  addExtensionOptions(line);
  line.flag("missing", missing, "only operators that cannot be lowered");
  line.explain(
      "Columns: the operator with its domain; the opset of its newest definition; whether shapes of its\n"
      "results are inferred; how many cases of the test suites pass, of how many, on this kind of machine; and\n"
      "how it is lowered: by a rule of mlc, by the function that its schema defines, or by functions for those forms\n"
      "of a node that its schema knows.");
  if (Error error = line.parse())
    return error;

  std::vector<Operator> operators = allOperators();
  size_t all = operators.size(), lowered = count_if(operators, [](auto &op) { return op.support != Support::None; });
  if (missing)
    erase_if(operators, [](const Operator &op) { return op.support != Support::None; });
  if (asJson) {
    outs() << formatv("{0:2}\n", toJson(operators));
    return Error::success();
  }
  using enum Table::Align;
  Table table({Left, Right, Left, Right, Left}, {"operator", "since", "shape", "tests", "lowered by"});
  for (const Operator &op : operators)
    table.row({op.qualifiedName(), std::to_string(op.since()), op.infersShapes ? "yes" : "-",
               testsPassed(op.qualifiedName(), hostTargetName()), wordFor(op.support).str()});
  table.print(outs());
  outs() << lowered << " of " << all << " operators can be lowered.\n";
  return Error::success();
}

} // namespace mlc
