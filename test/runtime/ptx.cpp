// The emulator of GPUs that other tests trust (cuda/Ptx.h): it computes, and it sees what a GPU would leave undefined.
#include "cuda/Ptx.h"
#include <catch2/catch.hpp>
#include <cstring>

namespace {

/// Reverses 64 numbers by way of shared memory.
const std::string reversal = R"(
.version 7.0
.target sm_80
.address_size 64
.shared .align 16 .b8 tile[256];
.visible .entry reverse(
  .param .u64 .ptr .align 1 reverse_param_0,
  .param .u64 reverse_param_1
)
.reqntid 64
{
  .reg .b32 %r<6>;
  .reg .b64 %rd<5>;
  ld.param.b64 %rd1, [reverse_param_0];
  cvta.to.global.u64 %rd2, %rd1;
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd3, %r1, 4;
  add.s64 %rd4, %rd2, %rd3;
  ld.global.b32 %r2, [%rd4];
  shl.b32 %r3, %r1, 2;
  mov.b32 %r4, tile;
  add.s32 %r4, %r4, %r3;
  st.shared.b32 [%r4], %r2;
  bar.sync 0;
  mov.b32 %r5, tile;
  sub.s32 %r5, %r5, %r3;
  ld.shared.b32 %r2, [%r5+252];
  st.global.b32 [%rd4], %r2;
  ret;
})";

std::string without(std::string text, const std::string &line, const std::string &instead = "") {
  const size_t found = text.find(line);
  REQUIRE(found != std::string::npos);
  return text.replace(found, line.size(), instead);
}

/// Of 0, 1, 2...
std::vector<uint32_t> run(const std::string &text, size_t count = 64) {
  const ptx::Module module = ptx::parse(text);
  ptx::Memory memory;
  uint64_t address = memory.allocate(4 * count), number = 0;
  auto *values = reinterpret_cast<uint32_t *>(address);
  for (uint32_t i = 0; i < count; ++i)
    values[i] = i;
  void *arguments[] = {&address, &number};
  ptx::launch(module, module.functions.at("reverse"), {1, 1, 1}, {64, 1, 1}, arguments, memory);
  std::vector<uint32_t> result(values, values + count);
  memory.release(address);
  return result;
}

} // namespace

TEST_CASE("PTX is executed") {
  const std::vector<uint32_t> result = run(reversal);
  for (uint32_t i = 0; i < 64; ++i)
    CHECK(result[i] == 63 - i);
}

TEST_CASE("what PTX leaves undefined is an error") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(run(without(reversal, "bar.sync 0;")), Contains("without a barrier between"));
  CHECK_THROWS_WITH(run(reversal, 63), Contains("no memory of the device"));
  CHECK_THROWS_WITH(run(without(reversal, "[%r5+252]", "[%r5+251]")), Contains("is not a multiple of 4"));
  CHECK_THROWS_WITH(run(without(reversal, "[%r5+252]", "[%r5+256]")), Contains("outside of the 256 bytes"));
  CHECK_THROWS_WITH(run(without(reversal, "shl.b32", "setp.eq.s32 %p1, %r1, 3; @%p1 ret; shl.b32")),
                    Contains("wait at a barrier that the others do not reach"));
  CHECK_THROWS_WITH(run(without(reversal, "bar.sync", "frob.sync")), Contains("unknown instruction frob.sync"));
}

TEST_CASE("PTX rounds halves as GPUs do") {
  // 2049 lies between two halves, and the even one is 2048; 65520 is the least that is infinite.
  const char *code = R"(
.visible .entry reverse(.param .u64 a, .param .u64 b)
{
  mov.u32 %r1, %tid.x;
  setp.ne.s32 %p1, %r1, 0;
  @%p1 bra $end;
  ld.param.b64 %rd1, [a];
  mov.b32 %r2, VALUE;
  cvt.rn.f16.f32 %rs1, %r2;
  cvt.u32.u16 %r3, %rs1;
  st.global.b32 [%rd1], %r3;
$end:
  ret;
})";
  CHECK(run(without(code, "VALUE", "0f45001000"))[0] == 0x6800);
  CHECK(run(without(code, "VALUE", "0f477FF000"))[0] == 0x7c00);
  CHECK(run(without(code, "VALUE", "0f477FEF00"))[0] == 0x7bff);
  CHECK(run(without(code, "VALUE", "0f33000001"))[0] == 0x0001); // just above half of the least denormal
  CHECK(run(without(code, "VALUE", "0f33000000"))[0] == 0x0000);
}
