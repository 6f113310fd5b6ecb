#include "device/Twin.h"
#include <string.h>

namespace mlc::rt {

bool Twin::describe(const void *place, uint64_t size, Fresh fresh, DeviceMemory borrowed) {
  host = static_cast<const char *>(place);
  bytes = size;
  if (own && ownBytes < size) {
    deviceApi.release(own);
    own = nullptr;
  }
  memory = borrowed ? borrowed : own;
  count = 0;
  return mark(0, size, fresh);
}

void Twin::clear() {
  if (own)
    deviceApi.release(own);
  mlc::rt::release(spans);
  mlc::rt::release(spare);
  *this = {};
}

bool Twin::mark(uint64_t begin, uint64_t end, Fresh fresh) {
  if (begin >= end)
    return true;
  if (count + 2 > room) {
    const uint32_t more = 2 * room + 8;
    auto *grown = static_cast<Span *>(allocate(more * sizeof(Span)));
    auto *other = static_cast<Span *>(allocate(more * sizeof(Span)));
    if (!grown || !other) {
      mlc::rt::release(grown);
      mlc::rt::release(other);
      return false;
    }
    if (count)
      memcpy(grown, spans, count * sizeof(Span));
    mlc::rt::release(spans);
    mlc::rt::release(spare);
    spans = grown, spare = other, room = more;
  }
  uint32_t written = 0;
  auto append = [&](Span span) {
    if (span.begin >= span.end)
      return;
    if (written && spare[written - 1].fresh == span.fresh && spare[written - 1].end == span.begin)
      spare[written - 1].end = span.end;
    else
      spare[written++] = span;
  };
  bool isPlaced = false;
  for (uint32_t i = 0; i < count; ++i) {
    const Span span = spans[i];
    append({span.begin, span.end < begin ? span.end : begin, span.fresh});
    if (!isPlaced && span.end > begin) {
      append({begin, end, fresh});
      isPlaced = true;
    }
    append({span.begin > end ? span.begin : end, span.end, span.fresh});
  }
  if (!isPlaced)
    append({begin, end, fresh});
  Span *old = spans;
  spans = spare, spare = old, count = written;
  return true;
}

} // namespace mlc::rt
