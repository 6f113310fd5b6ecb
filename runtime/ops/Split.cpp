// Parts of strings, as Python's str.split has them, which ONNX's StringSplit is described by.
#include "mlc/abi.h"
#include <string.h>

namespace {

/// Bytes of the white space at `at`; 0 if there is none. Unicode's, as far as Python splits at it.
uint64_t spaceAt(mlc_string text, uint64_t at) {
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data) + at;
  const uint64_t left = text.size - at;
  if (left == 0)
    return 0;
  if (bytes[0] < 0x80)
    return (bytes[0] >= 0x09 && bytes[0] <= 0x0D) || (bytes[0] >= 0x1C && bytes[0] <= 0x20);
  if (bytes[0] == 0xC2) // U+0085, U+00A0
    return left >= 2 && (bytes[1] == 0x85 || bytes[1] == 0xA0) ? 2 : 0;
  if (left < 3)
    return 0;
  const uint32_t character = (bytes[0] & 0xFu) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
  const bool isSpace = bytes[0] >> 4 == 14 &&
                       (character == 0x1680 || (character >= 0x2000 && character <= 0x200A) || character == 0x2028 ||
                        character == 0x2029 || character == 0x202F || character == 0x205F || character == 0x3000);
  return isSpace ? 3 : 0;
}

/// Goes from part to part.
class Parts {
public:
  Parts(mlc_string text, mlc_string delimiter, int64_t splits) : text(text), delimiter(delimiter), left(splits) {}

  bool next(mlc_string &part) {
    if (atEnd)
      return false;
    return delimiter.size ? nextBetween(part) : nextWord(part);
  }

private:
  bool nextBetween(mlc_string &part) {
    uint64_t end = at;
    const bool mayEnd = left != 0;
    for (; mayEnd && end + delimiter.size <= text.size; ++end)
      if (memcmp(text.data + end, delimiter.data, delimiter.size) == 0) {
        part = {text.data + at, end - at};
        at = end + delimiter.size;
        --left;
        return true;
      }
    part = {text.data + at, text.size - at};
    return atEnd = true;
  }

  bool nextWord(mlc_string &part) {
    while (uint64_t space = spaceAt(text, at))
      at += space;
    if (at >= text.size) {
      atEnd = true;
      return false;
    }
    uint64_t end = left == 0 ? text.size : at;
    while (end < text.size && !spaceAt(text, end))
      ++end;
    part = {text.data + at, end - at};
    at = end;
    --left;
    return true;
  }

  mlc_string text, delimiter;
  int64_t left; ///< splits; negative: any number
  uint64_t at = 0;
  bool atEnd = false;
};

} // namespace

extern "C" {

int64_t mlc_rt_string_count_parts(mlc_string text, mlc_string delimiter, int64_t splits) {
  Parts parts(text, delimiter, splits);
  mlc_string part;
  int64_t count = 0;
  while (parts.next(part))
    ++count;
  return count;
}

mlc_string mlc_rt_string_part(mlc_string text, mlc_string delimiter, int64_t splits, int64_t index) {
  Parts parts(text, delimiter, splits);
  mlc_string part;
  for (; parts.next(part); --index)
    if (index == 0)
      return part;
  return {"", 0};
}
}
