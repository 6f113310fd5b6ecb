// Which extensions this RISC-V processor has, as Linux tells.
#include "core/Device.h"
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mlc::rt {

namespace {
struct Extension {
  const char *name;     ///< LLVM's
  uint8_t bit;          ///< of the key RISCV_HWPROBE_KEY_IMA_EXT_0
  char letter;          ///< of one that kernels without that system call tell, too; 0 for none
  uint16_t vectorBytes; ///< that a register has at least
};
} // namespace

/// Linux, Documentation/arch/riscv/hwprobe.rst. Numbers, since headers older than an extension have no word for it.
static const Extension extensions[] = {
    {"v", 2, 'v', 16}, {"zba", 3, 0, 0},     {"zbb", 4, 0, 0},        {"zbs", 5, 0, 0},
    {"zfh", 27, 0, 0}, {"zfhmin", 28, 0, 0}, {"zvfh", 30, 0, 0},      {"zvfhmin", 31, 0, 0},
    {"zfa", 32, 0, 0}, {"zicond", 35, 0, 0}, {"zvl256b", 2, 'v', 32}, {"zvl512b", 2, 'v', 64},
};

/// 0 where the kernel does not know the question.
static uint64_t probe() {
  struct {
    int64_t key;
    uint64_t value;
  } pair = {4, 0};
  constexpr long hwprobe = 258;
  return syscall(hwprobe, &pair, 1, 0, nullptr, 0) == 0 && pair.key == 4 ? pair.value : 0;
}

static bool has(const Extension &extension) {
  const bool isTold = extension.letter && (getauxval(AT_HWCAP) >> (extension.letter - 'a') & 1);
  if (!isTold && !(probe() >> extension.bit & 1))
    return false;
  if (!extension.vectorBytes)
    return true;
  uint64_t bytes;
  __asm__("csrr %0, 0xC22" : "=r"(bytes)); // vlenb
  return bytes >= extension.vectorBytes;
}

bool lacksFeature(const char *name, size_t length) {
  for (const Extension &extension : extensions)
    if (strlen(extension.name) == length && memcmp(extension.name, name, length) == 0)
      return !has(extension);
  return false;
}

} // namespace mlc::rt
