#include "Table.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

using namespace llvm;

namespace mlc {

Table::Table(ArrayRef<Align> columns, ArrayRef<StringRef> headings) : columns(columns) {
  if (!headings.empty())
    row(map_to_vector(headings, [](StringRef heading) { return heading.str(); }));
}

void Table::row(SmallVector<std::string> cells) { rows.push_back(std::move(cells)); }

void Table::print(raw_ostream &out, unsigned indent) const {
  SmallVector<size_t> widths(columns.size());
  for (const auto &cells : rows)
    for (auto [width, cell] : zip(widths, cells))
      width = std::max(width, cell.size());
  for (const auto &cells : rows) {
    std::string line(indent, ' ');
    for (auto [align, width, cell] : zip(columns, widths, cells)) {
      std::string padding(width - cell.size(), ' ');
      line += (align == Align::Left ? cell + padding : padding + cell) + "  ";
    }
    out << StringRef(line).rtrim() << "\n";
  }
}

template <typename... Values> static std::string formatted(const char *pattern, Values... values) {
  std::string text;
  raw_string_ostream(text) << format(pattern, values...);
  return text;
}

std::string formatBytes(uint64_t bytes) {
  if (bytes < 1000)
    return std::to_string(bytes) + " B";
  if (bytes < 1000000)
    return formatted("%.1f kB", bytes / 1e3);
  if (bytes < 1000000000)
    return formatted("%.1f MB", bytes / 1e6);
  return formatted("%.2f GB", bytes / 1e9);
}

std::string formatSeconds(double seconds) {
  if (seconds >= 1)
    return formatted("%.3g s", seconds);
  if (seconds >= 1e-3)
    return formatted("%.3g ms", seconds * 1e3);
  return formatted("%.3g us", seconds * 1e6);
}

} // namespace mlc
