// The list of cases that are known to fail on a target, each with its reason:
//
//   node/test_adagrad  lower: this operator has no lowering yet
//
// A line is a case, the stage where it fails, and why. Lines are sorted; lines with # are comments at the top.
#pragma once
#include "Case.h"
#include "RunCase.h"
#include <map>

namespace mlc::conformance {

class Expectations {
public:
  /// A file that does not exist expects no failure.
  static llvm::Expected<Expectations> read(llvm::StringRef path);
  llvm::Error write(llvm::StringRef path) const;

  bool failureOf(llvm::StringRef id) const { return failures.count(id.str()); }
  /// Makes the list say what was seen of a case. A reason stays while the case fails in the same stage: it may have
  /// been written by hand.
  void learn(llvm::StringRef id, const Outcome &outcome);
  /// Cases in the list that do not exist, of the kinds that there are: other suites have others.
  std::vector<std::string> strangers(llvm::ArrayRef<Case> cases) const;

private:
  std::string comment;
  std::map<std::string, Outcome> failures; ///< by id
};

} // namespace mlc::conformance
