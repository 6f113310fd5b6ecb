// Sizes of tensors, and copies between their layouts.
#include "core/Strides.h"
#include "mlc/mlc.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <vector>

using namespace mlc::rt;
using Extents = std::vector<int64_t>;

static int64_t bytes(const Extents &extents, int32_t bits = 32) {
  return contiguousBytes(extents.data(), int32_t(extents.size()), bits);
}
static int64_t reach(const Extents &extents, const Extents &strides, int32_t bits = 32) {
  return reachedBytes(extents.data(), strides.data(), int32_t(extents.size()), bits);
}
static bool contiguous(const Extents &extents, const Extents &strides) {
  return isContiguous(extents.data(), strides.data(), int32_t(extents.size()));
}

TEST_CASE("the size of a contiguous tensor") {
  CHECK(bytes({}) == 4);
  CHECK(bytes({2, 3}) == 24);
  CHECK(bytes({2, 0, 3}) == 0);
  CHECK(bytes({3}, 4) == 2); // packed, rounded up
  CHECK(bytes({int64_t(1) << 57}) == int64_t(1) << 59);
}

TEST_CASE("sizes that cannot be addressed are refused") {
  CHECK(bytes({-1}) == -1);
  CHECK(bytes({int64_t(1) << 62}) == -1);
  CHECK(bytes({int64_t(1) << 31, int64_t(1) << 31}) == -1);
  CHECK(bytes({0, int64_t(1) << 62}) == -1); // its strides would overflow
  CHECK(bytes({INT64_MAX}, 1) == -1);
}

TEST_CASE("how far strides reach") {
  CHECK(reach({2, 3}, {3, 1}) == 24);
  CHECK(reach({2, 3}, {10, 1}) == 4 * 13);
  CHECK(reach({2, 3}, {0, 1}) == 12);
  CHECK(reach({2, 3}, {-3, 1}) == 12); // only what lies above the first element
  CHECK(reach({2, 0}, {1000, 1}) == 0);
  CHECK(reach({2, 3}, {INT64_MAX, 1}) == -1);
  CHECK(reach({3, 3}, {INT64_MIN, 1}) == -1);
  CHECK(reach({2}, {INT64_MAX / 32}) == -1);
}

TEST_CASE("which strides are contiguous") {
  CHECK(contiguous({2, 3}, {3, 1}));
  CHECK(contiguous({1, 3}, {77, 1})); // a single index needs no stride
  CHECK(contiguous({0, 3}, {5, 9}));
  CHECK_FALSE(contiguous({2, 3}, {1, 2}));
  CHECK_FALSE(contiguous({2, 3}, {4, 1}));
  CHECK_FALSE(contiguous({2, 3}, {3, -1}));
}

/// Copies element by element, as slowly and plainly as possible.
template <typename Element>
static void copyPlainly(Element *to, const Extents &toStrides, const Element *from, const Extents &fromStrides,
                        const Extents &extents, size_t axis = 0) {
  if (axis == extents.size())
    *to = *from;
  else
    for (int64_t i = 0; i < extents[axis]; ++i)
      copyPlainly(to + i * toStrides[axis], toStrides, from + i * fromStrides[axis], fromStrides, extents, axis + 1);
}

static Extents rowMajor(const Extents &extents) {
  Extents strides(extents.size(), 1);
  for (size_t axis = extents.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * extents[axis];
  return strides;
}

struct Sixteen {
  int64_t low, high;
  bool operator==(const Sixteen &) const = default;
};
static void fill(std::vector<Sixteen> &elements) {
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] = {int64_t(i), -int64_t(i)};
}
template <typename Element> static void fill(std::vector<Element> &elements) {
  std::iota(elements.begin(), elements.end(), Element(1));
}

TEMPLATE_TEST_CASE("copies between layouts", "", int8_t, int16_t, int32_t, int64_t, Sixteen) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Extents extents(random() % 6);
    for (int64_t &extent : extents)
      extent = int64_t(random() % 4) + (random() % 8 != 0);
    // A permuted, padded layout with some axes running backwards.
    std::vector<size_t> order(extents.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    Extents strides(extents.size());
    int64_t size = 1, start = 0;
    for (size_t axis : order) {
      strides[axis] = size;
      size *= std::max<int64_t>(extents[axis], 1) + int64_t(random() % 2);
      if (random() % 4 == 0 && extents[axis] > 0) {
        start += strides[axis] * (extents[axis] - 1);
        strides[axis] = -strides[axis];
      }
    }
    const Extents dense = rowMajor(extents);
    const size_t denseSize = std::accumulate(extents.begin(), extents.end(), size_t(1), std::multiplies<>());
    std::vector<TestType> spread((size_t(size))), expected(denseSize + 1), got(denseSize + 1);
    fill(spread);
    copyPlainly(expected.data(), dense, spread.data() + start, strides, extents);
    copyStrided(got.data(), nullptr, spread.data() + start, strides.data(), extents.data(), int32_t(extents.size()),
                sizeof(TestType));
    CHECK(got == expected);

    std::vector<TestType> expectedBack(spread.size()), gotBack(spread.size());
    copyPlainly(expectedBack.data() + start, strides, expected.data(), dense, extents);
    copyStrided(gotBack.data() + start, strides.data(), expected.data(), nullptr, extents.data(),
                int32_t(extents.size()), sizeof(TestType));
    CHECK(gotBack == expectedBack);
  }
}

TEST_CASE("a tensor of many axes is copied") {
  const Extents extents(18, 2);
  Extents reversed(18);
  for (size_t axis = 0; axis < 18; ++axis)
    reversed[axis] = int64_t(1) << axis;
  std::vector<int32_t> from(size_t(1) << 18), to(from.size()), expected(from.size());
  fill(from);
  copyStrided(to.data(), nullptr, from.data(), reversed.data(), extents.data(), 18, 4);
  copyPlainly(expected.data(), rowMajor(extents), from.data(), reversed, extents);
  CHECK(to == expected);
}
