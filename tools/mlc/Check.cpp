// mlc check: which operators of a model can be lowered, and what is wrong with the others, all at once.
#include "CodegenOptions.h"
#include "Verbs.h"
#include "import/Import.h"
#include "mlir/Pass/PassManager.h"
#include "onnx/Onnx.h"
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
  SmallVector<std::string> problems; ///< one for each node that has one, with its name; of an unknown operator just one
  bool wasTried = true;              ///< false where the model cannot be imported
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
  /// The operator at a place in the model, by which diagnostics find theirs.
  DenseMap<mlir::Location, StringRef> operators;

  void list(mlir::ModuleOp module);
  Error listUnknown();
  Error lower(mlir::ModuleOp module);
  LogicalResult run(mlir::ModuleOp module, StringRef phase, const Target &target, TargetAttr attr);
};
} // namespace

void Checker::list(mlir::ModuleOp module) {
  module.walk([&](mlir::Operation *op) {
    if (!isa<onnx::OnnxDialect>(op->getDialect()) || isa<onnx::ConstantOp, onnx::YieldOp>(op))
      return;
    StringRef name = op->getName().stripDialect();
    ++findings[name].nodes;
    operators.try_emplace(op->getLoc(), name);
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
    findings[found->second].problems.push_back(formatDiagnostic(diagnostic, ""));
    return success();
  });
  bool done = succeeded(run(module, "simplify", *target, attr)) && succeeded(run(module, "lower", *target, attr));
  return done || (!allSupported() && !elsewhere) ? Error::success() : alreadyReported();
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
    module = importModel(options.input, context);
  }
  if (!module)
    return listUnknown();
  list(*module);
  return lower(*module);
}

void Checker::print() const {
  using enum Table::Align;
  Table table({Left, Right, Left}, {"operator", "nodes", "supported"});
  for (const auto &[name, finding] : findings) {
    size_t problems = finding.problems.size();
    std::string problemText = finding.wasTried ? "no, " + std::to_string(problems) : "no";
    table.row({name.str(), std::to_string(finding.nodes),
               problems           ? problemText
               : finding.wasTried ? "yes"
                                  : "known, not tried"});
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
      "Prints each operator of the model, the number of its nodes, and how many of these have a problem, then\n"
      "every problem with the name of its node. Exits with 1 where there is one. Where an operator is not known at\n"
      "all, the model cannot be read: then all unknown operators are listed, and the others are not tried.\n\n"
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
