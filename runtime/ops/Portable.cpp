// The portable formats of netpbm: P1 to P6, bits, grays and colours, as text or as bytes.
#include "ops/Image.h"

namespace mlc::rt {
namespace {

/// Reads a file from its begin.
class Reader {
public:
  explicit Reader(Encoded bytes) : next(bytes.data), end(bytes.data + bytes.size) {}

  int byte() { return next < end ? *next++ : -1; }
  /// After white space and comments; -1 if there is none.
  int64_t number() {
    skipSpace();
    if (next == end || !isDigit(*next))
      return -1;
    int64_t value = 0;
    for (; next < end && isDigit(*next) && value < (1 << 24); ++next)
      value = value * 10 + (*next - '0');
    return value;
  }
  /// A bit as text, which needs no space behind it.
  int bit() {
    skipSpace();
    const int digit = byte() - '0';
    return digit == 0 || digit == 1 ? digit : -1;
  }

private:
  static bool isDigit(int c) { return c >= '0' && c <= '9'; }
  void skipSpace() {
    for (; next < end && (*next == '#' || *next == ' ' || (*next >= '\t' && *next <= '\r')); ++next)
      if (*next == '#')
        while (next + 1 < end && *next != '\n')
          ++next;
  }

  const uint8_t *next, *end;
};

/// Fills one row of samples; -1 stands for what is missing.
bool readBits(Reader &reader, bool isText, int64_t width, uint8_t *out) {
  int byte = 0;
  for (int64_t x = 0; x < width; ++x) {
    if (!isText && x % 8 == 0)
      byte = reader.byte();
    const int bit = isText ? reader.bit() : byte < 0 ? -1 : byte >> (7 - x % 8) & 1;
    if (bit < 0)
      return false;
    out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = bit ? 0 : 255; // 1 is black
  }
  return true;
}

bool readSamples(Reader &reader, bool isText, bool isGray, int64_t most, int64_t width, uint8_t *out) {
  for (int64_t x = 0; x < width; ++x)
    for (int channel = 0; channel < 3; ++channel) {
      if (isGray && channel) {
        out[3 * x + channel] = out[3 * x];
        continue;
      }
      int64_t sample = isText ? reader.number() : reader.byte();
      if (!isText && most > 255 && sample >= 0) {
        const int low = reader.byte();
        sample = low < 0 ? -1 : sample << 8 | low;
      }
      if (sample < 0)
        return false;
      out[3 * x + channel] = uint8_t(sample >= most ? 255 : (sample * 255 + most / 2) / most);
    }
  return true;
}

} // namespace

bool decodePortable(Encoded bytes, Image &image) {
  Reader reader(bytes);
  reader.byte();
  const int kind = reader.byte() - '0';
  const bool isText = kind <= 3, isBits = kind == 1 || kind == 4, isGray = kind == 2 || kind == 5;
  const int64_t width = reader.number(), height = reader.number(), most = isBits ? 1 : reader.number();
  if (most < 1 || most > 65535 || width <= 0 || height <= 0)
    return false;
  if (!isText)
    reader.byte(); // one white space ends the header
  // A short file is not worth the memory that its header asks for.
  if (uint64_t(width) > bytes.size * 8 || uint64_t(height) > bytes.size * 8 / uint64_t(width) * 8)
    return false;
  if (!image.make(width, height))
    return false;
  for (int64_t y = 0; y < height; ++y) {
    uint8_t *row = image.pixels + y * width * 3;
    if (!(isBits ? readBits(reader, isText, width, row) : readSamples(reader, isText, isGray, most, width, row)))
      return false;
  }
  return true;
}

} // namespace mlc::rt
