#include "ops/Text.h"
#include "core/Session.h"
#include "core/Status.h"

namespace mlc::rt {

/// Strings are short; pieces of the region are rounded up to a cache line.
constexpr uint64_t chunkBytes = 16384;

/// Null when there is no memory.
static char *take(Session &session, uint64_t bytes) {
  if (bytes > chunkBytes / 4)
    return static_cast<char *>(session.region.take(bytes));
  if (bytes > session.textRoom) {
    auto *chunk = static_cast<char *>(session.region.take(chunkBytes));
    if (!chunk)
      return nullptr;
    session.textNext = chunk;
    session.textRoom = chunkBytes;
  }
  char *text = session.textNext;
  session.textNext += bytes;
  session.textRoom -= bytes;
  return text;
}

char *newText(uint64_t bytes) {
  Session &session = *currentThread->frame->session;
  session.textLock.lock();
  char *text = take(session, bytes);
  session.textLock.unlock();
  if (text)
    return text;
  if (claimFailure(session, MLC_OUT_OF_MEMORY))
    refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for a string of %llu bytes",
           static_cast<unsigned long long>(bytes));
  leave();
}

} // namespace mlc::rt
