// What is suggested for a word that is not known.
#include "support/Errors.h"
#include <catch2/catch.hpp>

using namespace mlc;

TEST_CASE("a slip of the finger is recognized") {
  CHECK(didYouMean("complie", {"compile", "check"}) == "; did you mean 'compile'?");
  CHECK(didYouMean("Batch", {"batch"}) == "; did you mean 'batch'?");
  CHECK(didYouMean("x", {"batch"}) == "");
  CHECK(didYouMean("frobnicate", {"compile", "check"}) == "");
}

TEST_CASE("an unknown word is answered by the one that was meant, or all of them") {
  CHECK(llvm::toString(unknownWord("phase", "fsue", {"fuse", "tile"})) == "unknown phase 'fsue'; did you mean 'fuse'?");
  CHECK(llvm::toString(unknownWord("phase", "xyz", {"fuse", "tile"})) == "unknown phase 'xyz'; known are fuse, tile");
}
