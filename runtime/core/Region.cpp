// Blocks that grow, and memory that is given back all at once.
#include "core/Memory.h"
#include <stddef.h>

namespace mlc::rt {

bool reserve(Buffer &buffer, uint64_t bytes) {
  if (buffer.data && buffer.bytes >= bytes)
    return true;
  release(buffer);
  buffer.data = allocate(bytes);
  buffer.bytes = buffer.data ? bytes : 0;
  return buffer.data != nullptr;
}

void release(Buffer &buffer) {
  release(buffer.data);
  buffer = {};
}

/// A block's head takes the first of its aligned units.
constexpr uint64_t headBytes = alignment;
constexpr uint64_t smallestBlock = uint64_t(1) << 16;
/// Beyond this no machine has memory, and sums of sizes cannot overflow below it.
constexpr uint64_t largestPiece = uint64_t(1) << 56;

void *Region::take(uint64_t bytes) {
  static_assert(sizeof(Block) <= headBytes);
  if (bytes > largestPiece)
    return nullptr;
  bytes = (bytes + alignment - 1) & ~(alignment - 1);
  if (!last || last->bytes - last->used < bytes) {
    // Blocks double, so that many small pieces take few blocks.
    uint64_t size = last ? 2 * last->bytes : smallestBlock;
    if (size < bytes + headBytes || size > largestPiece)
      size = bytes + headBytes;
    auto *block = static_cast<Block *>(allocate(size));
    if (!block)
      return nullptr;
    *block = {last, size, headBytes};
    last = block;
  }
  void *piece = reinterpret_cast<char *>(last) + last->used;
  last->used += bytes;
  total += bytes;
  return piece;
}

Buffer Region::blockOf(const void *piece) const {
  const auto *place = static_cast<const char *>(piece);
  for (Block *block = last; block; block = block->previous)
    if (auto *begin = reinterpret_cast<char *>(block); place >= begin && place < begin + block->bytes)
      return {begin, block->bytes};
  return {};
}

void Region::reset() {
  if (last && last->previous) {
    // More than one block was needed: one that holds all next time.
    uint64_t size = total + headBytes;
    clear();
    if (auto *block = static_cast<Block *>(allocate(size))) {
      *block = {nullptr, size, headBytes};
      last = block;
    }
  } else if (last) {
    last->used = headBytes;
  }
  total = 0;
}

void Region::clear() {
  while (last) {
    Block *previous = last->previous;
    release(last);
    last = previous;
  }
  total = 0;
}

} // namespace mlc::rt
