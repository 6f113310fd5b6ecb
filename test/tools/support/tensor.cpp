// Elements of every width, and tensors as text.
#include "support/Tensor.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace mlc;

TEST_CASE("elements of each type are stored and read back") {
  auto [type, value] = GENERATE(table<mlc_type, double>({{MLC_FLOAT32, 0.5},
                                                         {MLC_FLOAT64, 1e300},
                                                         {MLC_FLOAT16, -2.5},
                                                         {MLC_BFLOAT16, 3.0},
                                                         {MLC_FLOAT8E4M3FN, 448},
                                                         {MLC_FLOAT8E4M3FNUZ, -240},
                                                         {MLC_FLOAT8E5M2, 57344},
                                                         {MLC_FLOAT8E5M2FNUZ, 0.125},
                                                         {MLC_FLOAT8E8M0, 0.25},
                                                         {MLC_FLOAT4E2M1, -6},
                                                         {MLC_INT64, -9007199254740992},
                                                         {MLC_INT8, -128},
                                                         {MLC_UINT8, 255},
                                                         {MLC_UINT16, 65535},
                                                         {MLC_UINT32, 4294967295},
                                                         {MLC_INT4, -8},
                                                         {MLC_UINT4, 15},
                                                         {MLC_INT2, -2},
                                                         {MLC_UINT2, 3},
                                                         {MLC_BOOL, 1},
                                                         {MLC_COMPLEX64, 1.5}}));
  Tensor tensor(type, {5});
  for (int64_t i : {1, 4})
    tensor.setNumber(i, value);
  CAPTURE(mlc_type_name(type));
  CHECK(tensor.numberAt(1) == value);
  CHECK(tensor.numberAt(4) == value);
  if (type != MLC_FLOAT8E8M0) // which has no zero
    CHECK(tensor.numberAt(2) == 0);
}

TEST_CASE("elements of fewer than 8 bits are packed, the first one lowest") {
  Tensor tensor(MLC_UINT4, {3});
  for (int i = 0; i < 3; ++i)
    tensor.setNumber(i, i + 1);
  CHECK(tensor.data == std::vector<char>{0x21, 0x03});
}

TEST_CASE("sizes that cannot be are none") {
  CHECK(byteCount(MLC_FLOAT32, {2, 3}) == 24);
  CHECK(byteCount(MLC_FLOAT32, {}) == 4);
  CHECK(byteCount(MLC_INT4, {3}) == 2);
  CHECK(byteCount(MLC_FLOAT32, {0, int64_t(1) << 62}) == 0);
  CHECK_FALSE(byteCount(MLC_FLOAT32, {int64_t(1) << 62, 4}));
  CHECK_FALSE(byteCount(MLC_FLOAT32, {-1}));
  CHECK_FALSE(byteCount(MLC_UNDEFINED, {1}));
}

TEST_CASE("tensors print as numpy prints arrays") {
  Tensor tensor(MLC_INT32, {2, 3});
  for (int i = 0; i < 6; ++i)
    tensor.setNumber(i, 3 * i);
  CHECK(formatElements(tensor) == "[[ 0  3  6]\n [ 9 12 15]]");
  CHECK(formatType(tensor.type, tensor.extents) == "int32 2x3");
  CHECK(formatIndex(tensor.extents, 4) == "[1, 1]");

  Tensor scalar(MLC_FLOAT32, {});
  scalar.setNumber(0, NAN);
  CHECK(formatElements(scalar) == "nan");
  CHECK(formatType(scalar.type, scalar.extents) == "float32 scalar");
  CHECK(formatElements(Tensor(MLC_BOOL, {0, 2})) == "[]");
  CHECK(formatElements(Tensor(MLC_COMPLEX64, {1})) == "[0+0i]");
}

TEST_CASE("the middle of long axes is left out") {
  CHECK(formatElements(Tensor(MLC_INT8, {1000})) == "[0 0 0 ... 0 0 0]");
  CHECK(formatElements(Tensor(MLC_INT8, {2, 200})) == "[[0 0 0 ... 0 0 0]\n [0 0 0 ... 0 0 0]]");
}
