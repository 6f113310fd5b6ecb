#include "ClosestWord.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace mlc {

/// The candidate closest to the word; empty when none is close enough to be a slip of the finger.
static StringRef nearest(StringRef word, ArrayRef<StringRef> candidates) {
  StringRef best;
  unsigned bestDistance = std::max<unsigned>(word.size() > 3 ? 2 : 1, word.size() / 3) + 1;
  for (StringRef candidate : candidates) {
    unsigned distance = word.edit_distance_insensitive(candidate, /*AllowReplacements=*/true, bestDistance);
    if (distance >= bestDistance)
      continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

std::string didYouMean(StringRef word, ArrayRef<StringRef> candidates) {
  StringRef best = nearest(word, candidates);
  return best.empty() ? "" : ("; did you mean '" + best + "'?").str();
}

} // namespace mlc
