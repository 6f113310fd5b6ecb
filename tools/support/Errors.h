// Errors of the tools: text for the user, carried up to main, which prints it and exits with 1.
#pragma once
#include "ClosestWord.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlc {

/// A text in lower case, without a period, that names the file or word at fault, what was expected and what was found.
llvm::Error fail(const llvm::Twine &text);
/// The same error, with "PREFIX: " before it.
llvm::Error inContext(const llvm::Twine &prefix, llvm::Error error);
/// The command has failed, and its user has been told why.
llvm::Error alreadyReported();

/// Prints "error: ..." unless the error was reported already; returns the exit code of the process.
int exitCode(llvm::Error error);

/// The word is not one of the candidates: "unknown WHAT 'word'; did you mean 'fuse'?", or the list of candidates.
llvm::Error unknownWord(llvm::StringRef what, llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> candidates);
/// Fails when there is no file at the path, naming a similar one beside it.
llvm::Error expectFile(llvm::StringRef path);

} // namespace mlc
