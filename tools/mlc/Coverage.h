// What the official suite has shown of each operator: coverage.txt, which scripts/write-coverage writes and a test checks.
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace mlc {

/// Cases of an operator on a target that take or give an element type; of all of them where the type is "all".
struct Coverage {
  llvm::StringRef target, type;
  unsigned passed, all;
};

/// By the operator's name, "Conv" or "ai.onnx.ml.Scaler".
llvm::SmallVector<Coverage> coverageOf(llvm::StringRef op);

/// "12/14" cases on a target; "-" where there are none. CPUs share their list of expected failures.
std::string testsPassed(llvm::StringRef op, llvm::StringRef target);

} // namespace mlc
