#include "import/Operators.h"
#include "onnx/Rules.h"
#include "onnx/Schemas.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include <onnx/onnx_pb.h>
#include <set>

using ::onnx::ModelProto;
using ::onnx::NodeProto;

namespace mlc {

namespace {
using Nodes = google::protobuf::RepeatedPtrField<NodeProto>;
using Opsets = std::map<std::string, int64_t>;

template <typename Imports> Opsets opsetsOf(const Imports &imports) {
  Opsets opsets;
  for (const auto &entry : imports)
    opsets[entry.domain() == "ai.onnx" ? "" : entry.domain()] = entry.version();
  return opsets;
}

/// As the importer decides it, before it looks at operands and attributes.
std::string problemOf(const NodeProto &node, const std::string &domainName, int64_t opset) {
  const onnx::Domain *domain = onnx::findDomain(domainName);
  if (!domain)
    return "is of a domain that mlc does not know; --ops=FILE adds operators";
  if (opset > domain->opset)
    return "is of opset " + std::to_string(opset) + ", mlc knows opsets up to " + std::to_string(domain->opset);
  const onnx::Rule *rule = onnx::allRules().find(onnx::operationName(node.op_type(), *domain));
  if (onnx::pinnedSchema(node.op_type(), *domain) || (rule && !rule->upgrades.empty()))
    return "";
  return "is not known; --ops=FILE adds operators";
}

class Walk {
public:
  explicit Walk(const ModelProto &model) {
    for (const auto &function : model.functions()) {
      functions.emplace(function.domain(), function.name());
      domainsOfFunctions.insert(function.domain());
    }
    visit(model.graph().node(), opsetsOf(model.opset_import()));
    for (const auto &function : model.functions())
      visit(function.node(), opsetsOf(function.opset_import()));
  }
  llvm::MapVector<std::string, NamedOperator, std::map<std::string, unsigned>> found;

private:
  std::set<std::pair<std::string, std::string>> functions;
  std::set<std::string> domainsOfFunctions;

  void visit(const Nodes &nodes, const Opsets &opsets) {
    for (const NodeProto &node : nodes) {
      note(node, opsets);
      for (const auto &attribute : node.attribute()) {
        visit(attribute.g().node(), opsets);
        for (const auto &graph : attribute.graphs())
          visit(graph.node(), opsets);
      }
    }
  }

  void note(const NodeProto &node, const Opsets &opsets) {
    if (functions.count({node.domain(), node.op_type()}))
      return;
    std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
    std::string name = (domain.empty() ? "" : domain + ".") + node.op_type();
    NamedOperator &op = found[name];
    op.name = name;
    ++op.nodes;
    auto opset = opsets.find(domain);
    op.problem = domainsOfFunctions.count(domain) && !onnx::findDomain(domain)
                     ? "is a function that the model lacks"
                     : problemOf(node, domain, opset == opsets.end() ? 1 : opset->second);
  }
};
} // namespace

std::vector<NamedOperator> operatorsOf(const ModelProto &model) {
  std::vector<NamedOperator> result;
  for (auto &[name, op] : Walk(model).found)
    result.push_back(std::move(op));
  return result;
}

} // namespace mlc
