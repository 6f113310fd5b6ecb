// Memory of this machine's own kind, from the C library.
#include "core/Memory.h"
#include <stdlib.h>
#include <sys/mman.h>

namespace mlc::rt {

constexpr uint64_t hugePage = uint64_t(1) << 21;

void *allocate(uint64_t bytes) {
  // A multiple of the alignment, and never 0, as aligned_alloc wants.
  if (bytes > uint64_t(1) << 62)
    return nullptr;
  if (bytes < 2 * hugePage)
    return aligned_alloc(alignment, bytes ? (bytes + alignment - 1) & ~(alignment - 1) : alignment);

  // Large tensors are walked end to end: with huge pages, address translation no longer shows.
  bytes = (bytes + hugePage - 1) & ~(hugePage - 1);
  void *block = aligned_alloc(hugePage, bytes);
  if (block)
    madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

void release(void *block) { free(block); }

} // namespace mlc::rt
