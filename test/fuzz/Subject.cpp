#include "Subject.h"
#include "AllTargets.h"
#include "Compiler.h"
#include "import/Import.h"
#include "mlc/Mlc.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "support/Diagnostics.h"
#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;

namespace mlc::fuzz {

struct Subject::State {
  DialectRegistry registry;
  const Target *target = nullptr;
};

Subject::Subject() : state(std::make_unique<State>()) {
  registerAllTargets();
  registerAllDialects(state->registry);
  state->target = findTarget("x86");
}
Subject::~Subject() = default;

static LogicalResult compile(ModuleOp module, const Target &target) {
  FailureOr<TargetAttr> attr = target.describe(module.getContext(), "x86-64-v3", "");
  if (failed(attr))
    return failure();
  module->setAttr(targetAttrName, *attr);
  for (const PhaseInfo &phase : phases()) {
    if (!phase.build)
      continue;
    PassManager passes(module.getContext());
    phase.build(passes, target, *attr);
    if (failed(passes.run(module)))
      return failure();
  }
  return success();
}

bool Subject::accepts(StringRef bytes) {
  int file = memfd_create("model", MFD_CLOEXEC);
  if (file < 0 || write(file, bytes.data(), bytes.size()) != (ssize_t)bytes.size())
    llvm::report_fatal_error("cannot make a file in memory");
  bool isGood = false;
  {
    // A context of its own, so that nothing is left of one input when the next comes; without threads, to be forked.
    MLIRContext context(state->registry, MLIRContext::Threading::DISABLED);
    context.loadDialect<MlcDialect>(); // the target describes itself by its attribute
    std::string text;                  // messages are made, too
    llvm::raw_string_ostream stream(text);
    DiagnosticPrinter printer(context, "model", stream);
    OwningOpRef<ModuleOp> module = importModel("/proc/self/fd/" + std::to_string(file), context);
    isGood = module && succeeded(compile(*module, *state->target));
    if (!isGood && !printer.hasErrors())
      llvm::report_fatal_error("the input is refused without an error");
  }
  close(file);
  return isGood;
}

} // namespace mlc::fuzz
