#include "Coverage.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace mlc {

static constexpr StringLiteral table =
#include "coverage.inc"
    ;

/// "x86 all 2/2, float 2/2; opencl all 1/2, float 1/2"
static SmallVector<Coverage> readRow(StringRef text) {
  SmallVector<Coverage> row;
  for (StringRef part : split(text, "; ")) {
    auto [target, counts] = part.split(' ');
    for (StringRef count : split(counts, ", ")) {
      auto [type, numbers] = count.rsplit(' ');
      Coverage &entry = row.emplace_back(Coverage{target, type, 0, 0});
      numbers.split('/').first.getAsInteger(10, entry.passed);
      numbers.split('/').second.getAsInteger(10, entry.all);
    }
  }
  return row;
}

SmallVector<Coverage> coverageOf(StringRef op) {
  static const StringMap<StringRef> rows = [] {
    StringMap<StringRef> all;
    for (StringRef line : split(table, '\n'))
      if (!line.starts_with("#"))
        all.insert(line.split(": "));
    return all;
  }();
  auto row = rows.find(op);
  return row == rows.end() ? SmallVector<Coverage>() : readRow(row->second);
}

std::string testsPassed(StringRef op, StringRef target) {
  StringRef list = target == "arm" || target == "riscv" ? "x86" : target;
  for (const Coverage &part : coverageOf(op))
    if (part.target == list && part.type == "all")
      return std::to_string(part.passed) + "/" + std::to_string(part.all);
  return "-";
}

} // namespace mlc
