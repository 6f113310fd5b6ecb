// Which instructions this AArch64 processor has, as Linux tells every program at its start.
#include "core/Device.h"
#include <string.h>
#include <sys/auxv.h>

namespace mlc::rt {

namespace {
struct Feature {
  const char *name; ///< LLVM's
  unsigned long word;
  uint8_t bit;
};
} // namespace

/// Linux, Documentation/arch/arm64/elf_hwcaps.rst. Numbers, since headers older than a feature have no word for it.
static const Feature features[] = {
    {"lse", AT_HWCAP, 8},        {"fullfp16", AT_HWCAP, 10}, {"rdm", AT_HWCAP, 12},     {"jsconv", AT_HWCAP, 13},
    {"complxnum", AT_HWCAP, 14}, {"rcpc", AT_HWCAP, 15},     {"dotprod", AT_HWCAP, 20}, {"sve", AT_HWCAP, 22},
    {"fp16fml", AT_HWCAP, 23},   {"flagm", AT_HWCAP, 27},    {"sve2", AT_HWCAP2, 1},    {"altnzcv", AT_HWCAP2, 7},
    {"fptoint", AT_HWCAP2, 8},   {"f32mm", AT_HWCAP2, 10},   {"f64mm", AT_HWCAP2, 11},  {"i8mm", AT_HWCAP2, 13},
    {"bf16", AT_HWCAP2, 14},     {"cssc", AT_HWCAP2, 34},    {"sve2p1", AT_HWCAP2, 36}, {"mops", AT_HWCAP2, 43},
};

bool lacksFeature(const char *name, size_t length) {
  for (const Feature &feature : features)
    if (strlen(feature.name) == length && memcmp(feature.name, name, length) == 0)
      return !(getauxval(feature.word) >> feature.bit & 1);
  return false;
}

} // namespace mlc::rt
