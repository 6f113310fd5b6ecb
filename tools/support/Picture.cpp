// Pictures as inputs. stb_image is public domain, a single header.
#include "Errors.h"
#include "TensorFiles.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 65536
#include <stb/stb_image.h>

using namespace llvm;

namespace mlc {

Expected<Picture> decodePicture(StringRef bytes, int channels) {
  int width, height, stored;
  stbi_uc *pixels = stbi_load_from_memory(reinterpret_cast<const stbi_uc *>(bytes.data()), bytes.size(), &width,
                                          &height, &stored, channels);
  if (!pixels)
    return fail(Twine("not a picture that can be read: ") + stbi_failure_reason());
  Picture picture{width, height, channels, {pixels, pixels + size_t(width) * height * channels}};
  stbi_image_free(pixels);
  return picture;
}

namespace {
enum class Order { ChannelsFirst, ChannelsLast };

/// How a port wants the numbers of a picture.
struct Arrangement {
  int channels;
  Order order;
};
} // namespace

static bool isChannelCount(int64_t extent) { return extent == 1 || extent == 3 || extent == 4; }

static Arrangement arrangementFor(ArrayRef<int64_t> extents) {
  if (extents.size() == 4)
    extents = extents.drop_front();
  if (extents.size() != 3)
    return {1, Order::ChannelsFirst};
  if (isChannelCount(extents[2]) && !isChannelCount(extents[0]))
    return {static_cast<int>(extents[2]), Order::ChannelsLast};
  return {isChannelCount(extents[0]) ? static_cast<int>(extents[0]) : 3, Order::ChannelsFirst};
}

Expected<Tensor> readPicture(StringRef bytes, const mlc_port &port) {
  ArrayRef<int64_t> wanted(port.extents, port.rank);
  if (wanted.size() < 2 || wanted.size() > 4)
    return fail("a picture needs an input of rank 2 to 4, got " + std::to_string(wanted.size()));
  Arrangement arrangement = arrangementFor(wanted);
  Expected<Picture> picture = decodePicture(bytes, arrangement.channels);
  if (!picture)
    return picture.takeError();

  int64_t channels = picture->channels, height = picture->height, width = picture->width, area = height * width;
  SmallVector<int64_t> extents;
  if (wanted.size() == 4)
    extents.push_back(1);
  if (wanted.size() == 2)
    extents =
        wanted[1] == area && wanted[0] != height ? SmallVector<int64_t>{1, area} : SmallVector<int64_t>{height, width};
  else if (arrangement.order == Order::ChannelsFirst)
    extents.append({channels, height, width});
  else
    extents.append({height, width, channels});

  Tensor tensor(static_cast<mlc_type>(port.type), extents);
  for (int64_t pixel = 0; pixel < area; ++pixel)
    for (int64_t channel = 0; channel < channels; ++channel)
      tensor.setNumber(arrangement.order == Order::ChannelsFirst ? channel * area + pixel : pixel * channels + channel,
                       picture->pixels[pixel * channels + channel]);
  return tensor;
}

} // namespace mlc
