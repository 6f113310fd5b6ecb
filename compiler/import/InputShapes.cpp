#include "import/InputShapes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace mlc {

std::optional<InputShape> parseInputShape(StringRef text) {
  // Names may hold anything, extents no '='.
  auto [name, list] = text.rsplit('=');
  if (name.empty() || name.size() == text.size())
    return std::nullopt;
  InputShape shape{name.str(), {}};
  SmallVector<StringRef> words;
  if (!list.trim().empty())
    list.split(words, ',');
  for (StringRef word : words) {
    int64_t extent = mlir::ShapedType::kDynamic;
    if (word.trim() != "?" && (word.trim().getAsInteger(10, extent) || extent < 0))
      return std::nullopt;
    shape.extents.push_back(extent);
  }
  return shape;
}

} // namespace mlc
