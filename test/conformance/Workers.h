// Runs cases in child processes, several at a time, so that a crash, a hang or a memory hog is one case's own.
#pragma once
#include "RunCase.h"
#include <chrono>

namespace mlc::conformance {

struct WorkerOptions {
  int jobs = 0; ///< cases at a time; 0: one for each core
  std::chrono::seconds timeout{120};
  Machine machine;
};

/// Outcomes in the order of the cases. Each case gets a fork of this process, with the context as it is now, which
/// therefore must not have threads. `report` hears of each case as it ends.
std::vector<Outcome> runCases(llvm::ArrayRef<Case> cases, mlir::MLIRContext &context, const WorkerOptions &options,
                              llvm::function_ref<void(const Case &, const Outcome &)> report);

} // namespace mlc::conformance
