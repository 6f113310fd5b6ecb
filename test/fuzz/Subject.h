// What hostile input is thrown at: the importer, and what comes behind it up to machine code.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <memory>

namespace mlc::fuzz {

class Subject {
public:
  Subject();
  ~Subject();
  /// Whether the bytes are a model that can be compiled. Whatever they are, this returns.
  bool accepts(llvm::StringRef bytes);

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace mlc::fuzz
