// Creating and destroying sessions.
//
// A session and all of its tables are one block, carved here; only what depends on the extents of a run is allocated
// later.
#include "core/Session.h"
#include "core/Device.h"
#include "core/Sequence.h"
#include "core/Status.h"
#include <string.h>

namespace mlc::rt {

static Session *sessionOf(mlc_session *session) { return static_cast<Session *>(session); }

/// The options as this version knows them: an older caller's are filled up with defaults.
static mlc_status readOptions(const mlc_session_options *given, mlc_session_options &options, mlc_error *error) {
  options = {};
  options.size = sizeof options;
  if (!given)
    return MLC_OK;
  constexpr uint32_t smallest = offsetof(mlc_session_options, threads);
  if (given->size <= smallest)
    return refuse(error, MLC_INVALID_ARGUMENT, "options.size expects sizeof(mlc_session_options), which is %zu, got %u",
                  sizeof options, given->size);
  for (uint32_t byte = sizeof options; byte < given->size; ++byte)
    if (reinterpret_cast<const char *>(given)[byte] != 0)
      return refuse(error, MLC_UNSUPPORTED,
                    "options ask for something that this model's runtime does not know yet; compile the model again");
  memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);

  if (options.threads < 0 || uint32_t(options.threads) > mostThreads)
    return refuse(error, MLC_INVALID_ARGUMENT, "options.threads expects 0 to %u, got %d", mostThreads, options.threads);
  if (!options.arena && options.arena_bytes)
    return refuse(error, MLC_INVALID_ARGUMENT, "options.arena is null, but options.arena_bytes is %llu",
                  static_cast<unsigned long long>(options.arena_bytes));
  if (reinterpret_cast<uintptr_t>(options.arena) % alignment)
    return refuse(error, MLC_INVALID_ARGUMENT, "options.arena expects an address that is a multiple of %u",
                  unsigned(alignment));
  return MLC_OK;
}

static mlc_status checkModel(const mlc_model_info &info, mlc_error *error) {
  if (info.code_abi != MLC_CODE_ABI)
    return refuse(error, MLC_UNSUPPORTED,
                  "model '%s' was compiled for version %u of the runtime, this is version %u; compile it again",
                  info.name, info.code_abi, MLC_CODE_ABI);
  char missing[32];
  const char *features = mlc_find_property(&info, "mlc.features");
  if (features && findMissingFeature(features, missing))
    return refuse(
        error, MLC_UNSUPPORTED,
        "model '%s' was compiled for processors with %s, which this one lacks; compile it with --chip for this one",
        info.name, missing);
  return MLC_OK;
}

namespace {
/// Hands out consecutive pieces of one block; without a block, only counts.
class Carver {
public:
  explicit Carver(char *block) : block(block) {}
  template <typename Value> Value *take(uint64_t count) {
    used = (used + alignof(Value) - 1) / alignof(Value) * alignof(Value);
    char *piece = block ? block + used : nullptr;
    used += count * sizeof(Value);
    return reinterpret_cast<Value *>(piece);
  }
  uint64_t used = 0;

private:
  char *block;
};
} // namespace

static uint64_t axesOf(const mlc_port *ports, uint32_t count) {
  uint64_t axes = 0;
  for (uint32_t i = 0; i < count; ++i)
    axes += uint64_t(axesOf(ports[i]));
  return axes;
}

