// Sequences, maps and optionals at the border: checked and wrapped on the way in, copied into one block on the way out.
#include "core/Sequence.h"
#include "core/Packed.h"
#include "core/Status.h"
#include "core/Strides.h"
#include "core/Strings.h"
#include <stdio.h>
#include <string.h>

namespace mlc::rt {

Sequence *newSequence(Region &region, int64_t capacity) {
  const uint64_t head = sizeof(Sequence) + sizeof(Sequence::Store);
  if (capacity < 0 || uint64_t(capacity) > (uint64_t(1) << 48))
    return nullptr;
  auto *block = static_cast<char *>(region.take(head + uint64_t(capacity) * sizeof(mlc_tensor)));
  if (!block)
    return nullptr;
  auto *sequence = reinterpret_cast<Sequence *>(block);
  auto *store = reinterpret_cast<Sequence::Store *>(block + sizeof(Sequence));
  *store = {0, capacity, reinterpret_cast<mlc_tensor *>(block + head)};
  *sequence = {store, 0};
  return sequence;
}

//===-- In ------------------------------------------------------------------------===//

namespace {
/// Which tensor of which input an error is about.
struct Place {
  char text[96];
  Place(const mlc_port &port, int64_t item) {
    const char *part = item % 2 ? "values" : "keys";
    if (port.kind == MLC_SEQUENCE)
      snprintf(text, sizeof text, "input '%.48s': tensor %lld", port.name, static_cast<long long>(item));
    else if (port.kind == MLC_SEQUENCE_OF_MAPS)
      snprintf(text, sizeof text, "input '%.48s': map %lld, %s", port.name, static_cast<long long>(item / 2), part);
    else if (port.kind == MLC_MAP)
      snprintf(text, sizeof text, "input '%.48s': %s", port.name, part);
    else
      snprintf(text, sizeof text, "input '%.48s'", port.name);
  }
};

/// What a tensor must be.
struct Expected {
  int32_t type, rank;     ///< MLC_RANK_UNKNOWN: any
  const int64_t *extents; ///< unless the rank is unknown; those that are fixed count
};

/// What tensor `item` of an input must be, given those before it.
Expected expectedOf(const mlc_port &port, int64_t item, const mlc_tensor *items) {
  static constexpr int64_t anyLength = MLC_EXTENT_UNKNOWN;
  if (!holdsMaps(port))
    return {port.type, port.rank, port.extents};
  return item % 2 ? Expected{port.type, 1, items[item - 1].extents} : Expected{port.key, 1, &anyLength};
}
} // namespace

/// Checks one tensor, and makes of it what emitted code reads: the caller's memory where that will do.
static mlc_status takeItem(Session &session, const Place &place, const Expected &expected, const mlc_tensor &given,
                           mlc_tensor &item, mlc_error *error) {
  if (given.type != expected.type)
    return refuse(error, MLC_INVALID_ARGUMENT, "%s: expects type %s, got %s", place.text, mlc_type_name(expected.type),
                  mlc_type_name(given.type));
  if (given.rank < 0 || (expected.rank != MLC_RANK_UNKNOWN && given.rank != expected.rank))
    return refuse(error, MLC_INVALID_ARGUMENT, "%s: expects %d axes, got %d", place.text, expected.rank, given.rank);
  if (given.rank && !given.extents)
    return refuse(error, MLC_INVALID_ARGUMENT, "%s: extents is null, expects %d values", place.text, given.rank);
  auto *extents = static_cast<int64_t *>(session.region.take(uint64_t(given.rank) * sizeof(int64_t)));
  if (!extents)
    return refuse(error, MLC_OUT_OF_MEMORY, "%s: no memory for its extents", place.text);
  copyExtents(extents, given.extents, given.rank);
  for (int32_t axis = 0; axis < given.rank; ++axis) {
    const int64_t declared = expected.rank == MLC_RANK_UNKNOWN ? MLC_EXTENT_UNKNOWN : expected.extents[axis];
    if (extents[axis] < 0 || (declared >= 0 && declared != extents[axis]))
      return refuse(error, MLC_INVALID_ARGUMENT, "%s: axis %d expects extent %lld, got %lld", place.text, axis,
                    static_cast<long long>(declared < 0 ? 0 : declared), static_cast<long long>(extents[axis]));
  }
  const int64_t bytes = contiguousBytes(extents, given.rank, mlc_type_bits(expected.type)),
                inCode = contiguousBytes(extents, given.rank, bitsInCode(expected.type));
  if (bytes < 0 || inCode < 0)
    return refuse(error, MLC_INVALID_ARGUMENT, "%s: shape %s is too large to be addressed", place.text,
                  shape(extents, given.rank).text);
  if (bytes > 0 && !given.data)
    return refuse(error, MLC_INVALID_ARGUMENT, "%s: data is null, expects %lld bytes", place.text,
                  static_cast<long long>(bytes));
  if (given.bytes && uint64_t(bytes) > given.bytes)
    return refuse(error, MLC_INVALID_ARGUMENT, "%s: shape %s needs %lld bytes, got %llu", place.text,
                  shape(extents, given.rank).text, static_cast<long long>(bytes),
                  static_cast<unsigned long long>(given.bytes));
  item = {given.data, uint64_t(inCode), extents, given.rank, given.type};
  const bool isAligned = reinterpret_cast<uintptr_t>(given.data) % elementAlignment(expected.type) == 0;
  if (bytes == 0 || isPacked(expected.type) || !isAligned) {
    void *copy = session.region.take(uint64_t(inCode));
    if (!copy)
      return refuse(error, MLC_OUT_OF_MEMORY, "%s: no memory for a copy of %lld bytes", place.text,
                    static_cast<long long>(inCode));
    if (isPacked(expected.type))
      unpack(static_cast<int8_t *>(copy), static_cast<const uint8_t *>(given.data), inCode, expected.type);
    else if (bytes)
      memcpy(copy, given.data, size_t(bytes));
    item.data = copy;
  }
  if (expected.type == MLC_STRING) {
    const auto *strings = static_cast<const mlc_string *>(item.data);
    const int64_t null = findNullString(strings, inCode / int64_t(sizeof(mlc_string)));
    if (null >= 0)
      return refuse(error, MLC_INVALID_ARGUMENT, "%s: string %lld has null data, but size %llu", place.text,
                    static_cast<long long>(null), static_cast<unsigned long long>(strings[null].size));
  }
  return MLC_OK;
}

static_assert(sizeof(mlc_map) == 2 * sizeof(mlc_tensor));
static int64_t tensorsPerElement(const mlc_port &port) { return holdsMaps(port) ? 2 : 1; }

/// Checks the array that an input is which is no tensor.
static mlc_status checkArray(const mlc_port &port, const mlc_input &input, mlc_error *error) {
  const bool isMap = port.kind == MLC_MAP;
  const char *what = isMap ? "map" : "sequence", *parts = holdsMaps(port) ? "maps" : "tensors";
  const int32_t type = elementTypeOf(port);
  if (input.type != type)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' is a %s: expects elements %s, got type %s", port.name, what,
                  holdsMaps(port) ? "MLC_MAP_ITEM" : "MLC_ITEM", mlc_type_name(input.type));
  if (isMap && input.rank != 0)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' is a map: expects rank 0, got rank %d", port.name,
                  input.rank);
  if (!isMap && (input.rank != 1 || !input.extents || input.extents[0] < 0))
    return refuse(error, MLC_INVALID_ARGUMENT,
                  "input '%s' is a sequence: expects rank 1 and the number of its %s as extent, got rank %d", port.name,
                  parts, input.rank);
  const int64_t count = isMap ? 1 : input.extents[0];
  if (count && !input.data)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': data is null, expects %lld %s", port.name,
                  static_cast<long long>(count), parts);
  const uint64_t element = uint64_t(mlc_type_bits(type)) / 8;
  if (input.bytes && uint64_t(count) > input.bytes / element)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' of %lld %s needs as many %s, got %llu bytes", port.name,
                  static_cast<long long>(count), parts, holdsMaps(port) ? "mlc_map" : "mlc_tensor",
                  static_cast<unsigned long long>(input.bytes));
  if (count > INT64_MAX / 2)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for input '%s' of %lld %s", port.name,
                  static_cast<long long>(count), parts);
  return MLC_OK;
}

