// PNG and BMP, by stb_image. Alpha is dropped, 16 bits become 8.
#include "ops/Image.h"
#include <string.h>

#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#include "ops/StbImage.h"

namespace mlc::rt {

static bool decode(Encoded bytes, Image &image) {
  int width, height, channels;
  if (bytes.size > INT32_MAX)
    return false;
  image.pixels = stbi_load_from_memory(bytes.data, int(bytes.size), &width, &height, &channels, 3);
  if (!image.pixels)
    return false;
  image.width = width;
  image.height = height;
  return true;
}

bool decodePng(Encoded bytes, Image &image) { return decode(bytes, image); }
bool decodeBmp(Encoded bytes, Image &image) { return decode(bytes, image); }

} // namespace mlc::rt
