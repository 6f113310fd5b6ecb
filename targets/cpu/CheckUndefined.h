// Code that checks itself for what LLVM leaves undefined: `mlc compile --sanitize=undefined`.
#pragma once
#include "llvm/IR/PassManager.h"

namespace mlc::cpu {

/// Has every function of a module end the process, saying where, before it does what LLVM's language reference calls
/// immediate undefined behavior (https://llvm.org/docs/UndefinedBehavior.html): a division by zero, an `unreachable` that is
/// reached, or a use of poison that decides a branch, an address, a divisor or an argument, or goes to memory.
///
/// Poison itself is allowed, as long as nothing of the kind depends on it: a result that is thrown away may overflow. So
/// each value has a shadow that says, for each of its lanes, whether it is poison. What is loaded is not, since nothing else is
/// stored. Not seen: poison from pointers that leave their object (AddressSanitizer sees what is then done with them), from
/// attributes and from metadata; `undef`.
///
/// It has to run before anything that draws conclusions, thus first.
struct CheckUndefined : llvm::PassInfoMixin<CheckUndefined> {
  llvm::PreservedAnalyses run(llvm::Module &module, llvm::ModuleAnalysisManager &);
  static bool isRequired() { return true; }
};

} // namespace mlc::cpu
