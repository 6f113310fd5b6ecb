// mlc check: which operators of a model can be lowered, and what is wrong with the others, all at once.
#include "CodegenOptions.h"
#include "Coverage.h"
#include "Verbs.h"
#include "import/Import.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "onnx/Custom.h"
#include "onnx/Onnx.h"
#include "onnx/Rules.h"
#include "onnx/Schemas.h"
#include "passes/Placement.h"
#include "support/Diagnostics.h"
#include "support/Model.h"
#include "support/Table.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/StringSaver.h"

using namespace llvm;

namespace mlc {

namespace {
/// What was found of one operator.
struct Finding {
  unsigned nodes = 0;
  bool onDevice = false, onHost = false; ///< where some of it runs, where there is a device
  SmallVector<std::string> problems; ///< one for each node that has one, with its name; of an unknown operator just one
  bool wasTried = true;              ///< false where the model cannot be imported
  unsigned untried = 0;              ///< nodes that read what cannot be computed
};

class Checker {
public:
  Checker(const Options &options, mlir::MLIRContext &context) : options(options), context(context) {}

  /// Fails where the model is not valid; problems of operators are findings.
  Error check();
  bool allSupported() const {
    return none_of(findings, [](const auto &finding) { return !finding.second.problems.empty(); });
  }
  void print() const;

private:
  const Options &options;
  mlir::MLIRContext &context;
  BumpPtrAllocator allocator;
  StringSaver names{allocator};
  MapVector<StringRef, Finding> findings;
  /// The operators at a place in the model, by which diagnostics find theirs: of a node that was upgraded, there are
  /// several.
  DenseMap<mlir::Location, SmallVector<StringRef, 1>> operators;
  DenseSet<mlir::Location> troubled; ///< places of which there are problems

