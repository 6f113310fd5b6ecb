// GPUs whose driver loads code and launches its functions in streams: CUDA and HIP (Kind.h has what they differ in).
#include "device/Device.h"
#include "core/Futex.h"
#include "core/Memory.h"
#include "core/Status.h"
#include "gpu/Kind.h"
#include "gpu/Replay.h"
#include <string.h>

namespace mlc::rt {

struct DeviceQueue {
  gpu::Lane lane;
  bool isCallers;
  gpu::Replay replay;
};

namespace {

/// What all sessions of the process share.
struct Shared {
  Lock lock;
  const gpu::Driver *driver;
  gpu::Choice choice; ///< without an image before there is one
  gpu::Object context;
  gpu::Object module;     ///< loaded; null before
  gpu::Object *functions; ///< of the module, as numbered in the program
};
Shared shared;

const gpu::Driver &call() { return *shared.driver; }
const char *deviceName() { return shared.choice.name; }

/// Calls of this thread go to the device, for the length of a scope.
struct Current {
  Current() : before(gpu::enter(shared.choice.device, shared.context)) {}
  ~Current() { gpu::leave(before); }
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;
  int64_t before;
};

const char *meaningOf(gpu::Result code) {
  const char *text = nullptr;
  return call().getErrorString(code, &text) == gpu::success && text ? text : "an unknown error";
}

mlc_status fail(mlc_error *error, const char *what, gpu::Result code) {
  return refuse(error, code == gpu::outOfMemory ? MLC_OUT_OF_MEMORY : MLC_FAILED,
                "%s device '%s' cannot %s: the driver gave error %d, %s", gpu::kindName, deviceName(), what, code,
                meaningOf(code));
}

mlc_status checkLimits(const mlc_device_program &program, mlc_error *error) {
  const gpu::Choice &choice = shared.choice;
  for (int32_t i = 0; i < program.kernel_count; ++i) {
    const mlc_device_kernel &kernel = program.kernels[i];
    if (kernel.local_bytes > choice.localBytesOfBlock)
      return refuse(error, MLC_UNSUPPORTED, "%s device '%s' has %d bytes of shared memory, kernel '%s' needs %d",
                    gpu::kindName, choice.name, choice.localBytesOfBlock, kernel.name, kernel.local_bytes);
    const int threads = kernel.threads[0] * kernel.threads[1] * kernel.threads[2];
    if (threads > choice.threadsOfBlock)
      return refuse(error, MLC_UNSUPPORTED, "%s device '%s' runs blocks of at most %d threads, kernel '%s' needs %d",
                    gpu::kindName, choice.name, choice.threadsOfBlock, kernel.name, threads);
  }
  return MLC_OK;
}

mlc_status load(const mlc_device_program &program, mlc_error *error) {
  const mlc_device_image *image = shared.choice.image;
  char log[256] = "";
  int32_t options[] = {gpu::jitErrorLog, gpu::jitErrorLogBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  gpu::Object module;
  gpu::Result code = call().loadModule(&module, image->code, 2, options, values);
  if (code != gpu::success)
    return refuse(error, code == gpu::outOfMemory ? MLC_OUT_OF_MEMORY : MLC_FAILED,
                  "the driver of %s device '%s' refuses the model's kernels for %s (error %d, %s); is it older than "
                  "the code? %s",
                  gpu::kindName, deviceName(), image->chip, code, meaningOf(code), log);
  auto *functions = static_cast<gpu::Object *>(allocate(sizeof(gpu::Object) * uint64_t(program.kernel_count)));
  mlc_status status = MLC_OK;
  if (!functions)
    status = refuse(error, MLC_OUT_OF_MEMORY, "no memory for the functions of the device");
  for (int32_t i = 0; i < program.kernel_count && status == MLC_OK; ++i)
    if ((code = call().getFunction(&functions[i], module, program.kernels[i].name)) != gpu::success)
      status = fail(error, "find a kernel in the model's code", code);
  if (status != MLC_OK) {
    release(static_cast<void *>(functions));
    call().unloadModule(module);
    return status;
  }
  shared.functions = functions;
  shared.module = module;
  return MLC_OK;
}

/// With the lock held.
mlc_status findSuitable(const mlc_device_program &program, mlc_error *error) {
  if (!shared.choice.image) {
    const char *missing;
    shared.driver = gpu::driver(missing);
    if (!shared.driver)
      return gpu::refuseWithoutDriver(missing, error);
    int32_t count = 0;
    gpu::Result code = call().init(0);
    if (code == gpu::success)
      code = call().getDeviceCount(&count);
    if (code == gpu::success && count == 0)
      code = gpu::noDevice;
    if (code != gpu::success)
      return gpu::refuseWithoutDevice(call(), code, error);
    gpu::Choice choice = {};
    if (mlc_status status = gpu::choose(call(), count, program, choice, error))
      return status;
    shared.choice = choice;
  }
  return checkLimits(program, error);
}

mlc_status find(const mlc_device_program &program, mlc_error *error) {
  shared.lock.lock();
  const mlc_status status = findSuitable(program, error);
  shared.lock.unlock();
  return status;
}

mlc_status openContext(mlc_error *error) {
  if (shared.context)
    return MLC_OK;
  const gpu::Result code = gpu::openContext(shared.choice.device, &shared.context);
  if (code == gpu::success)
    return MLC_OK;
  shared.context = nullptr;
  return fail(error, "be opened", code);
}

mlc_status open(const mlc_device_program &program, void *, mlc_error *error) {
  shared.lock.lock();
  mlc_status status = MLC_OK;
  if (!shared.module) {
    status = findSuitable(program, error);
    if (status == MLC_OK)
      status = openContext(error);
    if (status == MLC_OK) {
      Current current;
      status = load(program, error);
    }
  }
  shared.lock.unlock();
  return status;
}

void close() {
  shared.lock.lock();
  if (shared.module) {
    Current current;
    call().unloadModule(shared.module);
    release(static_cast<void *>(shared.functions));
  }
  if (shared.context)
    gpu::closeContext(shared.choice.device);
  shared.module = shared.context = nullptr;
  shared.lock.unlock();
}

void destroyQueue(DeviceQueue *queue) {
  Current current;
  call().synchronize(queue->lane.stream);
  queue->replay.clear(queue->lane);
  if (!queue->isCallers)
    call().destroyStream(queue->lane.stream);
  release(static_cast<void *>(queue));
}

mlc_status createQueue(const mlc_device_program &program, void *callers, DeviceQueue **result, mlc_error *error) {
  Current current;
  if (callers)
    if (mlc_status status = gpu::checkStream(callers, shared.choice, shared.context, error))
      return status;
  auto *queue = static_cast<DeviceQueue *>(allocate(sizeof(DeviceQueue)));
  if (!queue)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for a queue of the device");
  *queue = {{shared.driver, &program, shared.functions, callers}, callers != nullptr, {}};
  constexpr unsigned nonBlocking = 1; // not ordered with what others do
  if (gpu::Result code = callers ? gpu::success : call().createStream(&queue->lane.stream, nonBlocking);
      code != gpu::success) {
    release(static_cast<void *>(queue));
    return fail(error, "make a stream", code);
  }
  *result = queue;
  return MLC_OK;
}

gpu::Address addressOf(DeviceMemory memory) { return reinterpret_cast<gpu::Address>(memory); }

mlc_status allocateMemory(uint64_t bytes, const char *what, DeviceMemory *memory, mlc_error *error) {
  Current current;
  gpu::Address address = 0;
  gpu::Result code = call().allocate(&address, size_t(bytes));
  *memory = code == gpu::success ? reinterpret_cast<DeviceMemory>(address) : nullptr;
  if (code == gpu::success)
    return MLC_OK;
  if (code != gpu::outOfMemory)
    return fail(error, "give memory", code);
  size_t free = 0, total = 0;
  call().getMemory(&free, &total);
  return refuse(error, MLC_OUT_OF_MEMORY,
                "%s device '%s' has no memory %s, which takes %llu bytes (error %d, %s): of its %llu, %llu are free",
                gpu::kindName, deviceName(), what, static_cast<unsigned long long>(bytes), code, meaningOf(code),
                static_cast<unsigned long long>(total), static_cast<unsigned long long>(free));
}

void releaseMemory(DeviceMemory memory) {
  Current current;
  call().release(addressOf(memory));
}

mlc_status copyToDevice(DeviceQueue *queue, DeviceMemory to, uint64_t offset, const void *from, uint64_t bytes,
                        bool waits, mlc_error *error) {
  Current current;
  gpu::Result code = queue->replay.submit(queue->lane);
  if (code == gpu::success)
    code = call().copyToDevice(addressOf(to) + offset, from, bytes, queue->lane.stream);
  if (code == gpu::success && waits)
    code = call().synchronize(queue->lane.stream);
  return code == gpu::success ? MLC_OK : fail(error, "take data from the host", code);
}

mlc_status copyToHost(DeviceQueue *queue, void *to, DeviceMemory from, uint64_t offset, uint64_t bytes,
                      mlc_error *error) {
  Current current;
  gpu::Result code = queue->replay.submit(queue->lane);
  if (code == gpu::success)
    code = call().copyToHost(to, addressOf(from) + offset, bytes, queue->lane.stream);
  if (code == gpu::success)
    code = call().synchronize(queue->lane.stream);
  return code == gpu::success ? MLC_OK : fail(error, "give data to the host", code);
}

mlc_status checkBlocks(const mlc_device_kernel &kernel, const int64_t *blocks, mlc_error *error) {
  constexpr uint64_t mostBlocks[] = {0x7fffffff, 0xffff, 0xffff};
  for (int axis = 0; axis < 3; ++axis) {
    uint64_t most = gpu::mostThreadsOfAxis / uint64_t(kernel.threads[axis]);
    most = most < mostBlocks[axis] ? most : mostBlocks[axis];
    if (uint64_t(blocks[axis]) > most)
      return refuse(error, MLC_UNSUPPORTED, "kernel '%s' needs %lld blocks along axis %d, %s has at most %llu",
                    kernel.name, static_cast<long long>(blocks[axis]), axis, gpu::kindName,
                    static_cast<unsigned long long>(most));
  }
  return MLC_OK;
}

mlc_status launch(DeviceQueue *queue, const mlc_device_program &program, int32_t number, const int64_t *blocks,
                  const DeviceMemory *memories, const int64_t *values, mlc_error *error) {
  const mlc_device_kernel &kernel = program.kernels[number];
  if (mlc_status status = checkBlocks(kernel, blocks, error))
    return status;
  int64_t arguments[mostArguments];
  for (uint32_t i = 0; kernel.arguments[i]; ++i)
    arguments[i] = kernel.arguments[i] == 'l' ? values[i] : int64_t(addressOf(memories[i])) + values[i];
  Current current;
  gpu::Result code = queue->replay.launch(queue->lane, number, blocks, arguments);
  return code == gpu::success ? MLC_OK : fail(error, "launch a kernel", code);
}

mlc_status endRun(DeviceQueue *queue, mlc_error *error) {
  Current current;
  gpu::Result code = queue->replay.endRun(queue->lane);
  return code == gpu::success ? MLC_OK : fail(error, "launch a kernel", code);
}

mlc_status wait(DeviceQueue *queue, mlc_error *error) {
  Current current;
  gpu::Result code = call().synchronize(queue->lane.stream);
  return code == gpu::success ? MLC_OK : fail(error, "finish its work", code);
}

} // namespace

mlc_status gpu::refuseWithoutDevice(const Driver &driver, Result code, mlc_error *error) {
  const char *meaning = nullptr;
  driver.getErrorString(code, &meaning);
  return refuse(error, MLC_UNSUPPORTED,
                "the model was compiled for %s, but the driver offers no device (error %d, %s); look at %s, or compile "
                "with --target=x86",
                longName, code, meaning ? meaning : "an unknown error", whereToLook);
}

const DeviceApi deviceApi = {find,          open,         close,      createQueue, destroyQueue, allocateMemory,
                             releaseMemory, copyToDevice, copyToHost, launch,      endRun,       wait};

} // namespace mlc::rt
