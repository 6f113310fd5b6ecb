// Pictures, decoded to pixels: one function for each format.
#pragma once
#include <stdint.h>
#include <stdlib.h>

namespace mlc::rt {

/// Bytes of a picture in its file format.
struct Encoded {
  const uint8_t *data;
  uint64_t size;
};

/// Red, green, blue of each pixel, rows from top to bottom.
struct Image {
  int64_t width = 0, height = 0;
  uint8_t *pixels = nullptr;

  Image() = default;
  Image(const Image &) = delete;
  Image &operator=(const Image &) = delete;
  ~Image() { free(pixels); }

  /// Makes room for pixels; false when there is none, or there are no pixels.
  bool make(int64_t columns, int64_t rows) {
    constexpr int64_t most = 1 << 20; // no product of two overflows
    if (columns <= 0 || rows <= 0 || columns > most || rows > most)
      return false;
    width = columns;
    height = rows;
    pixels = static_cast<uint8_t *>(malloc(uint64_t(columns) * uint64_t(rows) * 3));
    return pixels != nullptr;
  }
};

/// Whether the file could be decoded.
bool decodeJpeg(Encoded, Image &);
bool decodePortable(Encoded, Image &); ///< PBM, PGM, PPM
bool decodePng(Encoded, Image &);
bool decodeBmp(Encoded, Image &);

/// Formats that libraries of the system decode. These are loaded when the first such picture comes; `missing` is the
/// one that could not be.
bool decodeWebp(Encoded, Image &, const char *&missing);
bool decodeTiff(Encoded, Image &, const char *&missing);
bool decodeJpeg2000(Encoded, Image &, const char *&missing);

} // namespace mlc::rt