/// Lays a session out in `block` (zeroed), or, without one, only measures it.
static uint64_t layOut(char *block, const mlc_model_info &info) {
  Carver carver(block);
  auto *session = carver.take<Session>(1);
  auto *inputs = carver.take<InputState>(info.input_count);
  auto *outputs = carver.take<OutputState>(info.output_count);
  auto *inputData = carver.take<const void *>(info.input_count);
  auto *inputExtents = carver.take<const int64_t *>(info.input_count);
  auto *symbols = carver.take<int64_t>(info.symbol_count);
  const uint64_t outputAxes = axesOf(info.outputs, info.output_count);
  auto *predicted = carver.take<int64_t>(outputAxes);
  auto *outputAxis = carver.take<int64_t>(outputAxes);
  auto *inputAxis = carver.take<int64_t>(axesOf(info.inputs, info.input_count));
  auto *times = carver.take<mlc_kernel_time>(info.kernel_count);
  if (!block)
    return carver.used;

  for (uint32_t i = 0; i < info.input_count; inputAxis += axesOf(info.inputs[i++]))
    inputExtents[i] = inputs[i].extents = inputAxis;
  for (uint32_t i = 0; i < info.output_count; outputAxis += axesOf(info.outputs[i++]))
    outputs[i].extents = outputAxis;
  session->inputs = inputs;
  session->outputs = outputs;
  session->symbols = symbols;
  session->predicted = predicted;
  session->kernelTimes = info.kernel_count ? times : nullptr;
  session->frame.inputs = inputData;
  session->frame.input_extents = inputExtents;
  session->frame.session = session;
  return carver.used;
}

/// The model for the device, where the library has one and the machine a device; else the one that it is asked for, and
/// in `missing` why.
static const mlc_model_data_t *chooseMachine(const mlc_model_data_t *data, mlc_error &missing) {
  accept(&missing);
  const mlc_device_program *program = data->device ? data->device->program : nullptr;
  return program && program->services->find(*program, &missing) == MLC_OK ? data->device : data;
}

mlc_status createSession(const mlc_model *model, const mlc_session_options *given, mlc_session **result,
                         mlc_error *error) {
  if (!result)
    return refuse(error, MLC_INVALID_ARGUMENT, "session is null: expects a place for the result");
  *result = nullptr;
  mlc_session_options options;
  if (mlc_status status = checkModel(*model->info, error))
    return status;
  if (mlc_status status = readOptions(given, options, error))
    return status;
  mlc_error missing;
  const mlc_model_data_t &data = *chooseMachine(&dataOf(*model->info), missing);
  const mlc_model_info &info = data.info;

  const uint64_t size = layOut(nullptr, info);
  auto *block = static_cast<char *>(allocate(size));
  if (!block)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for a session, which takes %llu bytes",
                  static_cast<unsigned long long>(size));
  memset(block, 0, size);
  layOut(block, info);
  auto *session = reinterpret_cast<Session *>(block);
  session->model = model;
  session->data = &data;
  if (&info != model->info) {
    session->own = *model;
    session->own.info = &info;
    session->model = &session->own;
  }
  session->threads = uint32_t(options.threads);
  session->executor = options.executor;
  session->executorContext = options.executor_context;
  session->arenaIsCallers = options.arena != nullptr;
  session->arena = {options.arena, options.arena_bytes};
  session->queue = options.queue;
  sessionCreated();
  *result = session;
  if (missing.status != MLC_OK)
    return refuse(error, MLC_OK, "the session is on the host: %s", missing.text);
  return accept(error);
}

void destroySession(mlc_session *handle) {
  Session &session = *sessionOf(handle);
  const mlc_model_info &info = session.data->info;
  if (session.device)
    session.data->program->services->destroy(session);
  for (uint32_t i = 0; i < info.input_count; ++i)
    release(session.inputs[i].copy);
  for (uint32_t i = 0; i < info.output_count; ++i) {
    release(session.outputs[i].own);
    release(session.outputs[i].lent);
    release(session.outputs[i].unpacked);
    release(session.outputs[i].text);
    release(session.outputs[i].lastText);
  }
  for (uint32_t i = 0; session.executorScratch && i < session.threads; ++i)
    release(session.executorScratch[i]);
  release(static_cast<void *>(session.executorScratch));
  release(session.partScratch);
  release(session.scratch);
  session.region.clear();
  if (!session.arenaIsCallers)
    release(session.arena);
  release(static_cast<void *>(&session));
  sessionDestroyed();
}

} // namespace mlc::rt
