// Finds, or makes, what all mlc models of this process share.
#include "core/Process.h"
#include "core/Device.h"
#include <link.h>
#include <string.h>
#include <sys/mman.h>

using namespace mlc::rt;

extern "C" {
/// This copy's pointer to the shared block. The note below tells other copies how far away it lies.
__attribute__((visibility("hidden"))) std::atomic<Process *> mlc_rt_process;
}

__asm__(".pushsection .note.mlc, \"a\", @note\n"
        ".balign 4\n"
        ".long 4, 8, 1\n" // bytes of the name, of the content, and the layout's version
        ".asciz \"mlc\"\n"
        ".quad mlc_rt_process - .\n"
        ".popsection\n");
static_assert(layoutVersion == 1, "the note says so too");

using Slot = std::atomic<Process *>;

/// The pointer that the notes of one loaded file lead to; null if it carries none of ours.
static Slot *slotOf(const dl_phdr_info &file) {
  for (int i = 0; i < file.dlpi_phnum; ++i) {
    const ElfW(Phdr) &header = file.dlpi_phdr[i];
    if (header.p_type != PT_NOTE)
      continue;
    const char *note = reinterpret_cast<const char *>(file.dlpi_addr + header.p_vaddr);
    const char *end = note + header.p_memsz;
    // Fields are padded to the segment's alignment, which is 4 or 8.
    const size_t padding = (header.p_align == 8 ? 8 : 4) - 1;
    while (size_t(end - note) >= sizeof(ElfW(Nhdr))) {
      ElfW(Nhdr) head;
      memcpy(&head, note, sizeof head);
      const char *name = note + sizeof head;
      const char *content = note + ((sizeof head + head.n_namesz + padding) & ~padding);
      note = content + ((size_t(head.n_descsz) + padding) & ~padding);
      if (note > end)
        break;
      if (head.n_type != layoutVersion || head.n_namesz != 4 || head.n_descsz != 8 || memcmp(name, "mlc", 4) != 0)
        continue;
      int64_t distance;
      memcpy(&distance, content, sizeof distance);
      return reinterpret_cast<Slot *>(const_cast<char *>(content) + distance);
    }
  }
  return nullptr;
}

namespace {
struct Search {
  Process *found = nullptr;
  Process *offered = nullptr; ///< put into the first slot if that is empty
};
} // namespace

/// The loader's lock is held during the walk, so no library comes or goes.
static int visit(dl_phdr_info *file, size_t, void *closure) {
  auto &search = *static_cast<Search *>(closure);
  Slot *slot = slotOf(*file);
  if (!slot)
    return 0;
  search.found = slot->load(std::memory_order_acquire);
  if (!search.found && search.offered &&
      slot->compare_exchange_strong(search.found, search.offered, std::memory_order_acq_rel, std::memory_order_acquire))
    search.found = search.offered;
  return search.found != nullptr;
}

static Process *findOrMake() {
  Search search;
  dl_iterate_phdr(visit, &search);
  if (search.found)
    return search.found;

  // Mapped rather than allocated: leak checkers of a host must not see it, for it has no owner.
  void *block = mmap(nullptr, sizeof(Process), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED)
    return nullptr;
  auto *made = static_cast<Process *>(block);
  countProcessors(made->cpus, made->cores);
  made->pid.store(uint32_t(getpid()), std::memory_order_relaxed);

  // Two threads may come here at once; the first slot in the loader's order decides.
  search.offered = made;
  dl_iterate_phdr(visit, &search);
  if (search.found && search.found != made)
    munmap(made, sizeof(Process));
  return search.found ? search.found : made;
}

/// In a child process after fork() nobody holds the lock, and no worker exists; what the parent's pool held is lost to
/// the child.
static void forgetParent(Process &process, uint32_t self) {
  constexpr uint32_t beingReset = UINT32_MAX;
  uint32_t seen = process.pid.load(std::memory_order_acquire);
  if (seen != beingReset && process.pid.compare_exchange_strong(seen, beingReset, std::memory_order_acquire)) {
    process.lock.reset();
    process.pool = nullptr;
    process.graphs = process.claimed = 0;
    process.crowded.store(false, std::memory_order_relaxed);
    process.pid.store(self, std::memory_order_release);
  }
  while (process.pid.load(std::memory_order_acquire) != self)
    relax();
}

Process *mlc::rt::knownProcess() {
  Process *shared = mlc_rt_process.load(std::memory_order_acquire);
  if (!shared)
    return nullptr;
  uint32_t self = uint32_t(getpid());
  if (shared->pid.load(std::memory_order_acquire) != self)
    forgetParent(*shared, self);
  return shared;
}

Process *mlc::rt::process() {
  if (Process *shared = knownProcess())
    return shared;
  // Another thread of this library may be faster; then its find stays.
  Process *found = findOrMake(), *expected = nullptr;
  if (found)
    mlc_rt_process.compare_exchange_strong(expected, found, std::memory_order_acq_rel);
  return knownProcess();
}

uint32_t mlc::rt::coresOfProcess() {
  Process *shared = process();
  return shared ? shared->cores : 1;
}