mlc_status takeSequence(Session &session, uint32_t index, mlc_error *error) {
  const mlc_port &port = session.data->info.inputs[index];
  InputState &state = session.inputs[index];
  const mlc_input &input = *state.given;
  const void *&place = const_cast<const void **>(session.frame.inputs)[index];
  // Tensors of it may lie in what the session has lent: nothing is written there before the run ends.
  state.begin = nullptr;
  state.end = reinterpret_cast<const char *>(UINTPTR_MAX);
  place = nullptr;
  if (port.optional && input.rank == MLC_ABSENT)
    return MLC_OK;
  if (input.strides)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': expects no strides, since it is not a tensor", port.name);

  mlc_tensor single = {input.data, input.bytes, input.extents, input.rank, input.type};
  const mlc_tensor *given = &single;
  int64_t count = 1;
  if (port.kind != MLC_TENSOR) {
    if (mlc_status status = checkArray(port, input, error))
      return status;
    given = static_cast<const mlc_tensor *>(input.data); // an mlc_map is two of them
    count = tensorsPerElement(port) * (input.rank ? input.extents[0] : 1);
  }
  Sequence *sequence = newSequence(session.region, count);
  if (!sequence)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for input '%s' of %lld tensors", port.name,
                  static_cast<long long>(count));
  mlc_tensor *items = sequence->store->items;
  for (int64_t i = 0; i < count; ++i)
    if (mlc_status status = takeItem(session, Place(port, i), expectedOf(port, i, items), given[i], items[i], error))
      return status;
  sequence->store->used = sequence->length = count;
  place = sequence;
  return MLC_OK;
}

//===-- Out -----------------------------------------------------------------------===//