  void list(mlir::ModuleOp module);
  Error listUnknown();
  Error lower(mlir::ModuleOp module);
  void countUntried(mlir::ModuleOp imported);
  Error place(mlir::ModuleOp module, const Target &target, TargetAttr attr);
  void note(mlir::Location loc, bool isOnDevice);
  StringRef device; ///< empty where there is none
  LogicalResult run(mlir::ModuleOp module, StringRef phase, const Target &target, TargetAttr attr);
};
} // namespace

void Checker::list(mlir::ModuleOp module) {
  module.walk([&](mlir::Operation *op) {
    if (!isa<onnx::OnnxDialect>(op->getDialect()) || isa<onnx::ConstantOp, onnx::YieldOp>(op))
      return;
    StringRef name = onnx::operatorName(op);
    ++findings[name].nodes;
    operators[op->getLoc()].push_back(name);
  });
}

LogicalResult Checker::run(mlir::ModuleOp module, StringRef phase, const Target &target, TargetAttr attr) {
  mlir::PassManager passes(&context);
  findPhase(phase)->build(passes, target, attr);
  return passes.run(module);
}

Error Checker::lower(mlir::ModuleOp module) {
  DiagnosticPrinter printer(context, options.input);
  FailureOr<std::pair<const Target *, TargetAttr>> settled = targetOf(options, context);
  if (failed(settled))
    return alreadyReported();
  auto [target, attr] = *settled;
  module->setAttr(targetAttrName, attr);

  unsigned elsewhere = 0;
  mlir::ScopedDiagnosticHandler collector(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
      return failure(); // for the printer
    auto found = operators.find(diagnostic.getLocation());
    if (found == operators.end()) {
      ++elsewhere;
      return failure();
    }
    // Both phases look at shapes.
    SmallVector<std::string> &problems = findings[found->second.front()].problems;
    std::string problem = formatDiagnostic(diagnostic, "");
    if (!is_contained(problems, problem))
      problems.push_back(problem);
    troubled.insert(diagnostic.getLocation());
    return success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> imported = module.clone();
  bool isSimplified = succeeded(run(module, "simplify", *target, attr)),
       isLowered = succeeded(run(module, "lower", *target, attr));
  if (!isSimplified || !isLowered) {
    countUntried(*imported);
    return !allSupported() && !elsewhere ? Error::success() : alreadyReported();
  }
  return place(module, *target, attr);
}

/// Counts nodes without problems that read, at whatever distance, results of such that have some.
void Checker::countUntried(mlir::ModuleOp imported) {
  onnx::Known known(&context);
  imported.walk([&](mlir::Operation *op) {
    bool isTroubled = troubled.contains(op->getLoc());
    if (!isa<onnx::OnnxDialect>(op->getDialect()) || (!isTroubled && !known.isHopeless(op)))
      return;
    known.giveUp(op);
    if (auto found = findings.find(onnx::operatorName(op)); !isTroubled && found != findings.end())
      ++found->second.untried;
  });
}

/// Where the target has a device beside its host: what it runs. Remarks tell why it does not run the rest.
Error Checker::place(mlir::ModuleOp module, const Target &target, TargetAttr attr) {
  mlir::PassManager passes(&context);
  target.place(passes, attr);
  if (passes.empty())
    return Error::success();
  for (StringRef phase : {"layout", "fuse", "tile", "bufferize"})
    if (failed(run(module, phase, target, attr)))
      return alreadyReported();
  // What the device must have and lacks is the problem of a node.
  if (failed(passes.run(module)))
    return allSupported() ? alreadyReported() : Error::success();
  for (mlir::Operation &op : *module.getBody()) {
    auto function = dyn_cast<mlir::func::FuncOp>(op);
    if (function && !function->hasAttr(kernelAttrName))
      continue;
    bool isOnDevice = !function || function->hasAttr(deviceAttrName);
    op.walk([&](mlir::Operation *inner) { note(inner->getLoc(), isOnDevice); });
  }
  device = target.name();
  return Error::success();
}

void Checker::note(mlir::Location loc, bool isOnDevice) {
  if (auto fused = dyn_cast<mlir::FusedLoc>(loc)) {
    for (mlir::Location part : fused.getLocations())
      note(part, isOnDevice);
    return;
  }
  auto found = operators.find(loc);
  if (found == operators.end())
    return;
  for (StringRef name : found->second)
    (isOnDevice ? findings[name].onDevice : findings[name].onHost) = true;
}

/// Import ends with the first node that it cannot read: look for all that are not known. Fails where the fault is
/// another.
Error Checker::listUnknown() {
  // What is wrong with the file has been said.
  mlir::ScopedDiagnosticHandler silence(&context, [](mlir::Diagnostic &) { return success(); });
  FailureOr<std::vector<NamedOperator>> operators = listOperators(options.input, context);
  if (failed(operators) || all_of(*operators, [](const NamedOperator &op) { return op.problem.empty(); }))
    return alreadyReported();
  for (NamedOperator &op : *operators) {
    Finding &finding = findings[names.save(op.name)];
    finding.nodes = op.nodes;
    finding.wasTried = false;
    if (!op.problem.empty())
      finding.problems.assign(1, options.input + ": operator '" + op.name + "' " + op.problem);
  }
  return Error::success();
}

Error Checker::check() {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  {
    DiagnosticPrinter printer(context, options.input);
    module = importModel(options.input, context, options.shapes);
  }
  if (!module)
    return listUnknown();
  list(*module);
  return lower(*module);
}

/// "ml.Scaler" of the dialect is ai.onnx.ml.Scaler.
static std::string qualified(StringRef name) {
  auto [prefix, rest] = name.split('.');
  for (const onnx::Domain &domain : onnx::domains())
    if (!domain.prefix.empty() && domain.prefix == prefix)
      return (domain.name + "." + rest).str();
  return name.str();
}

void Checker::print() const {
  using enum Table::Align;
  SmallVector<Table::Align> columns = {Left, Right, Left};
  SmallVector<StringRef> headings = {"operator", "nodes", "supported"};
  if (!device.empty()) {
    columns.push_back(Left);
    headings.push_back("runs on");
  }
  columns.push_back(Right);
  headings.push_back("tests");
  Table table(columns, headings);
  for (const auto &[name, finding] : findings) {
    size_t problems = finding.problems.size();
    std::string problemText = finding.wasTried ? "no, " + std::to_string(problems) : "no";
    SmallVector<std::string> cells = {qualified(name), std::to_string(finding.nodes),
                                      problems           ? problemText
                                      : finding.untried  ? "not tried, " + std::to_string(finding.untried)
                                      : finding.wasTried ? "yes"
                                                         : "known, not tried"};
    if (!device.empty())
      cells.push_back(finding.onDevice && finding.onHost ? device.str() + ", host"
                      : finding.onDevice                 ? device.str()
                      : finding.onHost                   ? "host"
                                                         : "");
    cells.push_back(
        testsPassed(qualified(name), options.target.empty() ? hostTargetName() : StringRef(options.target)));
    table.row(std::move(cells));
  }
  table.print(outs());
  for (const auto &[name, finding] : findings)
    for (const std::string &problem : finding.problems)
      outs() << problem << "\n";
}

Error runCheck(CommandLine &line) {
  Options options;
  line.positional("model", options.input);
  addCodegenOptions(line, options);
  line.explain(
      "Prints each operator of the model, the number of its nodes, how many of these have a problem, and how many\n"
      "cases of the test suites pass, of how many; then every problem with the name of its node. Exits with 1\n"
      "where there is one. Nodes that read results of such are not tried. Where an operator is not known at all, the\n"
      "model cannot be read: then all unknown operators are listed, and the others are not tried.\n"
      "For a device, one more column says where the nodes run, there or on its host; nowhere if there is nothing left\n"
      "to run once the model is compiled. Remarks say which nodes run on the host, and why.\n\n"
      "Example:\n"
      "  mlc check model.onnx --target=x86");
  if (Error error = line.parse())
    return error;
  if (Error error = expectFile(options.input))
    return error;
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  Checker checker(options, *context);
  if (Error error = checker.check())
    return error;
  checker.print();
  return checker.allSupported() ? Error::success() : alreadyReported();
}

} // namespace mlc
