// Numbers as text and back, as ONNX's Cast has them: floats as numpy writes them, the fewest digits that give the same
// number of the type again, which is also what can be read.
#include "core/Session.h"
#include "core/Status.h"
#include "ops/Text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

using namespace mlc::rt;

namespace {

/// The C library writes and reads the decimal point of the program's locale.
struct DecimalPoint {
  char text[8];
  size_t size;
  DecimalPoint() {
    char half[16];
    const int length = snprintf(half, sizeof half, "%.1f", 0.5);
    size = length > 2 && size_t(length) - 2 < sizeof text ? size_t(length) - 2 : 1;
    memcpy(text, half + 1, size);
  }
};

/// `value` as the nearest number of the type.
double rounded(double value, int64_t type) {
  switch (type) {
  case MLC_FLOAT64:
    return value;
  case MLC_FLOAT16:
    return double(_Float16(value));
  case MLC_BFLOAT16: {
    const float narrow = float(value);
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    bits += 0x7FFF + (bits >> 16 & 1);
    bits &= 0xFFFF0000;
    float result;
    memcpy(&result, &bits, sizeof result);
    return double(result);
  }
  default:
    return double(float(value));
  }
}

/// Significant digits and the exponent of the first.
struct Digits {
  char digits[20];
  int count, exponent;
};

Digits shortest(double magnitude, int64_t type) {
  Digits result = {{'0'}, 1, 0};
  const DecimalPoint point;
  constexpr int most = 17;
  for (int count = 1; magnitude > 0 && count <= most; ++count) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", count - 1, magnitude);
    result.count = count;
    result.digits[0] = text[0];
    const char *rest = text + 1;
    if (count > 1) {
      rest += point.size;
      memcpy(result.digits + 1, rest, size_t(count) - 1);
      rest += count - 1;
    }
    result.exponent = int(strtol(rest + 1, nullptr, 10)); // behind the e
    if (rounded(strtod(text, nullptr), type) == magnitude)
      break;
  }
  return result;
}

mlc_string copied(const char *text, size_t size) {
  char *copy = newText(size);
  memcpy(copy, text, size);
  return {copy, size};
}

[[noreturn]] void failToRead(mlc_string text, mlc_string node, const char *what) {
  Session &session = *currentThread->frame->session;
  if (claimFailure(session, MLC_FAILED))
    refuse(session.error, MLC_FAILED, "%.*s expects text that is %s, got '%.*s'", int(node.size), node.data, what,
           int(text.size > 64 ? 64 : text.size), text.data);
  leave();
}

mlc_string trimmed(mlc_string text) {
  auto isSpace = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (text.size && isSpace(text.data[0]))
    text = {text.data + 1, text.size - 1};
  while (text.size && isSpace(text.data[text.size - 1]))
    --text.size;
  return text;
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isWord(const char *text, uint64_t size, const char *word) {
  for (uint64_t i = 0; i < size; ++i, ++word)
    if ((text[i] | 0x20) != *word)
      return false;
  return *word == 0;
}

} // namespace

extern "C" {

mlc_string mlc_rt_format_float(double value, int64_t type) {
  char text[48];
  size_t size = 0;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (value != value)
    return copied("nan", 3);
  if (bits >> 63) {
    text[size++] = '-';
    value = -value;
  }
  if (value > 1.7976931348623157e308) {
    for (char letter : {'i', 'n', 'f'})
      text[size++] = letter;
    return copied(text, size);
  }
  const Digits number = shortest(value, type);
  const int exponent = number.exponent;
  if (value != 0 && (value < 1e-4 || value >= 1e16)) { // not the digits: 0.0001 of 32 bits is less than that
    text[size++] = number.digits[0];
    if (number.count > 1)
      text[size++] = '.';
    memcpy(text + size, number.digits + 1, size_t(number.count) - 1);
    size += size_t(number.count) - 1;
    size += size_t(snprintf(text + size, sizeof text - size, "e%c%02d", exponent < 0 ? '-' : '+',
                            exponent < 0 ? -exponent : exponent));
    return copied(text, size);
  }
  auto digit = [&](int place) { return place >= 0 && place < number.count ? number.digits[place] : '0'; };
  if (exponent < 0)
    text[size++] = '0';
  for (int place = 0; place <= exponent; ++place)
    text[size++] = digit(place);
  text[size++] = '.';
  const int last = number.count - 1 > exponent ? number.count - 1 : exponent + 1;
  for (int place = exponent + 1; place <= last; ++place)
    text[size++] = digit(place);
  return copied(text, size);
}

mlc_string mlc_rt_format_integer(int64_t value, int64_t isUnsigned) {
  char text[24];
  const int size = isUnsigned ? snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(value))
                              : snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  return copied(text, size_t(size));
}

double mlc_rt_parse_float(mlc_string given, mlc_string node, int64_t type) {
  const mlc_string text = trimmed(given);
  const bool isSigned = text.size && (text.data[0] == '-' || text.data[0] == '+');
  const double sign = isSigned && text.data[0] == '-' ? -1 : 1;
  const char *word = text.data + isSigned;
  const uint64_t size = text.size - isSigned;
  if (isWord(word, size, "inf") || isWord(word, size, "infinity"))
    return sign * __builtin_inf();
  if (isWord(word, size, "nan"))
    return __builtin_nan("");

  // Digits with at most one point among them, and an exponent; the rest is for the C library.
  const DecimalPoint point;
  char *copy = newText(size + sizeof point.text + 1);
  uint64_t at = 0, digits = 0, length = 0;
  bool hasPoint = false;
  for (; at < size && (isDigit(word[at]) || (word[at] == '.' && !hasPoint)); ++at) {
    if (word[at] == '.') {
      hasPoint = true;
      memcpy(copy + length, point.text, point.size);
      length += point.size;
      continue;
    }
    copy[length++] = word[at];
    ++digits;
  }
  if (digits == 0)
    failToRead(given, node, "a number");
  if (at < size && (word[at] | 0x20) == 'e') {
    copy[length++] = word[at++];
    if (at < size && (word[at] == '-' || word[at] == '+'))
      copy[length++] = word[at++];
    if (at == size)
      failToRead(given, node, "a number");
    for (; at < size && isDigit(word[at]); ++at)
      copy[length++] = word[at];
  }
  if (at < size)
    failToRead(given, node, "a number");
  copy[length] = 0;
  return sign * (type == MLC_FLOAT64 ? strtod(copy, nullptr) : double(strtof(copy, nullptr)));
}

int64_t mlc_rt_parse_integer(mlc_string given, mlc_string node, int64_t isUnsigned) {
  const mlc_string text = trimmed(given);
  const bool isSigned = text.size && (text.data[0] == '-' || text.data[0] == '+');
  const bool isNegative = isSigned && text.data[0] == '-';
  uint64_t value = 0;
  bool fits = text.size > isSigned;
  for (uint64_t i = isSigned; i < text.size && fits; ++i)
    fits = isDigit(text.data[i]) && !__builtin_mul_overflow(value, uint64_t(10), &value) &&
           !__builtin_add_overflow(value, uint64_t(text.data[i] - '0'), &value);
  const uint64_t limit = isUnsigned ? (isNegative ? 0 : UINT64_MAX) : uint64_t(INT64_MAX) + isNegative;
  if (!fits || value > limit)
    failToRead(given, node, "an integer of 64 bits");
  return int64_t(isNegative ? 0 - value : value);
}
}
