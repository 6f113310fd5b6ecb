// Tensors in memory: how many bytes, where the last element lies, and copies between strided and contiguous ones.
#pragma once
#include <stdint.h>

namespace mlc::rt {

inline void copyExtents(int64_t *to, const int64_t *from, int32_t rank) {
  for (int32_t axis = 0; axis < rank; ++axis) // not memcpy: pointers may be null when there are no axes
    to[axis] = from[axis];
}

/// What emitted code expects of the address of an element.
uint32_t elementAlignment(int32_t type);

/// Bytes of a contiguous tensor, -1 when its extents make no sense: negative, or too large for 63 bits even where
/// another extent is 0. Indices below such a size never overflow.
int64_t contiguousBytes(const int64_t *extents, int32_t rank, int32_t elementBits);

/// Bytes from the element at index 0, 0... to the end of the furthest one; -1 when that overflows. `strides` may be
/// null.
int64_t reachedBytes(const int64_t *extents, const int64_t *strides, int32_t rank, int32_t elementBits);

/// Whether `strides` (null or not) say that the elements lie one after the other, last axis fastest.
bool isContiguous(const int64_t *extents, const int64_t *strides, int32_t rank);

/// Copies between layouts of the same extents; null strides stand for contiguous. Elements of 1, 2, 4, 8 or 16 bytes,
/// which need not be aligned. The two must not overlap.
void copyStrided(void *to, const int64_t *toStrides, const void *from, const int64_t *fromStrides,
                 const int64_t *extents, int32_t rank, int32_t elementBytes);

} // namespace mlc::rt
