// Whether a tensor is what it should be, and how far off it is.
#pragma once
#include "Tensor.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace mlc {

/// |got - want| <= atol + rtol * |want|. NaN equals NaN, an infinity only itself. Integers and bools are exact.
struct Tolerance {
  double rtol = 1e-3;
  double atol = 1e-5;
};

struct Comparison {
  bool matches = true;
  double largestError = 0; ///< of all elements, absolute; infinity where one is not a number and the other is
  std::string
      mismatch; ///< why it does not match: type, extents, or the worst element with what was got, wanted and allowed
};

Comparison compare(const Tensor &got, const Tensor &want, Tolerance tolerance);
/// Only type and extents.
Comparison compareTypes(const Tensor &got, const Tensor &want);

/// What each output may be off by.
struct Tolerances {
  Tolerance loosest;
  llvm::StringMap<Tolerance> outputs;

  Tolerance of(llvm::StringRef output) const {
    auto found = outputs.find(output);
    return found == outputs.end() ? loosest : found->second;
  }
};

/// Reads {"rtol": r, "atol": a, "outputs": [{"name": n, "rtol": r, "atol": a}, ...]}; other keys are left alone.
llvm::Expected<Tolerances> readTolerances(llvm::StringRef path);

} // namespace mlc
