// WebP, TIFF and JPEG 2000, by the libraries that systems have for them.
//
// They are loaded when the first such picture comes, so that a model needs only those of the pictures that it gets.
#include "ops/Image.h"
#include <dlfcn.h>
#include <openjpeg.h>
#include <string.h>

namespace mlc::rt {
namespace {

/// A library with what is called of it, which stays loaded.
template <typename Functions> class Library {
public:
  struct Function {
    const char *name;
    void *place;
  };
  /// The first of `names` that there is.
  template <size_t count>
  const Functions *load(const char *const (&names)[2], const Function (&functions)[count], const char *&missing) {
    missing = names[0];
    void *library = dlopen(names[0], RTLD_NOW | RTLD_LOCAL);
    if (!library)
      library = dlopen(names[1], RTLD_NOW | RTLD_LOCAL);
    if (!library)
      return nullptr;
    for (const Function &function : functions) {
      void *address = dlsym(library, function.name);
      if (!address)
        return nullptr;
      memcpy(function.place, &address, sizeof address);
    }
    missing = nullptr;
    return &table;
  }
  Functions table;
};

} // namespace

//===-- WebP ---------------------------------------------------------------------------------===//

namespace {
struct Webp {
  int (*getInfo)(const uint8_t *, size_t, int *, int *);
  uint8_t *(*decodeInto)(const uint8_t *, size_t, uint8_t *, size_t, int);
};
} // namespace

bool decodeWebp(Encoded bytes, Image &image, const char *&missing) {
  Library<Webp> library;
  const Webp *webp = library.load(
      {"libwebp.so.7", "libwebp.so.6"},
      {{"WebPGetInfo", &library.table.getInfo}, {"WebPDecodeRGBInto", &library.table.decodeInto}}, missing);
  int width, height;
  if (!webp || !webp->getInfo(bytes.data, bytes.size, &width, &height) || !image.make(width, height))
    return false;
  return webp->decodeInto(bytes.data, bytes.size, image.pixels, size_t(width) * height * 3, width * 3);
}

//===-- TIFF ---------------------------------------------------------------------------------===//

namespace {

struct TIFF;
struct Tiff {
  TIFF *(*open)(const char *, const char *, void *, int64_t (*)(void *, void *, int64_t),
                int64_t (*)(void *, void *, int64_t), uint64_t (*)(void *, uint64_t, int), int (*)(void *),
                uint64_t (*)(void *), int (*)(void *, void **, uint64_t *), void (*)(void *, void *, uint64_t));
  void (*close)(TIFF *);
  int (*getField)(TIFF *, uint32_t, ...);
  int (*readRgba)(TIFF *, uint32_t, uint32_t, uint32_t *, int, int);
};

/// A file in memory, as libtiff and OpenJPEG read it.
struct Stream {
  Encoded bytes;
  uint64_t at = 0;

