#include "core/Packed.h"

namespace mlc::rt {

void unpack(int8_t *to, const uint8_t *from, int64_t count, int32_t type) {
  const int32_t bits = mlc_type_bits(type), perByte = 8 / bits;
  const bool isSigned = type == MLC_INT4 || type == MLC_INT2;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t shifted = from[i / perByte] << (8 - bits - i % perByte * bits); // the element is on top of the byte
    to[i] = isSigned ? int8_t(int8_t(shifted) >> (8 - bits)) : int8_t(uint8_t(shifted) >> (8 - bits));
  }
}

void pack(uint8_t *to, const int8_t *from, int64_t count, int32_t type) {
  const int32_t bits = mlc_type_bits(type), perByte = 8 / bits;
  for (int64_t first = 0; first < count; first += perByte) {
    uint32_t byte = 0;
    for (int64_t i = first; i < first + perByte && i < count; ++i)
      byte |= (uint32_t(uint8_t(from[i])) & ((1u << bits) - 1)) << ((i - first) * bits);
    to[first / perByte] = uint8_t(byte);
  }
}

} // namespace mlc::rt
