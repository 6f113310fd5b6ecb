#include "core/Packed.h"
#include <catch2/catch.hpp>
#include <vector>

using namespace mlc::rt;

TEST_CASE("elements are unpacked from the lowest bits on") {
  const std::vector<uint8_t> packed = {0x9F, 0x07};
  std::vector<int8_t> bytes(3);
  unpack(bytes.data(), packed.data(), 3, MLC_UINT4);
  CHECK(bytes == std::vector<int8_t>{15, 9, 7});
  unpack(bytes.data(), packed.data(), 3, MLC_INT4);
  CHECK(bytes == std::vector<int8_t>{-1, -7, 7});
  unpack(bytes.data(), packed.data(), 3, MLC_FLOAT4E2M1);
  CHECK(bytes == std::vector<int8_t>{15, 9, 7});
  std::vector<int8_t> quarters(5);
  unpack(quarters.data(), packed.data(), 5, MLC_INT2);
  CHECK(quarters == std::vector<int8_t>{-1, -1, 1, -2, -1});
}

TEST_CASE("what is packed is what was unpacked") {
  const auto type = GENERATE(MLC_INT4, MLC_UINT4, MLC_FLOAT4E2M1, MLC_INT2, MLC_UINT2);
  const std::vector<uint8_t> packed = {0x21, 0xE8, 0x03};
  std::vector<int8_t> bytes(type == MLC_INT2 || type == MLC_UINT2 ? 9 : 5);
  unpack(bytes.data(), packed.data(), int64_t(bytes.size()), type);
  std::vector<uint8_t> again(3, 0xFF);
  pack(again.data(), bytes.data(), int64_t(bytes.size()), type);
  CHECK(again == packed);
}
