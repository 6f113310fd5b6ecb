// Extents of results as text: sums, differences, products and quotients (rounded down) of
//
//   3           a number
//   x[0]        an extent of input x, counted from behind where negative
//   value(k)    the only element of the integer input k
//   pad         an attribute of kind int
#pragma once
#include "onnx/Rules.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlc {

/// What names in a text can stand for.
struct ExtentNames {
  std::vector<std::string> inputs, attributes; ///< inputs in order; attributes of kind int
};

class ExtentText {
public:
  static llvm::Expected<ExtentText> parse(llvm::StringRef text, const ExtentNames &names);
  /// For one node. Fails, with an error at the node, where an input has too few axes or elements.
  llvm::FailureOr<onnx::Extent> evaluate(onnx::Custom op, onnx::Known &known) const;

  struct Node;

private:
  std::shared_ptr<const Node> root;
};

} // namespace mlc