static uint64_t aligned(uint64_t bytes) { return (bytes + alignment - 1) & ~(alignment - 1); }

/// Bytes of a tensor as callers see it.
static uint64_t bytesOutside(const mlc_tensor &item) {
  return uint64_t(contiguousBytes(item.extents, item.rank, mlc_type_bits(item.type)));
}

static uint64_t textOf(const mlc_tensor &item) {
  return item.type == MLC_STRING
             ? uint64_t(textBytes(static_cast<const mlc_string *>(item.data), int64_t(item.bytes / sizeof(mlc_string))))
             : 0;
}

/// What one tensor takes in a block, with its text and its extents.
static uint64_t itemBytes(const mlc_tensor &item) {
  return aligned(bytesOutside(item)) + aligned(uint64_t(item.rank) * sizeof(int64_t)) + aligned(textOf(item));
}

/// Copies a tensor to `block`, data first.
static mlc_tensor copyItem(const mlc_tensor &item, char *block) {
  const uint64_t bytes = bytesOutside(item);
  auto *extents = reinterpret_cast<int64_t *>(block + aligned(bytes));
  copyExtents(extents, item.extents, item.rank);
  if (isPacked(item.type))
    pack(reinterpret_cast<uint8_t *>(block), static_cast<const int8_t *>(item.data), int64_t(item.bytes), item.type);
  else if (bytes)
    memcpy(block, item.data, size_t(bytes));
  if (item.type == MLC_STRING)
    moveText(reinterpret_cast<mlc_string *>(block), int64_t(bytes / sizeof(mlc_string)),
             block + aligned(bytes) + aligned(uint64_t(item.rank) * sizeof(int64_t)));
  return {block, bytes, extents, item.rank, item.type};
}

/// Whether the maps before the one that begins at `item` have the same keys, which were copied for them.
static bool repeatsKeys(const mlc_port &port, const Sequence &sequence, int64_t item) {
  if (!holdsMaps(port) || item % 2 || item < 2)
    return false;
  const mlc_tensor &keys = sequence.begin()[item], &before = sequence.begin()[item - 2];
  return keys.data == before.data && keys.extents == before.extents;
}

/// Completes an output that is an array: the elements, its extent, then what their tensors hold.
static void deliverArray(const mlc_port &port, const Sequence &sequence, char *block, uint64_t heads,
                         mlc_output &request) {
  auto *items = reinterpret_cast<mlc_tensor *>(block);
  char *place = block + heads;
  for (int64_t i = 0; i < sequence.length; ++i) {
    if (repeatsKeys(port, sequence, i)) {
      items[i] = items[i - 2];
      continue;
    }
    const mlc_tensor &item = sequence.begin()[i];
    items[i] = copyItem(item, place);
    place += itemBytes(item);
  }
  auto *count = reinterpret_cast<int64_t *>(items + sequence.length);
  *count = sequence.length / tensorsPerElement(port);
  request.data = block;
  request.bytes = uint64_t(sequence.length) * sizeof(mlc_tensor);
  request.rank = port.kind == MLC_MAP ? 0 : 1;
  request.extents = count;
}

mlc_status deliverSequence(Session &session, uint32_t index, mlc_error *error) {
  const mlc_port &port = session.data->info.outputs[index];
  OutputState &state = session.outputs[index];
  mlc_output &request = *state.request;
  const Sequence *sequence = state.sequence;
  const bool isArray = port.kind != MLC_TENSOR;
  request.type = elementTypeOf(port);
  if (!sequence) {
    request.data = nullptr;
    request.bytes = 0;
    request.extents = nullptr;
    request.rank = MLC_ABSENT;
    return MLC_OK;
  }
  const uint64_t heads = isArray ? aligned(uint64_t(sequence->length) * sizeof(mlc_tensor) + sizeof(int64_t)) : 0;
  uint64_t bytes = heads;
  for (int64_t i = 0; i < sequence->length; ++i)
    if (!repeatsKeys(port, *sequence, i))
      bytes += itemBytes(sequence->begin()[i]);
  char *block = nullptr;
  if (request.memory == MLC_MEMORY_HANDED_OVER) {
    block = static_cast<char *>(state.place = allocate(bytes));
  } else {
    Buffer last = state.own;
    state.own = state.lent;
    state.lent = last;
    block = reserve(state.own, bytes) ? static_cast<char *>(state.own.data) : nullptr;
  }
  if (!block)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for output '%s', which takes %llu bytes", port.name,
                  static_cast<unsigned long long>(bytes));
  if (isArray) {
    deliverArray(port, *sequence, block, heads, request);
    return MLC_OK;
  }
  const mlc_tensor item = copyItem(*sequence->begin(), block);
  request.data = block;
  request.bytes = item.bytes;
  request.extents = item.extents;
  request.rank = item.rank;
  return MLC_OK;
}

extern "C" void mlc_rt_output_sequence(int64_t index, const mlc_sequence *sequence) {
  OutputState &state = currentThread->frame->session->outputs[index];
  state.sequence = sequence;
  state.isGiven = true;
}

} // namespace mlc::rt
