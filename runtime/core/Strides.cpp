// Tensors in memory, and copies between their layouts.
//
// A copy first drops axes of extent 1 and merges neighbours that lie one behind the other in both tensors; what is left
// is a walk over the outer axes with a loop over the last one, or one memcpy for each where both sides are contiguous.
#include "core/Strides.h"
#include "mlc/mlc.h"
#include <string.h>

namespace mlc::rt {

uint32_t elementAlignment(int32_t type) {
  const int32_t bits = mlc_type_bits(type);
  return bits <= 8 ? 1 : bits < 64 ? uint32_t(bits) / 8 : 8;
}

int64_t contiguousBytes(const int64_t *extents, int32_t rank, int32_t elementBits) {
  // Zeros count as ones here, so that strides, which are products of some of the extents, fit as well.
  int64_t bits = elementBits;
  bool empty = false;
  for (int32_t axis = 0; axis < rank; ++axis) {
    if (extents[axis] < 0 || __builtin_mul_overflow(bits, extents[axis] ? extents[axis] : 1, &bits))
      return -1;
    empty |= extents[axis] == 0;
  }
  if (bits > INT64_MAX - 7)
    return -1;
  return empty ? 0 : (bits + 7) / 8;
}

int64_t reachedBytes(const int64_t *extents, const int64_t *strides, int32_t rank, int32_t elementBits) {
  int64_t contiguous = contiguousBytes(extents, rank, elementBits);
  if (!strides || contiguous <= 0)
    return contiguous;
  int64_t last = 0;  // of the elements above the first
  int64_t first = 0; // of those below, for its overflow only
  for (int32_t axis = 0; axis < rank; ++axis) {
    int64_t way;
    int64_t &end = strides[axis] < 0 ? first : last;
    if (__builtin_mul_overflow(extents[axis] - 1, strides[axis], &way) || __builtin_add_overflow(end, way, &end))
      return -1;
  }
  int64_t bits;
  if (__builtin_mul_overflow(first, int64_t(elementBits), &bits) || __builtin_add_overflow(last, int64_t(1), &last) ||
      __builtin_mul_overflow(last, int64_t(elementBits), &bits) || bits > INT64_MAX - 7)
    return -1;
  return (bits + 7) / 8;
}

bool isContiguous(const int64_t *extents, const int64_t *strides, int32_t rank) {
  if (!strides)
    return true;
  int64_t expected = 1;
  bool contiguous = true;
  for (int32_t axis = rank; axis-- > 0;) {
    if (extents[axis] == 0)
      return true; // nothing lies anywhere
    contiguous &= extents[axis] == 1 || strides[axis] == expected;
    expected *= extents[axis];
  }
  return contiguous;
}

namespace {
struct Axis {
  int64_t extent;
  int64_t to, from; ///< bytes from one index to the next
};
} // namespace

/// Axes that the walk keeps on the stack. Deeper tensors recurse once more for each one above.
constexpr int32_t maxAxes = 16;

template <typename Element> static void copyLine(char *to, const char *from, const Axis &axis) {
  for (int64_t i = 0; i < axis.extent; ++i, to += axis.to, from += axis.from)
    memcpy(to, from, sizeof(Element)); // one move; elements need not be aligned
}

namespace {
struct Wide {
  char bytes[16];
};
} // namespace

static void copyLine(char *to, const char *from, const Axis &axis, int32_t elementBytes) {
  if (axis.to == elementBytes && axis.from == elementBytes) {
    memcpy(to, from, size_t(axis.extent * elementBytes));
    return;
  }
  switch (elementBytes) {
  case 1:
    return copyLine<int8_t>(to, from, axis);
  case 2:
    return copyLine<int16_t>(to, from, axis);
  case 4:
    return copyLine<int32_t>(to, from, axis);
  case 8:
    return copyLine<int64_t>(to, from, axis);
  default:
    return copyLine<Wide>(to, from, axis);
  }
}

/// Copies a grid of at most maxAxes axes, the last one innermost.
static void copyGrid(char *to, const char *from, const Axis *axes, int32_t count, int32_t elementBytes) {
  int64_t index[maxAxes] = {};
  for (;;) {
    copyLine(to, from, axes[count - 1], elementBytes);
    int32_t axis = count - 2;
    for (; axis >= 0; --axis) {
      to += axes[axis].to;
      from += axes[axis].from;
      if (++index[axis] < axes[axis].extent)
        break;
      to -= axes[axis].to * axes[axis].extent;
      from -= axes[axis].from * axes[axis].extent;
      index[axis] = 0;
    }
    if (axis < 0)
      return;
  }
}

void copyStrided(void *to, const int64_t *toStrides, const void *from, const int64_t *fromStrides,
                 const int64_t *extents, int32_t rank, int32_t elementBytes) {
  // Too deep for one walk: the outer axes one by one. The products fit, since contiguousBytes has accepted the extents.
  if (rank > maxAxes) {
    int64_t inner = elementBytes;
    for (int32_t axis = 1; axis < rank; ++axis)
      inner *= extents[axis];
    int64_t toStep = toStrides ? toStrides[0] * elementBytes : inner;
    int64_t fromStep = fromStrides ? fromStrides[0] * elementBytes : inner;
    for (int64_t i = 0; i < extents[0]; ++i)
      copyStrided(static_cast<char *>(to) + i * toStep, toStrides ? toStrides + 1 : nullptr,
                  static_cast<const char *>(from) + i * fromStep, fromStrides ? fromStrides + 1 : nullptr, extents + 1,
                  rank - 1, elementBytes);
    return;
  }

  // Innermost axis first, since contiguous strides grow that way.
  Axis reversed[maxAxes + 1] = {{1, elementBytes, elementBytes}};
  int32_t count = 0;
  int64_t contiguous = elementBytes;
  for (int32_t axis = rank; axis-- > 0;) {
    if (extents[axis] == 0)
      return;
    if (extents[axis] == 1)
      continue;
    Axis next = {extents[axis], toStrides ? toStrides[axis] * elementBytes : contiguous,
                 fromStrides ? fromStrides[axis] * elementBytes : contiguous};
    contiguous *= extents[axis];
    Axis *inner = count ? &reversed[count - 1] : nullptr;
    if (inner && next.to == inner->to * inner->extent && next.from == inner->from * inner->extent)
      inner->extent *= next.extent;
    else
      reversed[count++] = next;
  }
  if (count == 0)
    count = 1; // a single element
  Axis axes[maxAxes];
  for (int32_t i = 0; i < count; ++i)
    axes[i] = reversed[count - 1 - i];
  copyGrid(static_cast<char *>(to), static_cast<const char *>(from), axes, count, elementBytes);
}

} // namespace mlc::rt
