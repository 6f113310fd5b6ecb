// What a user may have meant by a word that is not known.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace mlc {

/// "; did you mean 'fuse'?" for a word close to one of the candidates, else nothing.
std::string didYouMean(llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> candidates);

} // namespace mlc
