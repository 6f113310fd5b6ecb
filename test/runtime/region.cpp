// Memory: aligned blocks, buffers that are kept, regions that are given back at once.
#include "core/Memory.h"
#include <catch2/catch.hpp>
#include <cstring>

using namespace mlc::rt;

static bool aligned(const void *pointer) { return reinterpret_cast<uintptr_t>(pointer) % alignment == 0; }

TEST_CASE("blocks are aligned, also the large and the empty ones") {
  for (uint64_t bytes : {0ul, 1ul, 63ul, 64ul, 1000ul, 5000000ul}) {
    void *block = allocate(bytes);
    REQUIRE(block);
    CHECK(aligned(block));
    memset(block, 1, bytes);
    release(block);
  }
  CHECK(allocate(uint64_t(1) << 60) == nullptr);
  CHECK(allocate(UINT64_MAX) == nullptr);
}

TEST_CASE("a buffer keeps its block while it is large enough") {
  Buffer buffer;
  REQUIRE(reserve(buffer, 100));
  void *first = buffer.data;
  REQUIRE(reserve(buffer, 50));
  CHECK(buffer.data == first);
  REQUIRE(reserve(buffer, 100000));
  CHECK(buffer.bytes >= 100000);
  CHECK_FALSE(reserve(buffer, uint64_t(1) << 60));
  CHECK(buffer.data == nullptr);
  REQUIRE(reserve(buffer, 10)); // and recovers
  release(buffer);
}

TEST_CASE("pieces of a region are apart, and need one block the second time") {
  Region region;
  for (int run = 0; run < 3; ++run) {
    char *pieces[100];
    for (int i = 0; i < 100; ++i) {
      pieces[i] = static_cast<char *>(region.take(uint64_t(i) * 100));
      REQUIRE(pieces[i]);
      CHECK(aligned(pieces[i]));
      memset(pieces[i], i, size_t(i) * 100);
    }
    for (int i = 1; i < 100; ++i) {
      CHECK(pieces[i][0] == i);
      CHECK(pieces[i][i * 100 - 1] == i);
      if (run > 0)
        CHECK(pieces[i] == pieces[i - 1] + ((i - 1) * 100 + 63) / 64 * 64);
    }
    region.reset();
  }
  region.clear();
}

TEST_CASE("a region refuses what no machine has") {
  Region region;
  CHECK(region.take(UINT64_MAX) == nullptr);
  CHECK(region.take(uint64_t(1) << 55) == nullptr);
  CHECK(region.take(10) != nullptr);
  region.clear();
}
