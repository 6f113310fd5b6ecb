// Pictures: the formats that the runtime decodes itself, and files that are none.
#include "ops/Image.h"
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace mlc::rt;
using namespace std::literals;

namespace {

Encoded encoded(std::string_view text) { return {reinterpret_cast<const uint8_t *>(text.data()), text.size()}; }

using Decode = bool (*)(Encoded, Image &);

/// Rows of pixels, in hexadecimal digits; empty if it cannot be decoded.
std::string pixelsOf(Decode decode, std::string_view file) {
  Image image;
  if (!decode(encoded(file), image))
    return "";
  std::string text;
  for (int64_t i = 0; i < image.width * image.height * 3; ++i) {
    constexpr char digits[] = "0123456789abcdef";
    text += {digits[image.pixels[i] >> 4], digits[image.pixels[i] & 15]};
    if ((i + 1) % (image.width * 3) == 0)
      text += '/';
    else if (i % 3 == 2)
      text += ' ';
  }
  return text;
}

/// Two pixels in a row of 8 bytes, above one another: the lower row is the first in the file.
std::string bitmap() {
  std::string file = "BM"s + std::string("\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0", 28);
  file += std::string(24, '\0');
  file += "\x01\x02\x03\x04\x05\x06\0\0"s;
  file += "\x11\x12\x13\x14\x15\x16\0\0"s;
  return file;
}

} // namespace

TEST_CASE("portable pictures of all kinds") {
  CHECK(pixelsOf(decodePortable, "P1 # a comment\n3 2\n010\n1 0 1") == "ffffff 000000 ffffff/000000 ffffff 000000/");
  CHECK(pixelsOf(decodePortable, "P2\n2 1 15\n0 15") == "000000 ffffff/");
  CHECK(pixelsOf(decodePortable, "P3 1 1 255 1 2 255") == "0102ff/");
  CHECK(pixelsOf(decodePortable, "P4 9 1\n\xA0\x80"sv) ==
        "000000 ffffff 000000 ffffff ffffff ffffff ffffff ffffff 000000/");
  CHECK(pixelsOf(decodePortable, "P5 2 1 255\n\x10\x20"sv) == "101010 202020/");
  CHECK(pixelsOf(decodePortable, "P5 1 1 65535\n\x80\x80"sv) == "808080/");
  CHECK(pixelsOf(decodePortable, "P6 1 1 255\n\x01\x02\x03"sv) == "010203/");
}

TEST_CASE("portable pictures that are none") {
  for (std::string_view file : {"P", "P6", "P6 1", "P6 0 1 255\n", "P6 1 1 0\n\1\1\1", "P6 1 1 65536\n\1\1\1\1\1\1",
                                "P6 1 1 255\n\1\1", "P6 -1 1 255\n\1\1\1", "P1 2 1 02", "P2 2 1 15 0",
                                "P6 1000000 1000000 255\n\1\1\1", "P4 99999999999999999999 1\n\1"})
    CHECK(pixelsOf(decodePortable, file) == "");
}

TEST_CASE("a bitmap, and its parts") {
  const std::string file = bitmap();
  CHECK(pixelsOf(decodeBmp, file) == "131211 161514/030201 060504/");
  for (size_t size = 0; size < 54; ++size)
    CHECK(pixelsOf(decodeBmp, std::string_view(file).substr(0, size)) == "");
}

TEST_CASE("files of no format are refused by every decoder") {
  const char *missing = nullptr;
  for (std::string_view file : {"\xFF\xD8\xFF\xE0"sv, "\x89PNG\r\n\x1A\n"sv, "BM"sv, "RIFF\0\0\0\0WEBPVP8 "sv,
                                "II*\0"sv, "\0\0\0\x0CjP  \r\n\x87\n"sv, "\xFF\x4F\xFF\x51"sv, ""sv}) {
    for (Decode decode : {decodeJpeg, decodePng, decodeBmp, decodePortable})
      CHECK(pixelsOf(decode, file) == "");
    for (auto decode : {decodeWebp, decodeJpeg2000}) {
      Image image;
      CHECK(!decode(encoded(file), image, missing));
    }
  }
}
