// One run, from the caller's arguments to the caller's results.
#include "core/Session.h"
#include "core/Status.h"

namespace mlc::rt {

thread_local constinit ThreadContext *currentThread = nullptr;

static mlc_status reserveArena(Session &session, mlc_error *error) {
  // Symbols that no input has are of no influence here.
  for (uint32_t i = 0; i < session.data->info.symbol_count; ++i)
    if (session.symbols[i] < 0)
      session.symbols[i] = 0;
  const int64_t bytes = session.data->arena_bytes(session.symbols);
  if (bytes < 0)
    return refuse(error, MLC_INVALID_ARGUMENT,
                  "the inputs are too large: the memory that the run needs cannot be addressed");
  if (session.arenaIsCallers && uint64_t(bytes) > session.arena.bytes)
    return refuse(error, MLC_OUT_OF_MEMORY,
                  "the run needs an arena of %lld bytes, options.arena_bytes was %llu; see mlc_query_memory",
                  static_cast<long long>(bytes), static_cast<unsigned long long>(session.arena.bytes));
  if (!session.arenaIsCallers && !reserve(session.arena, uint64_t(bytes)))
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for the arena of the run, which takes %lld bytes",
                  static_cast<long long>(bytes));
  session.frame.arena = session.arena.data;
  return MLC_OK;
}

static mlc_status runGraph(Session &session, mlc_error *error) {
  session.error = error;
  session.status.store(MLC_OK, std::memory_order_relaxed);
  const mlc_device_services *device = session.data->program ? session.data->program->services : nullptr;
  enter(&session.frame, session.scratch, false, [&] {
    if (session.usesDevice)
      device->begin(session);
    session.data->run(&session.frame);
  });
  giveBack(session.team);
  mlc_status status = session.status.load(std::memory_order_relaxed);
  if (session.device)
    if (mlc_status ended = device->finish(session, error); status == MLC_OK)
      status = ended;
  if (status == MLC_OK)
    status = deliverOutputs(session, error);
  if (status != MLC_OK)
    dropOutputs(session);
  return status;
}

mlc_status run(mlc_session *handle, const mlc_input *inputs, uint32_t inputCount, mlc_output *outputs,
               uint32_t outputCount, mlc_error *error) {
  Session &session = *static_cast<Session *>(handle);
  if (session.busy.exchange(true, std::memory_order_acquire))
    return refuse(error, MLC_BUSY, "the session is running already; let threads have sessions of their own");
  session.usesDevice = false;
  mlc_status status = takeInputs(session, inputs, inputCount, error);
  if (status == MLC_OK)
    status = takeOutputs(session, outputs, outputCount, error);
  if (status == MLC_OK)
    status = reserveArena(session, error);
  if (status == MLC_OK)
    status = runGraph(session, error);
  session.region.reset();
  session.textRoom = 0;
  session.busy.store(false, std::memory_order_release);
  return status == MLC_OK ? accept(error) : status;
}

//===-- What emitted code calls ---------------------------------------------------===//

bool claimFailure(Session &session, mlc_status status) {
  mlc_status none = MLC_OK;
  return session.status.compare_exchange_strong(none, status, std::memory_order_relaxed);
}

void failWith(Session &session, mlc_status status) {
  claimFailure(session, status);
  leave();
}

extern "C" {

void mlc_rt_fail(mlc_frame *frame, const char *format, const int64_t *values, int32_t count) {
  Session &session = *static_cast<Frame *>(frame)->session;
  // Parts of a parallel region can fail at once; one of them writes the text.
  if (claimFailure(session, MLC_FAILED))
    refuseWithValues(session.error, MLC_FAILED, format, values, count);
  leave();
}

void *mlc_rt_allocate(mlc_frame *frame, int64_t bytes) {
  Session &session = *static_cast<Frame *>(frame)->session;
  void *piece = bytes < 0 ? nullptr : session.region.take(uint64_t(bytes));
  if (!piece)
    failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for a value of %lld bytes",
                             static_cast<long long>(bytes)));
  return piece;
}

void *mlc_rt_scratch(int64_t bytes) {
  ThreadContext &here = *currentThread;
  if (bytes >= 0 && reserve(*here.scratch, uint64_t(bytes)))
    return here.scratch->data;
  Session &session = *here.frame->session;
  if (claimFailure(session, MLC_OUT_OF_MEMORY))
    refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for scratch space of %lld bytes",
           static_cast<long long>(bytes));
  leave();
}

void mlc_rt_kernel_begin(mlc_frame *frame, int32_t) {
  static_cast<Frame *>(frame)->session->kernelStart = nanoseconds();
}

void mlc_rt_kernel_end(mlc_frame *frame, int32_t index) {
  Session &session = *static_cast<Frame *>(frame)->session;
  mlc_kernel_time &time = session.kernelTimes[index];
  time.nanoseconds += nanoseconds() - session.kernelStart;
  ++time.calls;
}
}

const mlc_kernel_time *kernelTimes(const mlc_session *session) {
  return static_cast<const Session *>(session)->kernelTimes;
}

void resetKernelTimes(mlc_session *handle) {
  Session &session = *static_cast<Session *>(handle);
  for (uint32_t i = 0; i < session.data->info.kernel_count; ++i)
    session.kernelTimes[i] = {};
}

} // namespace mlc::rt
