// What ImageDecoder calls: finds the format of a picture, decodes it, and arranges its channels.
#include "ops/Image.h"
#include "core/Sequence.h"
#include "core/Status.h"
#include <string.h>

using namespace mlc::rt;

namespace {

bool startsWith(Encoded bytes, const char *text, uint64_t size, uint64_t offset = 0) {
  return bytes.size >= offset + size && memcmp(bytes.data + offset, text, size) == 0;
}

bool isPortable(Encoded bytes) {
  return startsWith(bytes, "P", 1) && bytes.size > 2 && bytes.data[1] >= '1' && bytes.data[1] <= '6';
}

bool decode(Encoded bytes, Image &image, const char *&missing) {
  if (startsWith(bytes, "\xFF\xD8", 2))
    return decodeJpeg(bytes, image);
  if (startsWith(bytes, "\x89PNG", 4))
    return decodePng(bytes, image);
  if (startsWith(bytes, "BM", 2))
    return decodeBmp(bytes, image);
  if (isPortable(bytes))
    return decodePortable(bytes, image);
  if (startsWith(bytes, "RIFF", 4) && startsWith(bytes, "WEBP", 4, 8))
    return decodeWebp(bytes, image, missing);
  if (startsWith(bytes, "II*\0", 4) || startsWith(bytes, "MM\0*", 4) || startsWith(bytes, "II+\0", 4) ||
      startsWith(bytes, "MM\0+", 4))
    return decodeTiff(bytes, image, missing);
  if (startsWith(bytes, "\0\0\0\x0CjP  ", 8) || startsWith(bytes, "\xFF\x4F\xFF\x51", 4))
    return decodeJpeg2000(bytes, image, missing);
  return false;
}

enum class Order : int64_t { Rgb, Bgr, Gray };

/// Luma of BT.601 in 16 bits, rounded.
uint8_t grayOf(const uint8_t *pixel) {
  return uint8_t((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
}

void arrange(const Image &image, Order order, uint8_t *out) {
  const uint8_t *pixel = image.pixels, *end = pixel + image.width * image.height * 3;
  for (; pixel < end; pixel += 3) {
    if (order == Order::Gray) {
      *out++ = grayOf(pixel);
      continue;
    }
    const bool isReversed = order == Order::Bgr;
    *out++ = pixel[isReversed ? 2 : 0];
    *out++ = pixel[1];
    *out++ = pixel[isReversed ? 0 : 2];
  }
}

} // namespace

extern "C" const mlc_sequence *mlc_rt_decode_image(const mlc_sequence *file, mlc_string node, int64_t order) {
  Session &session = *currentThread->frame->session;
  const mlc_tensor &bytes = *file->begin();
  const int64_t channels = Order(order) == Order::Gray ? 1 : 3;
  const char *missing = nullptr;
  Sequence *result = newSequence(session.region, 1);
  auto *extents = static_cast<int64_t *>(session.region.take(3 * sizeof(int64_t)));
  uint8_t *pixels = nullptr;
  uint64_t size = 0;
  {
    Image image;
    // What cannot be decoded has no rows, as ONNX has it.
    const bool isDecoded = decode({static_cast<const uint8_t *>(bytes.data), bytes.bytes}, image, missing);
    const int64_t rows = isDecoded ? image.height : 0, columns = isDecoded ? image.width : 0;
    size = uint64_t(rows * columns * channels);
    pixels = static_cast<uint8_t *>(session.region.take(size));
    if (extents) {
      extents[0] = rows;
      extents[1] = columns;
      extents[2] = channels;
    }
    if (isDecoded && pixels)
      arrange(image, Order(order), pixels);
  }
  if (missing)
    failWith(session, refuse(session.error, MLC_UNSUPPORTED,
                             "%.*s: expects the library %s, which decodes pictures of this format: it is not installed",
                             int(node.size), node.data, missing));
  if (!result || !extents || !pixels)
    failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "%.*s: no memory for a picture of %llu bytes",
                             int(node.size), node.data, static_cast<unsigned long long>(size)));
  result->store->items[0] = {pixels, size, extents, 3, MLC_UINT8};
  result->store->used = result->length = 1;
  return result;
}
