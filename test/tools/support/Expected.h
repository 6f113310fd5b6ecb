// Reading llvm::Expected in tests.
#pragma once
#include "llvm/Support/Error.h"
#include <catch2/catch.hpp>

/// The value; the test fails with the error's text where there is none.
template <typename T> T valueOf(llvm::Expected<T> expected) {
  if (!expected)
    FAIL(llvm::toString(expected.takeError()));
  return std::move(*expected);
}

/// The text of the error; empty where there is none.
template <typename T> std::string errorOf(llvm::Expected<T> expected) {
  return expected ? "" : llvm::toString(expected.takeError());
}
