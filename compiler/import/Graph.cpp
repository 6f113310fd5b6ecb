#include "import/Graph.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using ::onnx::GraphProto;
using ::onnx::NodeProto;

namespace mlc::importer {

Opsets opsetsOf(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &imports) {
  Opsets opsets;
  for (const auto &import : imports) {
    StringRef domain = import.domain() == "ai.onnx" ? StringRef() : StringRef(import.domain());
    // Merged models import a domain twice; the newer version counts.
    int64_t &version = opsets[domain];
    version = std::max<int64_t>(version, import.version());
  }
  return opsets;
}

std::optional<Value> Scope::find(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->outer)
    if (auto found = scope->names.find(name); found != scope->names.end())
      return found->second;
  return std::nullopt;
}

//===-- Names ------------------------------------------------------------------===//

Location GraphImporter::location(StringRef name) const {
  return NameLoc::get(StringAttr::get(&context, name), FileLineColLoc::get(&context, path, 0, 0));
}

Location GraphImporter::location(const NodeProto &node, int index, const Scope &scope) const {
  std::string name = node.name();
  if (name.empty())
    name = node.op_type() + "_" + std::to_string(index);
  return location(scope.prefix + name);
}

LogicalResult GraphImporter::define(StringRef name, Value value, Scope &scope, Location loc) {
  if (!scope.names.try_emplace(name, value).second)
    return emitError(loc) << "defines '" << name << "', which is defined already";
  return success();
}

LogicalResult GraphImporter::importInitializers(const GraphProto &graph, Scope &scope, OpBuilder &builder) {
  auto add = [&](StringRef name, const auto &tensor) -> LogicalResult {
    Location loc = location(name);
    FailureOr<ElementsAttr> value = tensors.read(tensor, loc);
    if (failed(value))
      return failure();
    if (name.empty())
      return emitError(loc) << "an initializer has no name";
    return define(name, onnx::createConstant(builder, loc, *value), scope, loc);
  };
  for (const auto &tensor : graph.initializer())
    if (failed(add(tensor.name(), tensor)))
      return failure();
  for (const auto &tensor : graph.sparse_initializer())
    if (failed(add(tensor.values().name(), tensor)))
      return failure();
  return success();
}

//===-- Order ------------------------------------------------------------------===//

/// The names that a node reads, those inside its graph attributes included, unless these define them themselves.
static void forEachRead(const NodeProto &node, llvm::function_ref<void(StringRef)> read) {
  for (const std::string &name : node.input())
    if (!name.empty())
      read(name);
  for (const auto &attribute : node.attribute()) {
    if (!attribute.has_g())
      continue;
    const GraphProto &graph = attribute.g();
    llvm::StringSet<> own;
    for (const auto &input : graph.input())
      own.insert(input.name());
    for (const auto &tensor : graph.initializer())
      own.insert(tensor.name());
    for (const auto &tensor : graph.sparse_initializer())
      own.insert(tensor.values().name());
    for (const NodeProto &inner : graph.node())
      own.insert(inner.output().begin(), inner.output().end());
    auto readOuter = [&](StringRef name) {
      if (!own.contains(name))
        read(name);
    };
    for (const NodeProto &inner : graph.node())
      forEachRead(inner, readOuter);
    for (const auto &output : graph.output())
      readOuter(output.name());
  }
}

namespace {
/// Finds an order of nodes in which each comes after those that it reads from. That is the model's own order if it is
/// such a one, as it should be.
class Ordering {
public:
  using Nodes = google::protobuf::RepeatedPtrField<NodeProto>;
  explicit Ordering(const Nodes &nodes) : reads(nodes.size()), states(nodes.size(), Unseen) {
    llvm::StringMap<int> producers;
    for (auto [i, node] : llvm::enumerate(nodes))
      for (const std::string &output : node.output())
        if (!output.empty())
          producers.try_emplace(output, i); // the second definition of a name is an error later
    for (auto [i, node] : llvm::enumerate(nodes))
      forEachRead(node, [&](StringRef name) {
        if (auto producer = producers.find(name); producer != producers.end())
          reads[i].push_back(producer->second);
      });
    for (int i = 0; i < nodes.size() && cycle.empty(); ++i)
      if (states[i] == Unseen)
        visit(i);
  }

  SmallVector<int> order;
  SmallVector<int> cycle; ///< each reads from the next, and the last from the first; empty if all is well

private:
  enum State { Unseen, OnPath, Done };
  void visit(int start);

  std::vector<SmallVector<int>> reads;
  std::vector<State> states;
};
} // namespace

void Ordering::visit(int start) {
  SmallVector<std::pair<int, size_t>> path = {{start, 0}}; // a node, and how many of its reads are done
  states[start] = OnPath;
  while (!path.empty()) {
    auto &[node, done] = path.back();
    if (done == reads[node].size()) {
      states[node] = Done;
      order.push_back(node);
      path.pop_back();
      continue;
    }
    int next = reads[node][done++];
    if (states[next] == OnPath) {
      auto *first = llvm::find_if(path, [&](auto &step) { return step.first == next; });
      for (auto &[onCycle, count] : llvm::make_range(first, path.end()))
        cycle.push_back(onCycle);
      return;
    }
    if (states[next] == Unseen) {
      states[next] = OnPath;
      path.push_back({next, 0});
    }
  }
}

//===-- Graphs -----------------------------------------------------------------===//

LogicalResult GraphImporter::importNodes(const Nodes &nodes, Scope &scope, OpBuilder &builder) {
  Ordering ordering(nodes);
  auto locationOf = [&](int index) { return location(nodes[index], index, scope); };
  if (!ordering.cycle.empty()) {
    InFlightDiagnostic error = emitError(locationOf(ordering.cycle.front()))
                               << "reads, over a cycle of nodes, its own result";
    constexpr size_t shown = 8;
    for (int index : ArrayRef(ordering.cycle).drop_front().take_front(shown))
      error.attachNote(locationOf(index)) << "through this node";
    return error;
  }
  for (int index : ordering.order) {
    const NodeProto &node = nodes[index];
    ImplicitLocOpBuilder at(locationOf(index), builder);
    FailureOr<Values> results = importNode(node, scope, at);
    if (failed(results))
      return failure();
    results->resize(node.output_size());
    for (auto [name, value] : llvm::zip_equal(node.output(), *results)) {
      if (name.empty())
        continue;
      if (!value)
        return emitError(at.getLoc()) << "operator '" << node.op_type() << "' does not define the result '" << name
                                      << "' here";
      if (failed(define(name, value, scope, at.getLoc())))
        return failure();
    }
  }
  return success();
}

FailureOr<Values> GraphImporter::importGraph(const GraphProto &graph, Scope &scope, OpBuilder &builder) {
  if (failed(importInitializers(graph, scope, builder)) || failed(importNodes(graph.node(), scope, builder)))
    return failure();
  Values outputs;
  for (const auto &output : graph.output()) {
    std::optional<Value> value = scope.find(output.name());
    if (!value || !*value)
      return emitError(location(output.name()))
             << "output '" << output.name() << "' is not defined by any node, input or initializer";
    outputs.push_back(*value);
  }
  return outputs;
}

} // namespace mlc::importer
