// What is said of the extents of a model's inputs beside the model.
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlc {

/// The extents that an input has in every run, ShapedType::kDynamic where runs differ.
struct InputShape {
  std::string input;
  llvm::SmallVector<int64_t> extents;
};

/// Reads "x=?,3,224"; "x=" is a scalar. None where the text is no shape.
std::optional<InputShape> parseInputShape(llvm::StringRef text);

struct InputShapes {
  std::vector<InputShape> given;
  /// The rank of the input at a position whose rank neither the model nor `given` says; may be empty.
  std::function<std::optional<int64_t>(unsigned position)> rankOf;
};

} // namespace mlc
