// Launches of emitted code, and the memory of the device behind the host's addresses.
//
// A run names memory by the host's addresses. Each address belongs to a block: an input, an output, the arena, a block
// of values whose size depends on data, a tensor of a sequence that is the caller's, or else a constant of the model. A
// block has a twin on the device (Twin.h). A
// launch brings its arguments there where the host has newer values, and what it writes is newest on the device; the
// host, before it reads, brings it back. So nothing is copied that the other side does not need, whatever way the
// graph takes. Memory of the host that only the device uses stays untouched, and takes no more than addresses.
//
// Constants belong to the model: all sessions of a process share their twins, which go to the device once. All that a
// model has on the device goes with its last session.
#include "core/Futex.h"
#include "core/Packed.h"
#include "core/Sequence.h"
#include "core/Session.h"
#include "core/Status.h"
#include "core/Strides.h"
#include "device/Twin.h"
#include <string.h>

namespace mlc::rt {

namespace {

/// The constants that the device has, by address.
struct Constants {
  Lock lock;
  Twin *twins;
  uint32_t count, room;
  uint32_t sessions;
};
Constants constants;

} // namespace

struct DeviceState {
  DeviceQueue *queue;
  bool isRunning; ///< the twins below are of this run
  bool isBroken;  ///< the driver has failed
  Twin arena;
  Twin *inputs, *outputs;
  Twin *lent;   ///< of each output, the memory that the last run left to the caller and that is an input of this one
  Twin *blocks; ///< of the session's region, and tensors in sequences of the caller
  uint32_t blockCount, blockRoom;
};

namespace {

using State = DeviceState;

[[noreturn]] void failWithoutMemory(Session &session) {
  failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for the bookkeeping of the device's buffers"));
}

/// Room for one more in a list of twins.
bool grow(Twin *&twins, uint32_t count, uint32_t &room) {
  if (count < room)
    return true;
  const uint32_t more = 2 * room + 16;
  auto *grown = static_cast<Twin *>(allocate(more * sizeof(Twin)));
  if (!grown)
    return false;
  memset(static_cast<void *>(grown), 0, more * sizeof(Twin));
  if (count)
    memcpy(static_cast<void *>(grown), static_cast<const void *>(twins), count * sizeof(Twin));
  release(static_cast<void *>(twins));
  twins = grown, room = more;
  return true;
}

State &stateOf(Session &session) {
  if (session.device)
    return *session.device;
  const mlc_model_info &info = session.data->info;
  const uint64_t size = sizeof(State) + sizeof(Twin) * (info.input_count + 2 * uint64_t(info.output_count));
  auto *block = static_cast<char *>(allocate(size));
  if (!block)
    failWithoutMemory(session);
  memset(block, 0, size);
  auto *state = reinterpret_cast<State *>(block);
  state->inputs = reinterpret_cast<Twin *>(block + sizeof(State));
  state->outputs = state->inputs + info.input_count;
  state->lent = state->outputs + info.output_count;
  constants.lock.lock();
  ++constants.sessions;
  constants.lock.unlock();
  session.device = state;
  return *state;
}

/// Opens the device for the session, the first time that it is needed.
void open(Session &session, State &state) {
  if (state.isBroken)
    failWith(session, refuse(session.error, MLC_FAILED, "the device failed in an earlier run; create another session"));
  if (state.queue)
    return;
  const mlc_device_program &program = *session.data->program;
  mlc_status status = deviceApi.open(program, session.queue, session.error);
  if (status == MLC_OK)
    status = deviceApi.createQueue(program, session.queue, &state.queue, session.error);
  if (status != MLC_OK)
    failWith(session, status);
}

/// Whether the caller's input or output is in this memory of the device, or may be: where its names are no addresses,
/// what looks like a part of it need not be.
bool mayOverlap(const void *memory, uint64_t bytes, const void *other, uint64_t otherBytes) {
  const auto begin = reinterpret_cast<uintptr_t>(memory), otherBegin = reinterpret_cast<uintptr_t>(other);
  return begin < otherBegin + otherBytes && otherBegin < begin + bytes;
}

bool holdsInput(const Session &session, const State &state, DeviceMemory memory, uint64_t bytes) {
  for (uint32_t i = 0; i < session.data->info.input_count; ++i)
    if (session.inputs[i].given->place == MLC_ON_DEVICE &&
        mayOverlap(memory, bytes, session.inputs[i].given->data, state.inputs[i].bytes))
      return true;
  return false;
}

/// What the last run left on the device may be an input of this one: then two pieces of memory take turns.
void keepLent(const Session &session, State &state, uint32_t output) {
  Twin &twin = state.outputs[output], &lent = state.lent[output];
  if (!twin.own || !holdsInput(session, state, twin.own, twin.ownBytes))
    return;
  const DeviceMemory own = twin.own;
  const uint64_t bytes = twin.ownBytes;
  twin.own = lent.own, twin.ownBytes = lent.ownBytes;
  lent.own = own, lent.ownBytes = bytes;
}

/// Describes what is known when a run begins.
void begin(Session &session, State &state) {
  if (state.isRunning)
    return;
  const mlc_model_info &info = session.data->info;
  bool done = state.arena.describe(session.frame.arena, uint64_t(session.data->arena_bytes(session.symbols)), Nowhere);
  for (uint32_t i = 0; i < info.input_count && done; ++i) {
    const mlc_port &port = info.inputs[i];
    if (isHandle(port))
      continue; // its tensors are known when the graph comes to them
    const int64_t bytes = contiguousBytes(session.inputs[i].extents, port.rank, bitsInCode(port.type));
    const mlc_input &given = *session.inputs[i].given;
    done = given.place == MLC_ON_DEVICE ? state.inputs[i].describe(session.frame.inputs[i], uint64_t(bytes), OnDevice,
                                                                   const_cast<DeviceMemory>(given.data))
                                        : state.inputs[i].describe(session.frame.inputs[i], uint64_t(bytes), OnHost);
    state.inputs[i].isStable = true;
  }
  for (uint32_t i = 0; i < info.output_count; ++i)
    keepLent(session, state, i);
  for (uint32_t i = 0; i < info.output_count && done; ++i)
    done = state.outputs[i].describe(nullptr, 0, Nowhere);
  if (!done)
    failWithoutMemory(session);
  state.isRunning = true;
}

void begin(Session &session) {
  State &state = stateOf(session);
  open(session, state);
  begin(session, state);
}

/// The memory that emitted code writes an output to.
const void *placeInCode(const Session &session, uint32_t index) {
  const OutputState &output = session.outputs[index];
  return isPacked(session.data->info.outputs[index].type) ? output.unpacked.data : output.place;
}

Twin *findConstant(const void *place) {
  uint32_t first = 0, last = constants.count;
  while (first < last) {
    const uint32_t middle = (first + last) / 2;
    if (constants.twins[middle].contains(place))
      return &constants.twins[middle];
    if (constants.twins[middle].host < place)
      first = middle + 1;
    else
      last = middle;
  }
  return nullptr;
}

/// The memory of the device that holds the constant; it goes there with the first launch that reads it. Never moves or
/// goes before the last session does.
DeviceMemory memoryOfConstant(Session &session, State &state, const void *place, uint64_t bytes, int64_t &offset) {
  mlc_status status = MLC_OK;
  DeviceMemory memory = nullptr;
  constants.lock.lock();
  Twin *twin = findConstant(place);
  if (twin && twin->offsetOf(place) + bytes <= twin->bytes) {
    memory = twin->memory;
    offset = int64_t(twin->offsetOf(place));
  } else if (!grow(constants.twins, constants.count, constants.room)) {
    status = refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for the bookkeeping of the device's buffers");
  } else if ((status = deviceApi.allocate(bytes, "for a constant of the model", &memory, session.error)) == MLC_OK) {
    status = deviceApi.copyToDevice(state.queue, memory, 0, place, bytes, /*waits=*/true, session.error);
    uint32_t at = 0;
    while (at < constants.count && constants.twins[at].host < place)
      ++at;
    memmove(static_cast<void *>(constants.twins + at + 1), static_cast<const void *>(constants.twins + at),
            (constants.count - at) * sizeof(Twin));
    memset(static_cast<void *>(constants.twins + at), 0, sizeof(Twin));
    constants.twins[at].host = static_cast<const char *>(place);
    constants.twins[at].bytes = constants.twins[at].ownBytes = bytes;
    constants.twins[at].memory = constants.twins[at].own = memory;
    ++constants.count;
    offset = 0;
  }
  constants.lock.unlock();
  if (status != MLC_OK)
    failWith(session, status);
  return memory;
}

/// Where the caller wants an output on the device, if the graph can write it there: not where it still reads an input.
DeviceMemory borrowedFor(const Session &session, const State &state, const mlc_output &request, uint64_t bytes) {
  const bool isCallers = request.place == MLC_ON_DEVICE && request.memory == MLC_MEMORY_CALLER;
  return isCallers && !holdsInput(session, state, request.data, bytes) ? request.data : nullptr;
}

/// One more of the blocks that are of this run.
Twin *addBlock(Session &session, State &state, const void *place, uint64_t bytes, Fresh fresh) {
  if (!grow(state.blocks, state.blockCount, state.blockRoom) ||
      !state.blocks[state.blockCount].describe(place, bytes, fresh))
    failWithoutMemory(session);
  return &state.blocks[state.blockCount++];
}

/// The twin of the block that has these bytes; null for a constant.
Twin *twinOf(Session &session, State &state, const void *place, uint64_t size) {
  const mlc_model_info &info = session.data->info;
  if (state.arena.contains(place))
    return &state.arena;
  for (uint32_t i = 0; i < info.input_count; ++i)
    if (state.inputs[i].contains(place))
      return &state.inputs[i];
  for (uint32_t i = 0; i < info.output_count; ++i) {
    const OutputState &output = session.outputs[i];
    if (!output.place)
      continue;
    Twin &twin = state.outputs[i];
    const void *begin = placeInCode(session, i);
    if (twin.host != begin) {
      const mlc_port &port = info.outputs[i];
      const auto bytes = uint64_t(contiguousBytes(output.extents, port.rank, bitsInCode(port.type)));
      if (!twin.describe(begin, bytes, Nowhere, borrowedFor(session, state, *output.request, bytes)))
        failWithoutMemory(session);
    }
    if (twin.contains(place))
      return &twin;
  }
  for (uint32_t i = 0; i < state.blockCount; ++i)
    if (state.blocks[i].contains(place, size))
      return &state.blocks[i];
  const Buffer block = session.region.blockOf(place);
  return block.data ? addBlock(session, state, block.data, block.bytes, Nowhere) : nullptr;
}

mlc_status bringBack(State &state, Twin &twin, uint64_t begin, uint64_t end, mlc_error *error) {
  mlc_status status = twin.forEach(begin, end, OnDevice, [&](uint64_t first, uint64_t last) {
    return deviceApi.copyToHost(state.queue, const_cast<char *>(twin.host) + first, twin.memory, first, last - first,
                                error);
  });
  if (status != MLC_OK)
    return status;
  // What was nowhere stays there.
  uint64_t at = begin;
  while (at < end) {
    uint64_t first = end, last = end;
    twin.forEach(at, end, OnDevice, [&](uint64_t from, uint64_t to) {
      first = from, last = to;
      return MLC_FAILED; // one is enough
    });
    if (!twin.mark(first, last, OnBoth))
      return refuse(error, MLC_OUT_OF_MEMORY, "no memory for the bookkeeping of the device's buffers");
    at = last;
  }
  return MLC_OK;
}

mlc_status bringThere(State &state, Twin &twin, uint64_t begin, uint64_t end, mlc_error *error) {
  if (!twin.memory) {
    if (mlc_status status = deviceApi.allocate(
            twin.bytes, &twin == &state.arena ? "for the arena of the run" : "for a tensor", &twin.own, error))
      return status;
    twin.memory = twin.own;
    twin.ownBytes = twin.bytes;
  }
  for (;;) {
    uint64_t first = end, last = end;
    twin.forEach(begin, end, OnHost, [&](uint64_t from, uint64_t to) {
      first = from, last = to;
      return MLC_FAILED; // one at a time: marking moves the others
    });
    if (first == end)
      return MLC_OK;
    if (mlc_status status = deviceApi.copyToDevice(state.queue, twin.memory, first, twin.host + first, last - first,
                                                   /*waits=*/!twin.isStable, error)) {
      state.isBroken = true;
      return status;
    }
    if (!twin.mark(first, last, OnBoth))
      return refuse(error, MLC_OUT_OF_MEMORY, "no memory for the bookkeeping of the device's buffers");
  }
}

/// Brings an output to where it is asked for.
mlc_status deliver(Session &session, State &state, uint32_t index, mlc_error *error) {
  OutputState &output = session.outputs[index];
  Twin &twin = state.outputs[index];
  // One of which the device and the host have written nothing has no elements.
  if (!output.place || twin.host != placeInCode(session, index))
    return MLC_OK;
  const mlc_output &request = *output.request;
  if (request.place == MLC_ON_HOST)
    return bringBack(state, twin, 0, twin.bytes, error);
  if (mlc_status status = bringThere(state, twin, 0, twin.bytes, error))
    return status;
  output.onDevice = twin.memory;
  if (request.memory == MLC_MEMORY_SESSION || twin.memory == request.data)
    return MLC_OK;
  if (mlc_status status = bringBack(state, twin, 0, twin.bytes, error))
    return status;
  return deviceApi.copyToDevice(state.queue, request.data, 0, twin.host, twin.bytes, /*waits=*/true, error);
}

/// Whether the caller has nothing of this run on the host, and a queue to wait for.
bool isAllOnDevice(const Session &session) {
  const mlc_model_info &info = session.data->info;
  bool isAll = session.queue != nullptr;
  for (uint32_t i = 0; i < info.input_count; ++i)
    isAll &= session.inputs[i].given->place == MLC_ON_DEVICE;
  for (uint32_t i = 0; i < info.output_count; ++i)
    isAll &= session.outputs[i].request->place == MLC_ON_DEVICE;
  return isAll;
}

mlc_status finish(Session &session, mlc_error *error) {
  State &state = *session.device;
  mlc_status status = MLC_OK;
  const bool hasFailed = session.status.load(std::memory_order_relaxed) != MLC_OK;
  if (state.queue)
    status = deviceApi.endRun(state.queue, hasFailed ? nullptr : error);
  for (uint32_t i = 0; i < session.data->info.output_count && state.queue && !hasFailed && status == MLC_OK; ++i)
    status = deliver(session, state, i, error);
  if (state.queue && (hasFailed || status != MLC_OK || !isAllOnDevice(session)))
    if (mlc_status waited = deviceApi.wait(state.queue, hasFailed ? nullptr : error); status == MLC_OK)
      status = waited;
  // Blocks of the region change from run to run.
  for (uint32_t i = 0; i < state.blockCount; ++i)
    state.blocks[i].clear();
  state.blockCount = 0;
  state.isRunning = false;
  if (status == MLC_FAILED)
    state.isBroken = true;
  return status;
}

void destroy(Session &session) {
  State &state = *session.device;
  state.arena.clear();
  for (uint32_t i = 0; i < session.data->info.input_count; ++i)
    state.inputs[i].clear();
  for (uint32_t i = 0; i < session.data->info.output_count; ++i) {
    state.outputs[i].clear();
    state.lent[i].clear();
  }
  for (uint32_t i = 0; i < state.blockCount; ++i)
    state.blocks[i].clear();
  release(static_cast<void *>(state.blocks));
  if (state.queue)
    deviceApi.destroyQueue(state.queue);
  constants.lock.lock();
  if (--constants.sessions == 0) {
    for (uint32_t i = 0; i < constants.count; ++i)
      constants.twins[i].clear();
    release(static_cast<void *>(constants.twins));
    constants.twins = nullptr;
    constants.count = constants.room = 0;
    // Not when the library is unloaded: at the end of a process the driver is gone before.
    deviceApi.close();
  }
  constants.lock.unlock();
  release(static_cast<void *>(&state));
  session.device = nullptr;
}

} // namespace

extern "C" void mlc_rt_launch(mlc_frame *frame, const mlc_device_program *program, int32_t kernel,
                              const int64_t *blocks, const mlc_device_argument *arguments) {
  Session &session = *static_cast<Frame *>(frame)->session;
  if (blocks[0] <= 0 || blocks[1] <= 0 || blocks[2] <= 0)
    return;
  State &state = stateOf(session);
  open(session, state);
  begin(session, state);

  const char *kinds = program->kernels[kernel].arguments;
  DeviceMemory memories[mostArguments];
  int64_t values[mostArguments];
  uint32_t count = uint32_t(strlen(kinds));
  if (count > mostArguments)
    failWith(session, refuse(session.error, MLC_FAILED, "kernel '%s' has %u arguments, expected at most %u",
                             program->kernels[kernel].name, count, mostArguments));
  for (uint32_t i = 0; i < count; ++i) {
    memories[i] = nullptr;
    values[i] = arguments[i].value;
    if (kinds[i] == 'l')
      continue;
    const auto *place = reinterpret_cast<const char *>(arguments[i].value);
    const auto bytes = uint64_t(arguments[i].bytes);
    values[i] = 0;
    if (bytes == 0)
      continue;
    Twin *twin = twinOf(session, state, place, bytes);
    if (!twin) {
      memories[i] = memoryOfConstant(session, state, place, bytes, values[i]);
      continue;
    }
    const uint64_t offset = twin->offsetOf(place);
    if (mlc_status status = bringThere(state, *twin, offset, offset + bytes, session.error))
      failWith(session, status);
    memories[i] = twin->memory;
    values[i] = int64_t(offset);
  }
  if (mlc_status status = deviceApi.launch(state.queue, *program, kernel, blocks, memories, values, session.error)) {
    state.isBroken = true;
    failWith(session, status);
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (kinds[i] != 'w' || arguments[i].bytes == 0)
      continue;
    const auto *place = reinterpret_cast<const char *>(arguments[i].value);
    if (Twin *twin = twinOf(session, state, place, uint64_t(arguments[i].bytes))) {
      const uint64_t offset = twin->offsetOf(place);
      if (!twin->mark(offset, offset + uint64_t(arguments[i].bytes), OnDevice))
        failWithoutMemory(session);
    }
  }
}

extern "C" void mlc_rt_host_reads(mlc_frame *frame, const void *data, int64_t bytes) {
  Session &session = *static_cast<Frame *>(frame)->session;
  State *state = session.device;
  // Before the first launch of a run the device has nothing.
  if (!state || !state->isRunning || bytes <= 0)
    return;
  Twin *twin = twinOf(session, *state, data, uint64_t(bytes));
  if (!twin)
    return;
  const uint64_t offset = twin->offsetOf(data);
  if (mlc_status status = bringBack(*state, *twin, offset, offset + uint64_t(bytes), session.error))
    failWith(session, status);
}

extern "C" void mlc_rt_host_writes(mlc_frame *frame, const void *data, int64_t bytes) {
  if (bytes <= 0)
    return;
  Session &session = *static_cast<Frame *>(frame)->session;
  State &state = stateOf(session);
  begin(session, state);
  Twin *twin = twinOf(session, state, data, uint64_t(bytes));
  if (!twin) // nobody writes constants: it is in a sequence of the caller
    twin = addBlock(session, state, data, uint64_t(bytes), OnHost);
  const uint64_t offset = twin->offsetOf(data);
  if (!twin->mark(offset, offset + uint64_t(bytes), OnHost))
    failWithoutMemory(session);
}

static mlc_status find(const mlc_device_program &program, mlc_error *error) { return deviceApi.find(program, error); }

} // namespace mlc::rt

extern "C" const mlc_device_services mlc_rt_device_services = {mlc::rt::find, mlc::rt::begin, mlc::rt::finish,
                                                               mlc::rt::destroy};
