// Which instructions this x86 processor has, by its CPUID bits. Names of processors are never looked at: they lie under
// hypervisors.
#include "core/Device.h"
#include <cpuid.h>
#include <string.h>

namespace mlc::rt {

namespace {
enum Register : uint8_t { Eax, Ebx, Ecx, Edx };

/// Registers that the system must save when it switches threads, as bits of XCR0.
enum State : uint32_t { None = 0, Avx = 0x6, Avx512 = 0xE6, Amx = 0x60000, Apx = 0x80000 };

struct Feature {
  const char *name; ///< LLVM's
  uint32_t leaf, subleaf;
  Register where;
  uint8_t bit;
  State state;
};
} // namespace

/// Intel's manual, volume 2, CPUID; AMD's, volume 3, appendix E. LLVM may use the instructions of any of these by
/// itself.
static const Feature features[] = {
    {"cmov", 1, 0, Edx, 15, None},
    {"sse", 1, 0, Edx, 25, None},
    {"sse2", 1, 0, Edx, 26, None},
    {"sse3", 1, 0, Ecx, 0, None},
    {"pclmul", 1, 0, Ecx, 1, None},
    {"ssse3", 1, 0, Ecx, 9, None},
    {"fma", 1, 0, Ecx, 12, Avx},
    {"cx16", 1, 0, Ecx, 13, None},
    {"sse4.1", 1, 0, Ecx, 19, None},
    {"sse4.2", 1, 0, Ecx, 20, None},
    {"crc32", 1, 0, Ecx, 20, None},
    {"movbe", 1, 0, Ecx, 22, None},
    {"popcnt", 1, 0, Ecx, 23, None},
    {"aes", 1, 0, Ecx, 25, None},
    {"avx", 1, 0, Ecx, 28, Avx},
    {"f16c", 1, 0, Ecx, 29, Avx},
    {"bmi", 7, 0, Ebx, 3, None},
    {"avx2", 7, 0, Ebx, 5, Avx},
    {"bmi2", 7, 0, Ebx, 8, None},
    {"avx512f", 7, 0, Ebx, 16, Avx512},
    {"avx512dq", 7, 0, Ebx, 17, Avx512},
    {"adx", 7, 0, Ebx, 19, None},
    {"avx512ifma", 7, 0, Ebx, 21, Avx512},
    {"avx512cd", 7, 0, Ebx, 28, Avx512},
    {"sha", 7, 0, Ebx, 29, None},
    {"avx512bw", 7, 0, Ebx, 30, Avx512},
    {"avx512vl", 7, 0, Ebx, 31, Avx512},
    {"avx512vbmi", 7, 0, Ecx, 1, Avx512},
    {"avx512vbmi2", 7, 0, Ecx, 6, Avx512},
    {"gfni", 7, 0, Ecx, 8, None},
    {"vaes", 7, 0, Ecx, 9, Avx},
    {"vpclmulqdq", 7, 0, Ecx, 10, Avx},
    {"avx512vnni", 7, 0, Ecx, 11, Avx512},
    {"avx512bitalg", 7, 0, Ecx, 12, Avx512},
    {"avx512vpopcntdq", 7, 0, Ecx, 14, Avx512},
    {"avx512vp2intersect", 7, 0, Edx, 8, Avx512},
    {"amx-bf16", 7, 0, Edx, 22, Amx},
    {"avx512fp16", 7, 0, Edx, 23, Avx512},
    {"amx-tile", 7, 0, Edx, 24, Amx},
    {"amx-int8", 7, 0, Edx, 25, Amx},
    {"avxvnni", 7, 1, Eax, 4, Avx},
    {"avx512bf16", 7, 1, Eax, 5, Avx512},
    {"amx-fp16", 7, 1, Eax, 21, Amx},
    {"avxifma", 7, 1, Eax, 23, Avx},
    {"avxvnniint8", 7, 1, Edx, 4, Avx},
    {"avxneconvert", 7, 1, Edx, 5, Avx},
    {"amx-complex", 7, 1, Edx, 8, Amx},
    {"avxvnniint16", 7, 1, Edx, 10, Avx},
    {"avx10.1", 7, 1, Edx, 19, Avx512},
    {"egpr", 7, 1, Edx, 21, Apx},
    {"push2pop2", 7, 1, Edx, 21, Apx},
    {"ppx", 7, 1, Edx, 21, Apx},
    {"ndd", 7, 1, Edx, 21, Apx},
    {"ccmp", 7, 1, Edx, 21, Apx},
    {"nf", 7, 1, Edx, 21, Apx},
    {"zu", 7, 1, Edx, 21, Apx},
    {"sahf", 0x80000001, 0, Ecx, 0, None},
    {"lzcnt", 0x80000001, 0, Ecx, 5, None},
    {"sse4a", 0x80000001, 0, Ecx, 6, None},
    {"xop", 0x80000001, 0, Ecx, 11, Avx},
    {"fma4", 0x80000001, 0, Ecx, 16, Avx},
    {"tbm", 0x80000001, 0, Ecx, 21, None},
};

/// What the system saves; nothing where it cannot be asked.
static uint32_t savedState() {
  uint32_t a, b, c, d;
  constexpr uint32_t osxsave = 1u << 27;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static bool has(const Feature &feature) {
  uint32_t registers[4];
  if (!__get_cpuid_count(feature.leaf, feature.subleaf, &registers[Eax], &registers[Ebx], &registers[Ecx],
                         &registers[Edx]))
    return false;
  if (!(registers[feature.where] >> feature.bit & 1))
    return false;
  return feature.state == None || (savedState() & feature.state) == feature.state;
}

bool lacksFeature(const char *name, size_t length) {
  for (const Feature &feature : features)
    if (strlen(feature.name) == length && memcmp(feature.name, name, length) == 0)
      return !has(feature);
  return false;
}

} // namespace mlc::rt
