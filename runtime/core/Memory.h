// Memory as the runtime needs it: aligned for vectors, and blocks that grow and are kept.
#pragma once
#include <stdint.h>

namespace mlc::rt {

/// Every block starts at a multiple of this: a cache line, and the widest vector register.
constexpr uint64_t alignment = 64;

/// A new block of at least `bytes`; null when there is none. Never null for 0 bytes.
void *allocate(uint64_t bytes);
void release(void *block);

/// A block that is kept from one use to the next.
struct Buffer {
  void *data = nullptr;
  uint64_t bytes = 0;
};

/// Makes room for `bytes`; what the buffer held is lost when it has to grow. False when there is no memory: then it
/// holds nothing.
bool reserve(Buffer &buffer, uint64_t bytes);
void release(Buffer &buffer);

/// Memory that is asked for piece by piece and given back all at once. It remembers how much one run took, so that the
/// next run finds it in one block.
class Region {
public:
  /// Null when there is no memory.
  void *take(uint64_t bytes);
  /// The block that a piece lies in, with all that is in it; none if it is not from here.
  Buffer blockOf(const void *piece) const;
  /// Ends the life of all pieces.
  void reset();
  /// Frees everything.
  void clear();

private:
  struct Block {
    Block *previous;
    uint64_t bytes, used;
  };
  Block *last = nullptr;
  uint64_t total = 0; ///< bytes taken since the last reset
};

} // namespace mlc::rt
