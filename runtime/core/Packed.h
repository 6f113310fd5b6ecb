// Elements of fewer than 8 bits: packed for the caller, the first one in the lowest bits, and one to a byte in emitted
// code, where signed integers are extended by their sign and everything else by zeros.
#pragma once
#include "mlc/mlc.h"

namespace mlc::rt {

inline bool isPacked(int32_t type) { return mlc_type_bits(type) > 0 && mlc_type_bits(type) < 8; }

/// Bits that an element takes in emitted code.
inline int32_t bitsInCode(int32_t type) { return isPacked(type) ? 8 : mlc_type_bits(type); }

/// `count` packed elements to bytes, and back. The bits that fill up the last packed byte are 0.
void unpack(int8_t *to, const uint8_t *from, int64_t count, int32_t type);
void pack(uint8_t *to, const int8_t *from, int64_t count, int32_t type);

} // namespace mlc::rt
