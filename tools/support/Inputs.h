// The inputs of a run, as the user asks for them.
#pragma once
#include "Library.h"

namespace mlc {

struct InputRequest {
  std::vector<std::string> files; ///< "name=path", or "path" where the model has one input
  std::vector<std::string> dims;  ///< "name=extent", of symbolic dimensions
  std::optional<uint64_t> seed;   ///< draw what no file gives; none: that is an error
};

/// Inputs in the order of the model's. Drawn numbers are from [0, 1), drawn integers and bools 0 or 1, which most
/// models accept as indices and masks alike, strings "a" or "b"; a symbolic dimension that neither a file nor `dims` gives is 1.
llvm::Expected<std::vector<Tensor>> makeInputs(const Library &library, const InputRequest &request);

/// The values that inputs give the symbolic dimensions, by symbol; 1 where they give none.
std::vector<int64_t> symbolValues(const Library &library, llvm::ArrayRef<Tensor> inputs);
/// The values that request.dims gives them; 1 for the others.
llvm::Expected<std::vector<int64_t>> chosenSymbols(const Library &library, const InputRequest &request);
/// What a session's intermediate values take with these symbolic dimensions.
llvm::Expected<uint64_t> arenaBytes(const Library &library, llvm::ArrayRef<int64_t> symbols);

} // namespace mlc
