#include "InputOptions.h"

using namespace llvm;

namespace mlc {

void addInputOptions(CommandLine &line, InputRequest &request) {
  line.option("input", "NAME=FILE", request.files,
              "the value of an input: .npy, .pb, .png or .jpg; once for each input");
  line.option("dim", "NAME=N", request.dims, "the extent of a symbolic dimension, for drawn inputs (1)");
  auto takeSeed = [&request](StringRef text) {
    bool isBad = !text.empty() && text.getAsInteger(10, request.seed.emplace());
    if (text.empty())
      request.seed = 1;
    return isBad ? fail("expects a number as the seed, got '" + text + "'") : Error::success();
  };
  line.optionalValue("random-inputs", "SEED", takeSeed, "draw inputs that no file gives");
}

} // namespace mlc
