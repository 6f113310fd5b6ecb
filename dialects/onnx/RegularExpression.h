// Regular expressions as automata, made when a model is compiled.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace mlc::onnx {

/// Where the texts are that an automaton accepts: they are whole, or parts of others, which ^, $, \A, \z, \b and \B
/// would have to look at, and are not supported there.
enum class MatchKind { Whole, Anywhere };

/// The deterministic automaton that accepts the texts which the whole pattern matches, as an mlc_automaton
/// (runtime/include/mlc/abi.h). None, with `problem` saying why, for a pattern that is wrong, is not supported, or
/// needs too many states.
///
/// The syntax is RE2's (https://github.com/google/re2/wiki/Syntax) over UTF-8, without \C, \p and \X, with the flags i
/// (ASCII letters), s and U, and with m where there is no ^ or $; which of several ways a text matches in makes no difference here, so greedy and
/// lazy repetition are the same, and groups capture nothing.
std::optional<std::string> automatonOf(llvm::StringRef pattern, std::string &problem,
                                       MatchKind kind = MatchKind::Whole);

} // namespace mlc::onnx
