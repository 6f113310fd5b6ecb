// JPEG, pixel for pixel as libjpeg-turbo decodes it by default, which is what ONNX describes.
//
// stb_image reads the file and its coefficients. What makes pixels of them is here, since stb rounds otherwise: the
// inverse cosine transform (Loeffler, Ligtenberg and Moschytz: Practical fast 1-D DCT algorithms with 11
// multiplications, ICASSP 1989), the upsampling of colours that ONNX describes, and YCbCr of JFIF.
#include "ops/Image.h"
#include <string.h>

#define STBI_ONLY_JPEG
#include "ops/StbImage.h"

namespace mlc::rt {
namespace {

uint8_t clamped(int64_t value) { return uint8_t(value < 0 ? 0 : value > 255 ? 255 : value); }

//===-- Inverse cosine transform -------------------------------------------------------------===//

constexpr int fractionBits = 13, bitsBetween = 2;
/// A positive factor in fixed point, rounded.
constexpr int64_t fixed(double factor, int bits = fractionBits) { return (int64_t(factor * (2 << bits)) + 1) / 2; }

/// Eight numbers `stride` apart, transformed; with fractionBits more than they had.
void transform(const int64_t *in, int stride, int64_t out[8]) {
  const auto x = [&](int i) { return in[i * stride]; };
  const int64_t turned = (x(2) + x(6)) * fixed(0.541196100), low = turned - x(6) * fixed(1.847759065),
                high = turned + x(2) * fixed(0.765366865);
  const int64_t sum = (x(0) + x(4)) * (1 << fractionBits), difference = (x(0) - x(4)) * (1 << fractionBits);
  const int64_t even[4] = {sum + high, difference + low, difference - low, sum - high};

  const int64_t all = (x(7) + x(3) + x(5) + x(1)) * fixed(1.175875602);
  const int64_t outer = -(x(7) + x(1)) * fixed(0.899976223), inner = -(x(5) + x(3)) * fixed(2.562915447),
                first = all - (x(7) + x(3)) * fixed(1.961570560), second = all - (x(5) + x(1)) * fixed(0.390180644);
  const int64_t odd[4] = {x(1) * fixed(1.501321110) + outer + second, x(3) * fixed(3.072711026) + inner + first,
                          x(5) * fixed(2.053119869) + inner + second, x(7) * fixed(0.298631336) + outer + first};
  for (int i = 0; i < 4; ++i) {
    out[i] = even[i] + odd[i];
    out[7 - i] = even[i] - odd[i];
  }
}

int64_t withoutBits(int64_t value, int bits) { return (value + (int64_t(1) << (bits - 1))) >> bits; }

void transformBlock(stbi_uc *out, int outStride, short coefficients[64]) {
  int64_t block[64], line[8];
  for (int i = 0; i < 64; ++i)
    block[i] = coefficients[i];
  for (int column = 0; column < 8; ++column) {
    transform(block + column, 8, line);
    for (int row = 0; row < 8; ++row)
      block[row * 8 + column] = withoutBits(line[row], fractionBits - bitsBetween);
  }
  for (int row = 0; row < 8; ++row) {
    transform(block + row * 8, 1, line);
    for (int column = 0; column < 8; ++column) // 3: each of the two passes has scaled by the root of 8
      out[row * outStride + column] = clamped(withoutBits(line[column], fractionBits + bitsBetween + 3) + 128);
  }
}

//===-- Upsampling ---------------------------------------------------------------------------===//

/// One component of the picture as it is stored.
struct Plane {
  const uint8_t *data;
  int stride, width, height;
  int across, down; ///< pixels of the picture for one that is stored

