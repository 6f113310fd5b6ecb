// Where the outputs of a run go: the caller's memory where the graph can write it as it is, else the session's, from
// which it is copied, lent or handed over.
#include "core/Packed.h"
#include "core/Sequence.h"
#include "core/Session.h"
#include "core/Status.h"
#include "core/Strides.h"
#include "core/Strings.h"
#include <string.h>

namespace mlc::rt {

static const mlc_port &portOf(const Session &session, uint32_t index) { return session.data->info.outputs[index]; }

static mlc_status checkOnDevice(const mlc_port &port, const mlc_output &request, mlc_error *error) {
  if (request.memory == MLC_MEMORY_HANDED_OVER)
    return refuse(error, MLC_UNSUPPORTED,
                  "output '%s': on a device expects MLC_MEMORY_CALLER or MLC_MEMORY_SESSION; what is handed over is on "
                  "the host",
                  port.name);
  if (request.strides)
    return refuse(error, MLC_UNSUPPORTED, "output '%s': what is on a device cannot have strides", port.name);
  if (request.memory == MLC_MEMORY_CALLER && reinterpret_cast<uintptr_t>(request.data) % elementAlignment(port.type))
    return refuse(error, MLC_INVALID_ARGUMENT, "output '%s': expects an address on the device that is a multiple of %u",
                  port.name, unsigned(elementAlignment(port.type)));
  return MLC_OK;
}

static mlc_status checkRequest(const mlc_port &port, const mlc_output &request, mlc_error *error) {
  const int32_t type = elementTypeOf(port);
  if (request.type != MLC_UNDEFINED && request.type != type)
    return refuse(error, MLC_INVALID_ARGUMENT, "output '%s' has type %s, the request says %s", port.name,
                  mlc_type_name(type), mlc_type_name(request.type));
  const int32_t bits = mlc_type_bits(port.type);
  if (bits == 0)
    return refuse(error, MLC_UNSUPPORTED, "output '%s': tensors of type %s cannot be passed", port.name,
                  mlc_type_name(port.type));
  switch (request.memory) {
  case MLC_MEMORY_CALLER:
    if (isHandle(port))
      return refuse(
          error, MLC_UNSUPPORTED,
          "output '%s' is no tensor, or an optional one: expects MLC_MEMORY_SESSION or MLC_MEMORY_HANDED_OVER",
          port.name);
    if (!request.data && request.bytes)
      return refuse(error, MLC_INVALID_ARGUMENT, "output '%s': data is null, but bytes is %llu", port.name,
                    static_cast<unsigned long long>(request.bytes));
    if (request.strides && bits < 8)
      return refuse(error, MLC_INVALID_ARGUMENT, "output '%s': packed elements of type %s cannot have strides",
                    port.name, mlc_type_name(port.type));
    return MLC_OK;
  case MLC_MEMORY_SESSION:
  case MLC_MEMORY_HANDED_OVER:
    if (request.strides)
      return refuse(error, MLC_INVALID_ARGUMENT, "output '%s': strides are for the caller's memory only", port.name);
    return MLC_OK;
  }
  return refuse(error, MLC_INVALID_ARGUMENT, "output '%s': memory expects an mlc_memory, got %d", port.name,
                int(request.memory));
}

/// Whether the caller's memory has room for an output of these extents, where it is the caller that brings it.
static mlc_status checkRoom(const Session &session, uint32_t index, const int64_t *extents, mlc_error *error) {
  const mlc_port &port = portOf(session, index);
  mlc_output &request = *session.outputs[index].request;
  if (request.memory != MLC_MEMORY_CALLER)
    return MLC_OK;
  const int64_t reach = reachedBytes(extents, request.strides, port.rank, mlc_type_bits(port.type));
  if (reach < 0)
    return refuse(error, MLC_INVALID_ARGUMENT, "output '%s': strides reach further than can be addressed", port.name);
  if (uint64_t(reach) <= request.bytes)
    return MLC_OK;
  copyExtents(session.outputs[index].extents, extents, port.rank);
  request.extents = session.outputs[index].extents;
  request.rank = port.rank;
  request.type = port.type;
  return refuse(error, MLC_BUFFER_TOO_SMALL, "output '%s' of shape %s needs %lld bytes, the buffer has %llu", port.name,
                shape(extents, port.rank).text, static_cast<long long>(reach),
                static_cast<unsigned long long>(request.bytes));
}

mlc_status takeOutputs(Session &session, mlc_output *outputs, uint32_t count, mlc_error *error) {
  const mlc_model_info &info = session.data->info;
  if (count != info.output_count)
    return refuse(error, MLC_INVALID_ARGUMENT, "expects %u outputs (%s), got %u", info.output_count,
                  portNames(info.outputs, info.output_count).text, count);
  if (!outputs && count)
    return refuse(error, MLC_INVALID_ARGUMENT, "outputs is null, expects %u", count);

  for (uint32_t i = 0; i < count; ++i) {
    session.outputs[i].request = nullptr;
    session.outputs[i].place = nullptr;
    session.outputs[i].sequence = nullptr;
    session.outputs[i].isGiven = false;
    session.outputs[i].onDevice = nullptr;
    session.outputs[i].contiguousAtCaller = session.outputs[i].direct = false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t index = portFor("output", info.outputs, count, outputs[i].name, i, error);
    if (index < 0)
      return MLC_INVALID_ARGUMENT;
    if (session.outputs[index].request)
      return refuse(error, MLC_INVALID_ARGUMENT, "output '%s' is asked for twice", info.outputs[index].name);
    if (mlc_status status = checkRequest(info.outputs[index], outputs[i], error))
      return status;
    if (mlc_status status = checkPlace(session, "output", info.outputs[index], outputs[i].place, error))
      return status;
    if (outputs[i].place == MLC_ON_DEVICE)
      if (mlc_status status = checkOnDevice(info.outputs[index], outputs[i], error))
        return status;
    session.outputs[index].request = &outputs[i];
  }

  // What the inputs' extents tell of the outputs' saves a run whose result would not fit.
  predictOutputs(*session.data, session.symbols, session.predicted);
  const int64_t *extents = session.predicted;
  for (uint32_t i = 0; i < count; extents += axesOf(info.outputs[i++])) {
    bool known = !isHandle(info.outputs[i]);
    for (int32_t axis = 0; axis < axesOf(info.outputs[i]); ++axis)
      known &= extents[axis] >= 0;
    if (known)
      if (mlc_status status = checkRoom(session, i, extents, error))
        return status;
  }
  return MLC_OK;
}

//===-- While the graph runs ------------------------------------------------------===//

static bool overlap(const char *begin, const char *end, const char *otherBegin, const char *otherEnd) {
  return begin < otherEnd && otherBegin < end;
}

/// Whether an input lies there, which the graph may still read.
static bool holdsInput(const Session &session, const void *data, uint64_t bytes) {
  const char *begin = static_cast<const char *>(data);
  for (uint32_t i = 0; i < session.data->info.input_count; ++i)
    if (overlap(begin, begin + bytes, session.inputs[i].begin, session.inputs[i].end))
      return true;
  return false;
}

/// Another output that has been put where this one is to go; null if there is none.
static const mlc_port *findOverlapping(const Session &session, uint32_t index) {
  const OutputState &state = session.outputs[index];
  const char *begin = static_cast<const char *>(state.request->data);
  for (uint32_t i = 0; i < session.data->info.output_count; ++i) {
    const OutputState &other = session.outputs[i];
    const char *otherBegin = static_cast<const char *>(other.request->data);
    if (i == index || !other.place || !other.contiguousAtCaller || other.request->place != state.request->place)
      continue;
    // Names of the device's memory need not be addresses.
    if (state.request->place == MLC_ON_DEVICE
            ? begin == otherBegin
            : overlap(begin, begin + state.bytes, otherBegin, otherBegin + other.bytes))
      return &portOf(session, i);
  }
  return nullptr;
}

/// Whether the graph can write the caller's memory itself.
static bool canWriteDirectly(const Session &session, uint32_t index) {
  const OutputState &state = session.outputs[index];
  const void *data = state.request->data;
  return state.contiguousAtCaller && state.bytes > 0 &&
         reinterpret_cast<uintptr_t>(data) % elementAlignment(portOf(session, index).type) == 0 &&
         !holdsInput(session, data, uint64_t(state.bytes));
}

/// The session's own memory for an output. What the last run left there may be an input of this one: then two blocks
/// take turns.
static void *ownMemory(const Session &session, OutputState &state) {
  if (state.own.data && holdsInput(session, state.own.data, state.own.bytes)) {
    Buffer lent = state.own;
    state.own = state.lent;
    state.lent = lent;
  }
  return reserve(state.own, uint64_t(state.bytes)) ? state.own.data : nullptr;
}

static uint64_t extentsPlace(const OutputState &state) {
  return (uint64_t(state.bytes) + alignof(int64_t) - 1) & ~uint64_t(alignof(int64_t) - 1);
}

uint64_t handedOverBytes(const OutputState &state, int32_t rank) {
  return extentsPlace(state) + uint64_t(rank) * sizeof(int64_t);
}

/// A block for the caller to keep: the data, then the extents, so that both live equally long.
static void *allocateHandedOver(OutputState &state, int32_t rank) {
  auto *block = static_cast<char *>(allocate(handedOverBytes(state, rank)));
  if (!block)
    return nullptr;
  copyExtents(reinterpret_cast<int64_t *>(block + extentsPlace(state)), state.extents, rank);
  return block;
}

static const int64_t *handedOverExtents(const OutputState &state) {
  return reinterpret_cast<const int64_t *>(static_cast<const char *>(state.place) + extentsPlace(state));
}

extern "C" void *mlc_rt_output(mlc_frame *frame, int32_t index, const int64_t *extents) {
  Session &session = *static_cast<Frame *>(frame)->session;
  OutputState &state = session.outputs[index];
  const mlc_port &port = portOf(session, uint32_t(index));
  copyExtents(state.extents, extents, port.rank);
  state.bytes = contiguousBytes(state.extents, port.rank, mlc_type_bits(port.type));
  const int64_t bytesInCode = contiguousBytes(state.extents, port.rank, bitsInCode(port.type));
  if (state.bytes < 0 || bytesInCode < 0)
    failWith(session, refuse(session.error, MLC_FAILED, "output '%s' of shape %s is too large to be addressed",
                             port.name, shape(state.extents, port.rank).text));

  switch (state.request->memory) {
  case MLC_MEMORY_HANDED_OVER:
    state.place = allocateHandedOver(state, port.rank);
    break;
  case MLC_MEMORY_SESSION:
    state.place = ownMemory(session, state);
    break;
  case MLC_MEMORY_CALLER:
    if (mlc_status status = checkRoom(session, uint32_t(index), state.extents, session.error))
      failWith(session, status);
    state.contiguousAtCaller = isContiguous(state.extents, state.request->strides, port.rank);
    if (const mlc_port *other = state.contiguousAtCaller ? findOverlapping(session, uint32_t(index)) : nullptr)
      failWith(session,
               refuse(session.error, MLC_INVALID_ARGUMENT, "output '%s' overlaps output '%s'", port.name, other->name));
    // What is to be on the device is brought there by its part of the runtime.
    state.direct = state.request->place == MLC_ON_HOST && canWriteDirectly(session, uint32_t(index));
    state.place = state.direct ? state.request->data : ownMemory(session, state);
    break;
  }
  if (!state.place || (isPacked(port.type) && !reserve(state.unpacked, uint64_t(bytesInCode))))
    failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for output '%s', which takes %lld bytes",
                             port.name, static_cast<long long>(state.bytes)));
  return isPacked(port.type) ? state.unpacked.data : state.place;
}

