// What operators do with sequences. Positions have been checked by emitted code.
#include "core/Sequence.h"
#include "core/Packed.h"
#include "core/Status.h"
#include "core/Strides.h"
#include <string.h>

using namespace mlc::rt;

static Session &thisSession() { return *currentThread->frame->session; }

[[noreturn]] static void failForMemory(Session &session) {
  failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for a sequence"));
}

static Sequence *newOrFail(int64_t capacity) {
  Session &session = thisSession();
  Sequence *sequence = newSequence(session.region, capacity);
  if (!sequence)
    failForMemory(session);
  return sequence;
}

/// A copy that outlives the buffer that it was in.
static mlc_tensor copyOf(const void *data, const int64_t *extents, int64_t rank, int64_t type) {
  Session &session = thisSession();
  const int64_t bytes = contiguousBytes(extents, int32_t(rank), bitsInCode(int32_t(type)));
  auto *kept = static_cast<int64_t *>(session.region.take(uint64_t(rank) * sizeof(int64_t)));
  void *copy = bytes < 0 ? nullptr : session.region.take(uint64_t(bytes));
  if (!kept || !copy)
    failForMemory(session);
  copyExtents(kept, extents, int32_t(rank));
  if (bytes)
    memcpy(copy, data, size_t(bytes));
  return {copy, uint64_t(bytes), kept, int32_t(rank), int32_t(type)};
}

const Sequence *mlc::rt::withItem(const Sequence *sequence, int64_t position, const mlc_tensor &item) {
  const int64_t length = sequence->length;
  Sequence::Store *store = sequence->store;
  if (position == length && store->used == length && length < store->capacity) {
    // Nobody sees what is behind the items that are in use.
    Sequence *longer = newOrFail(0);
    store->items[length] = item;
    store->used = length + 1;
    *longer = {store, length + 1};
    return longer;
  }
  constexpr int64_t leastRoom = 4;
  Sequence *result = newOrFail(length < leastRoom ? leastRoom : 2 * length);
  mlc_tensor *items = result->store->items;
  for (int64_t i = 0; i < length; ++i)
    items[i < position ? i : i + 1] = store->items[i];
  items[position] = item;
  result->store->used = result->length = length + 1;
  return result;
}

extern "C" {

const mlc_sequence *mlc_rt_sequence_empty(void) { return newOrFail(0); }

const mlc_sequence *mlc_rt_sequence_absent(void) { return nullptr; }

int64_t mlc_rt_sequence_present(const mlc_sequence *sequence) { return sequence != nullptr; }

int64_t mlc_rt_sequence_length(const mlc_sequence *sequence) { return sequence ? sequence->length : 0; }

const mlc_sequence *mlc_rt_sequence_insert(const mlc_sequence *sequence, int64_t position, const void *data,
                                           const int64_t *extents, int64_t rank, int64_t type) {
  return withItem(sequence, position, copyOf(data, extents, rank, type));
}

const mlc_sequence *mlc_rt_sequence_erase(const mlc_sequence *sequence, int64_t position) {
  const int64_t length = sequence->length - 1;
  Sequence *result = newOrFail(length);
  for (int64_t i = 0; i < length; ++i)
    result->store->items[i] = sequence->store->items[i < position ? i : i + 1];
  result->store->used = result->length = length;
  return result;
}

const mlc_sequence *mlc_rt_sequence_of_maps(const mlc_sequence *pair) {
  const mlc_tensor &keys = pair->begin()[0], &rows = pair->begin()[1];
  const int64_t count = rows.extents[0];
  const uint64_t bytes = count ? rows.bytes / uint64_t(count) : 0;
  Sequence *result = newOrFail(2 * count);
  for (int64_t i = 0; i < count; ++i) {
    const char *row = static_cast<const char *>(rows.data) + uint64_t(i) * bytes;
    result->store->items[2 * i] = keys;
    result->store->items[2 * i + 1] = {row, bytes, rows.extents + 1, 1, rows.type};
  }
  result->store->used = result->length = 2 * count;
  return result;
}

const void *mlc_rt_sequence_data(const mlc_sequence *sequence, int64_t position) {
  return sequence && position >= 0 && position < sequence->length ? sequence->begin()[position].data : nullptr;
}

int64_t mlc_rt_sequence_rank(const mlc_sequence *sequence, int64_t position) {
  return sequence && position >= 0 && position < sequence->length ? sequence->begin()[position].rank : -1;
}

int64_t mlc_rt_sequence_extent(const mlc_sequence *sequence, int64_t position, int64_t axis) {
  if (!sequence || position < 0 || position >= sequence->length || axis >= sequence->begin()[position].rank)
    return 0;
  return sequence->begin()[position].extents[axis];
}
}