  const uint8_t *row(int y) const { return data + int64_t(stride) * (y < 0 ? 0 : y >= height ? height - 1 : y); }
};

/// Row `y` of the picture, `width` pixels of it.
void upsample(const Plane &plane, int y, uint8_t *out, int width) {
  const int own = y / plane.down;
  const uint8_t *near = plane.row(own);
  const bool isFancyDown = plane.down == 2 && plane.across <= 2, isFancyAcross = plane.across == 2 && plane.width > 2;
  if (plane.across == 1 && isFancyDown) {
    const bool isUpper = y % 2 == 0;
    const uint8_t *far = plane.row(isUpper ? own - 1 : own + 1);
    for (int x = 0; x < width; ++x)
      out[x] = uint8_t((near[x] * 3 + far[x] + (isUpper ? 1 : 2)) >> 2);
    return;
  }
  if (!isFancyAcross || plane.down > 2) {
    for (int x = 0; x < width; ++x)
      out[x] = near[x / plane.across];
    return;
  }
  // The nearer pixel counts three times; halves are rounded down and up in turn.
  const uint8_t *far = plane.down == 1 ? near : plane.row(y % 2 == 0 ? own - 1 : own + 1);
  const int scale = plane.down == 1 ? 1 : 4, shift = plane.down == 1 ? 2 : 4;
  const int roundLeft = plane.down == 1 ? 1 : 8, roundRight = plane.down == 1 ? 2 : 7;
  const auto column = [&](int x) { return scale == 1 ? int(near[x]) : near[x] * 3 + far[x]; };
  for (int x = 0; x < width; ++x) {
    const int center = x / 2, beside = x % 2 ? center + 1 : center - 1;
    if (beside < 0 || beside >= plane.width)
      out[x] = uint8_t((column(center) * 4 + (x % 2 ? roundRight : roundLeft)) >> shift);
    else
      out[x] = uint8_t((column(center) * 3 + column(beside) + (x % 2 ? roundRight : roundLeft)) >> shift);
  }
}

//===-- Colours ------------------------------------------------------------------------------===//

void toRgb(int luma, int blue, int red, uint8_t *out) {
  constexpr int bits = 16;
  const auto factor = [](double value) { return fixed(value, bits); };
  constexpr int64_t half = 1 << (bits - 1);
  blue -= 128;
  red -= 128;
  out[0] = clamped(luma + ((factor(1.40200) * red + half) >> bits));
  out[1] = clamped(luma + ((half - factor(0.34414) * blue - factor(0.71414) * red) >> bits));
  out[2] = clamped(luma + ((factor(1.77200) * blue + half) >> bits));
}

/// Product of two numbers that mean 0 to 1.
uint8_t product(int a, int b) {
  const int scaled = a * b + 128;
  return uint8_t((scaled + (scaled >> 8)) >> 8);
}

/// Adobe's programs store inks, CMYK, inverted, and say so; others store them as they are.
enum class Colours { Gray, Ycc, Rgb, Inks, InvertedInks, InvertedInksAsYcc };

Colours coloursOf(const stbi__jpeg &file) {
  if (file.s->img_n == 1)
    return Colours::Gray;
  if (file.s->img_n == 4 && file.app14_color_transform < 0)
    return Colours::Inks;
  if (file.s->img_n == 4)
    return file.app14_color_transform == 2 ? Colours::InvertedInksAsYcc : Colours::InvertedInks;
  return file.rgb == 3 || (file.app14_color_transform == 0 && !file.jfif) ? Colours::Rgb : Colours::Ycc;
}

void paint(Colours colours, const uint8_t *const rows[4], int width, uint8_t *out) {
  for (int x = 0; x < width; ++x, out += 3)
    switch (colours) {
    case Colours::Gray:
      out[0] = out[1] = out[2] = rows[0][x];
      break;
    case Colours::Ycc:
      toRgb(rows[0][x], rows[1][x], rows[2][x], out);
      break;
    case Colours::Rgb:
      for (int i = 0; i < 3; ++i)
        out[i] = rows[i][x];
      break;
    case Colours::Inks:
      for (int i = 0; i < 3; ++i)
        out[i] = product(255 - rows[i][x], 255 - rows[3][x]);
      break;
    case Colours::InvertedInks:
      for (int i = 0; i < 3; ++i)
        out[i] = product(rows[i][x], rows[3][x]);
      break;
    case Colours::InvertedInksAsYcc:
      toRgb(rows[0][x], rows[1][x], rows[2][x], out);
      for (int i = 0; i < 3; ++i)
        out[i] = product(255 - out[i], rows[3][x]);
      break;
    }
}

bool paintAll(const stbi__jpeg &file, Image &image) {
  const int width = int(file.s->img_x), height = int(file.s->img_y), count = file.s->img_n;
  for (int i = 0; i < count; ++i)
    if (file.img_h_max % file.img_comp[i].h || file.img_v_max % file.img_comp[i].v)
      return false;
  if (!image.make(width, height))
    return false;
  auto *rows = static_cast<uint8_t *>(malloc(size_t(width) * 4));
  if (!rows)
    return false;
  const uint8_t *const row[4] = {rows, rows + width, rows + 2 * width, rows + 3 * width};
  for (int y = 0; y < height; ++y) {
    for (int i = 0; i < count; ++i) {
      const auto &component = file.img_comp[i];
      upsample({component.data, component.w2, component.x, component.y, file.img_h_max / component.h,
                file.img_v_max / component.v},
               y, rows + i * width, width);
    }
    paint(coloursOf(file), row, width, image.pixels + int64_t(y) * width * 3);
  }
  free(rows);
  return true;
}

} // namespace

bool decodeJpeg(Encoded bytes, Image &image) {
  if (bytes.size > INT32_MAX)
    return false;
  auto *file = static_cast<stbi__jpeg *>(calloc(1, sizeof(stbi__jpeg)));
  if (!file)
    return false;
  stbi__context context;
  stbi__start_mem(&context, bytes.data, int(bytes.size));
  file->s = &context;
  stbi__setup_jpeg(file);
  file->idct_block_kernel = transformBlock;
  context.img_n = 0; // what decoding cleans up, should it fail before it knows
  const bool isDone = stbi__decode_jpeg_image(file) && paintAll(*file, image);
  stbi__cleanup_jpeg(file);
  free(file);
  return isDone;
}

} // namespace mlc::rt