//===-- Afterwards ----------------------------------------------------------------===//

static void copyToCaller(const OutputState &state, const mlc_port &port) {
  const int32_t bits = mlc_type_bits(port.type);
  if (state.bytes == 0)
    return;
  if (bits < 8)
    memcpy(state.request->data, state.place, size_t(state.bytes));
  else
    copyStrided(state.request->data, state.request->strides, state.place, nullptr, state.extents, port.rank, bits / 8);
}

mlc_status deliverOutputs(Session &session, mlc_error *error) {
  const mlc_model_info &info = session.data->info;
  for (uint32_t i = 0; i < info.output_count; ++i)
    if (!session.outputs[i].place && !session.outputs[i].isGiven)
      return refuse(error, MLC_FAILED, "output '%s' was not computed: the model's code is damaged",
                    info.outputs[i].name);
  for (uint32_t i = 0; i < info.output_count; ++i) {
    const mlc_port &port = info.outputs[i];
    OutputState &state = session.outputs[i];
    mlc_output &request = *state.request;
    if (isHandle(port)) {
      if (mlc_status status = deliverSequence(session, i, error))
        return status;
      continue;
    }
    if (port.type == MLC_STRING)
      if (mlc_status status = keepText(session, i, error))
        return status;
    if (isPacked(port.type))
      pack(static_cast<uint8_t *>(state.place), static_cast<const int8_t *>(state.unpacked.data),
           contiguousBytes(state.extents, port.rank, bitsInCode(port.type)), port.type);
    request.extents = state.extents;
    request.rank = port.rank;
    request.type = port.type;
    if (request.memory == MLC_MEMORY_CALLER) {
      if (!state.direct && request.place == MLC_ON_HOST)
        copyToCaller(state, port);
      continue;
    }
    if (request.memory == MLC_MEMORY_HANDED_OVER)
      request.extents = handedOverExtents(state);
    request.data = request.place == MLC_ON_DEVICE ? state.onDevice : state.place;
    request.bytes = uint64_t(state.bytes);
  }
  return MLC_OK;
}

void dropOutputs(Session &session) {
  for (uint32_t i = 0; i < session.data->info.output_count; ++i) {
    OutputState &state = session.outputs[i];
    if (state.request->memory == MLC_MEMORY_HANDED_OVER)
      release(state.place);
    state.place = nullptr;
  }
}

} // namespace mlc::rt
