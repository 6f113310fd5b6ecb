#include "Memory.h"
#include <cstdlib>
#include <cstring>

namespace emulated {

uint64_t Memory::allocate(size_t bytes) {
  // No slack behind it: what goes over the end is outside of all memory.
  auto address = reinterpret_cast<uint64_t>(aligned_alloc(256, (bytes + 511) / 256 * 256));
  memset(reinterpret_cast<void *>(address), pattern, bytes);
  blocks[address] = bytes;
  allocated += bytes;
  return address;
}

bool Memory::release(uint64_t address) {
  auto found = blocks.find(address);
  if (found == blocks.end())
    return false;
  allocated -= found->second;
  blocks.erase(found);
  free(reinterpret_cast<void *>(address));
  return true;
}

bool Memory::contains(uint64_t address, size_t bytes) const {
  auto next = blocks.upper_bound(address);
  if (next == blocks.begin())
    return false;
  --next;
  return address - next->first <= next->second && bytes <= next->second - (address - next->first);
}

std::string Touches::note(uint64_t offset, size_t count, int32_t who, bool writes) {
  for (uint64_t i = offset; i < offset + count; ++i) {
    Byte &seen = bytes[i];
    if (seen.epoch != epoch)
      seen = {epoch};
    const bool meetsWriter = seen.writer >= 0 && seen.writer != who;
    const bool meetsReader = writes && (seen.hasSeveralReaders || (seen.reader >= 0 && seen.reader != who));
    if (meetsWriter || meetsReader)
      return "byte " + std::to_string(i) + " of the block's memory, which number " +
             std::to_string(meetsWriter ? seen.writer : seen.reader) + " touches too, without a barrier between";
    if (writes)
      seen.writer = who;
    else if (seen.reader >= 0 && seen.reader != who)
      seen.hasSeveralReaders = true;
    else
      seen.reader = who;
  }
  return "";
}

} // namespace emulated
