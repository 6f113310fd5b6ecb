// Text in aligned columns.
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace mlc {

class Table {
public:
  enum class Align { Left, Right };
  /// One column for each heading; without headings no first line is printed.
  explicit Table(llvm::ArrayRef<Align> columns, llvm::ArrayRef<llvm::StringRef> headings = {});
  void row(llvm::SmallVector<std::string> cells);
  void print(llvm::raw_ostream &out, unsigned indent = 0) const;

private:
  llvm::SmallVector<Align> columns;
  std::vector<llvm::SmallVector<std::string>> rows;
};

/// "97.5 MB"
std::string formatBytes(uint64_t bytes);
/// "12.3 s", "4.56 ms", "789 us"
std::string formatSeconds(double seconds);

} // namespace mlc
