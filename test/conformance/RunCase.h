// What happens to one case: its model is compiled, loaded and run, and the outputs are compared.
#pragma once
#include "Case.h"
#include "Sanitize.h"
#include "Target.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlc::conformance {

struct Outcome {
  std::string stage; ///< where it failed: a phase of the compiler, "load", "run" or "compare"; empty: it passed
  std::string reason;

  bool passed() const { return stage.empty(); }
};

/// What cases are compiled for, and how they are run.
struct Machine {
  std::string target = hostTargetName().str();
  std::string chip, features;
  std::string runner; ///< as in Library::load
  Sanitizers sanitize;
};

/// Runs a case in this process. `enter` hears of each stage as it begins, so that someone else can tell where it
/// crashed.
Outcome runCase(const Case &test, const Machine &machine, mlir::MLIRContext &context, llvm::StringRef temporaryFile,
                llvm::function_ref<void(llvm::StringRef stage)> enter);

} // namespace mlc::conformance