  uint64_t read(void *to, uint64_t wanted) {
    const uint64_t left = at < bytes.size ? bytes.size - at : 0, count = wanted < left ? wanted : left;
    if (count)
      memcpy(to, bytes.data + at, count);
    at += count;
    return count;
  }
};

int64_t readTiff(void *stream, void *to, int64_t count) {
  return count < 0 ? -1 : int64_t(static_cast<Stream *>(stream)->read(to, uint64_t(count)));
}
int64_t refuseToWrite(void *, void *, int64_t) { return -1; }
uint64_t seekTiff(void *data, uint64_t offset, int from) {
  auto *stream = static_cast<Stream *>(data);
  return stream->at = offset + (from == SEEK_CUR ? stream->at : from == SEEK_END ? stream->bytes.size : 0);
}
int closeTiff(void *) { return 0; }
uint64_t sizeOfTiff(void *stream) { return static_cast<Stream *>(stream)->bytes.size; }

} // namespace

bool decodeTiff(Encoded bytes, Image &image, const char *&missing) {
  Library<Tiff> library;
  Tiff &functions = library.table;
  const Tiff *tiff = library.load({"libtiff.so.6", "libtiff.so.5"},
                                  {{"TIFFClientOpen", &functions.open},
                                   {"TIFFClose", &functions.close},
                                   {"TIFFGetField", &functions.getField},
                                   {"TIFFReadRGBAImageOriented", &functions.readRgba}},
                                  missing);
  if (!tiff)
    return false;
  Stream stream{bytes};
  // m: not mapped
  TIFF *file =
      tiff->open("picture", "rm", &stream, readTiff, refuseToWrite, seekTiff, closeTiff, sizeOfTiff, nullptr, nullptr);
  if (!file)
    return false;
  constexpr uint32_t widthTag = 256, heightTag = 257;
  constexpr int topLeft = 1;
  uint32_t width = 0, height = 0;
  uint32_t *raster = nullptr;
  bool isDone = tiff->getField(file, widthTag, &width) && tiff->getField(file, heightTag, &height) &&
                image.make(width, height) &&
                (raster = static_cast<uint32_t *>(malloc(uint64_t(width) * height * sizeof(uint32_t)))) &&
                tiff->readRgba(file, width, height, raster, topLeft, 1);
  tiff->close(file);
  for (uint64_t i = 0; isDone && i < uint64_t(width) * height; ++i)
    for (int channel = 0; channel < 3; ++channel)
      image.pixels[3 * i + channel] = uint8_t(raster[i] >> (8 * channel));
  free(raster);
  return isDone;
}

//===-- JPEG 2000 ----------------------------------------------------------------------------===//

namespace {

struct Jpeg2000 {
  decltype(&opj_create_decompress) create;
  decltype(&opj_set_default_decoder_parameters) setDefaults;
  decltype(&opj_setup_decoder) setUp;
  decltype(&opj_stream_create) createStream;
  decltype(&opj_stream_set_user_data) setData;
  decltype(&opj_stream_set_user_data_length) setLength;
  decltype(&opj_stream_set_read_function) setRead;
  decltype(&opj_stream_set_skip_function) setSkip;
  decltype(&opj_stream_set_seek_function) setSeek;
  decltype(&opj_read_header) readHeader;
  decltype(&opj_decode) decode;
  decltype(&opj_stream_destroy) destroyStream;
  decltype(&opj_destroy_codec) destroy;
  decltype(&opj_image_destroy) destroyImage;
};

OPJ_SIZE_T readStream(void *to, OPJ_SIZE_T count, void *stream) {
  const uint64_t done = static_cast<Stream *>(stream)->read(to, count);
  return done ? done : OPJ_SIZE_T(-1);
}
OPJ_OFF_T skipStream(OPJ_OFF_T count, void *data) {
  static_cast<Stream *>(data)->at += uint64_t(count);
  return count;
}
OPJ_BOOL seekStream(OPJ_OFF_T offset, void *data) {
  static_cast<Stream *>(data)->at = uint64_t(offset);
  return OPJ_TRUE;
}

/// A sample in 8 bits. Components may be stored at lower resolution.
int sampleAt(const opj_image_comp_t &component, int64_t x, int64_t y) {
  const int64_t column = x / component.dx, row = y / component.dy;
  if (!component.data || column >= component.w || row >= component.h || component.prec < 1 || component.prec > 31)
    return 0;
  int64_t value = component.data[row * component.w + column];
  if (component.sgnd)
    value += int64_t(1) << (component.prec - 1);
  value = component.prec > 8 ? value >> (component.prec - 8) : value * 255 / ((1 << component.prec) - 1);
  return int(value < 0 ? 0 : value > 255 ? 255 : value);
}

bool paint(const opj_image_t &decoded, Image &image) {
  if (decoded.numcomps < 1 || decoded.x1 <= decoded.x0 || decoded.y1 <= decoded.y0)
    return false;
  for (uint32_t i = 0; i < decoded.numcomps; ++i)
    if (!decoded.comps[i].dx || !decoded.comps[i].dy)
      return false;
  if (!image.make(decoded.x1 - decoded.x0, decoded.y1 - decoded.y0))
    return false;
  uint8_t *out = image.pixels;
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x)
      for (int channel = 0; channel < 3; ++channel)
        *out++ = uint8_t(sampleAt(decoded.comps[decoded.numcomps < 3 ? 0 : channel], x, y));
  return true;
}

} // namespace

bool decodeJpeg2000(Encoded bytes, Image &image, const char *&missing) {
  Library<Jpeg2000> library;
  Jpeg2000 &functions = library.table;
  const Jpeg2000 *opj = library.load({"libopenjp2.so.7", "libopenjp2.so"},
                                     {{"opj_create_decompress", &functions.create},
                                      {"opj_set_default_decoder_parameters", &functions.setDefaults},
                                      {"opj_setup_decoder", &functions.setUp},
                                      {"opj_stream_create", &functions.createStream},
                                      {"opj_stream_set_user_data", &functions.setData},
                                      {"opj_stream_set_user_data_length", &functions.setLength},
                                      {"opj_stream_set_read_function", &functions.setRead},
                                      {"opj_stream_set_skip_function", &functions.setSkip},
                                      {"opj_stream_set_seek_function", &functions.setSeek},
                                      {"opj_read_header", &functions.readHeader},
                                      {"opj_decode", &functions.decode},
                                      {"opj_stream_destroy", &functions.destroyStream},
                                      {"opj_destroy_codec", &functions.destroy},
                                      {"opj_image_destroy", &functions.destroyImage}},
                                     missing);
  if (!opj)
    return false;
  const bool isBare = bytes.size >= 2 && bytes.data[0] == 0xFF; // a code stream without the boxes of a file
  Stream data{bytes};
  opj_dparameters_t parameters;
  opj->setDefaults(&parameters);
  constexpr OPJ_SIZE_T buffer = 1 << 16;
  opj_stream_t *stream = opj->createStream(buffer, OPJ_TRUE);
  opj_codec_t *codec = opj->create(isBare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  opj_image_t *decoded = nullptr;
  bool isDone = false;
  if (stream && codec && opj->setUp(codec, &parameters)) {
    opj->setData(stream, &data, nullptr);
    opj->setLength(stream, bytes.size);
    opj->setRead(stream, readStream);
    opj->setSkip(stream, skipStream);
    opj->setSeek(stream, seekStream);
    isDone = opj->readHeader(stream, codec, &decoded) && opj->decode(codec, stream, decoded) && paint(*decoded, image);
  }
  if (decoded)
    opj->destroyImage(decoded);
  if (codec)
    opj->destroy(codec);
  if (stream)
    opj->destroyStream(stream);
  return isDone;
}

} // namespace mlc::rt
