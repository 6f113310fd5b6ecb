// GPUs of NVIDIA as a device: the first one, or the one that CUDA_VISIBLE_DEVICES makes so.
//
// Everything happens in the device's primary context, which all users of CUDA in a process share; what context the
// calling thread had current stays so.
#include "device/Device.h"
#include "core/Futex.h"
#include "core/Memory.h"
#include "core/Status.h"
#include "cuda/Driver.h"
#include <stdlib.h>
#include <string.h>

namespace mlc::rt {

struct DeviceQueue {
  cu::Object stream;
  bool isCallers;
};

namespace {

/// What all sessions of the process share.
struct Shared {
  Lock lock;
  const cu::Driver *driver;
  bool isFound; ///< the device
  cu::Device device;
  cu::Object context;
  cu::Object module;     ///< loaded; null before
  cu::Object *functions; ///< of the module, as numbered in the program
  char name[128];
  int capability; ///< 80 is 8.0
};
Shared shared;

const cu::Driver &call() { return *shared.driver; }

/// The device's context as the calling thread's, for the length of a scope.
struct Current {
  Current() { call().pushContext(shared.context); }
  ~Current() {
    cu::Object own;
    call().popContext(&own);
  }
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;
};

const char *meaningOf(cu::Result code) {
  const char *text = nullptr;
  return call().getErrorString(code, &text) == cu::success && text ? text : "an unknown error";
}

mlc_status fail(mlc_error *error, const char *what, cu::Result code) {
  return refuse(error, code == cu::outOfMemory ? MLC_OUT_OF_MEMORY : MLC_FAILED,
                "CUDA device '%s' cannot %s: the driver gave error %d, %s", shared.name, what, code, meaningOf(code));
}

int attribute(int32_t which) {
  int32_t value = 0;
  call().deviceGetAttribute(&value, which, shared.device);
  return value;
}

mlc_status findDevice(mlc_error *error) {
  const char *missing;
  shared.driver = cu::driver(missing);
  if (!shared.driver)
    return refuse(error, MLC_UNSUPPORTED,
                  "the model was compiled for NVIDIA CUDA, but %s could not be loaded; install the driver of the GPU "
                  "(Debian: nvidia-driver; in containers, the NVIDIA container toolkit), or compile with --target=x86",
                  missing);
  int32_t count = 0;
  cu::Result code = call().init(0);
  if (code == cu::success)
    code = call().deviceGetCount(&count);
  if (code == cu::success && count == 0)
    code = cu::noDevice;
  if (code == cu::success)
    code = call().deviceGet(&shared.device, 0);
  if (code != cu::success)
    return refuse(
        error, MLC_UNSUPPORTED,
        "the model was compiled for NVIDIA CUDA, but the driver offers no device (error %d, %s); look at what "
        "nvidia-smi and CUDA_VISIBLE_DEVICES say, or compile with --target=x86",
        code, meaningOf(code));
  call().deviceGetName(shared.name, sizeof shared.name, shared.device);
  shared.capability = 10 * attribute(cu::capabilityMajor) + attribute(cu::capabilityMinor);
  shared.isFound = true;
  return MLC_OK;
}

mlc_status checkLimits(const mlc_device_program &program, mlc_error *error) {
  const int local = attribute(cu::localBytesOfBlock), most = attribute(cu::threadsOfBlock);
  for (int32_t i = 0; i < program.kernel_count; ++i) {
    const mlc_device_kernel &kernel = program.kernels[i];
    if (kernel.local_bytes > local)
      return refuse(error, MLC_UNSUPPORTED, "CUDA device '%s' has %d bytes of shared memory, kernel '%s' needs %d",
                    shared.name, local, kernel.name, kernel.local_bytes);
    const int threads = kernel.threads[0] * kernel.threads[1] * kernel.threads[2];
    if (threads > most)
      return refuse(error, MLC_UNSUPPORTED, "CUDA device '%s' runs blocks of at most %d threads, kernel '%s' needs %d",
                    shared.name, most, kernel.name, threads);
  }
  return MLC_OK;
}

/// The best code for the device: machine code of its generation, the latest that is not later than it is; else what the
/// driver compiles.
const mlc_device_image *choose(const mlc_device_program &program) {
  const mlc_device_image *best = nullptr;
  int bestRank = -1;
  for (int32_t i = 0; i < program.image_count; ++i) {
    const char *chip = program.images[i].chip;
    const bool isMachineCode = strncmp(chip, "sm_", 3) == 0;
    const int number = int(strtol(strchr(chip, '_') + 1, nullptr, 10));
    if (number > shared.capability || (isMachineCode && number / 10 != shared.capability / 10))
      continue;
    const int rank = number + (isMachineCode ? 1000 : 0);
    if (rank > bestRank) {
      best = &program.images[i];
      bestRank = rank;
    }
  }
  return best;
}

mlc_status load(const mlc_device_program &program, mlc_error *error) {
  const mlc_device_image *image = choose(program);
  char log[256] = "";
  int32_t options[] = {cu::jitErrorLog, cu::jitErrorLogBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  cu::Object module;
  cu::Result code = call().loadModule(&module, image->code, 2, options, values);
  if (code != cu::success)
    return refuse(error, code == cu::outOfMemory ? MLC_OUT_OF_MEMORY : MLC_FAILED,
                  "the driver of CUDA device '%s' refuses the model's kernels for %s (error %d, %s); is it older than "
                  "the code? %s",
                  shared.name, image->chip, code, meaningOf(code), log);
  auto *functions = static_cast<cu::Object *>(allocate(sizeof(cu::Object) * uint64_t(program.kernel_count)));
  if (!functions)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for the functions of the device");
  for (int32_t i = 0; i < program.kernel_count; ++i)
    if ((code = call().getFunction(&functions[i], module, program.kernels[i].name)) != cu::success) {
      release(static_cast<void *>(functions));
      return fail(error, "find a kernel in the model's code", code);
    }
  shared.functions = functions;
  shared.module = module;
  return MLC_OK;
}

/// With the lock held.
mlc_status findSuitable(const mlc_device_program &program, mlc_error *error) {
  if (!shared.isFound)
    if (mlc_status status = findDevice(error))
      return status;
  if (!choose(program))
    return refuse(error, MLC_UNSUPPORTED,
                  "CUDA device '%s' is of compute capability %d.%d, and the model has code for %s and later; compile "
                  "with --target=cuda --chip=sm_%d",
                  shared.name, shared.capability / 10, shared.capability % 10,
                  program.images[program.image_count - 1].chip, shared.capability);
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
  const cu::Result code = call().retainContext(&shared.context, shared.device);
  if (code == cu::success)
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
    call().releaseContext(shared.device);
  shared.module = shared.context = nullptr;
  shared.lock.unlock();
}

void destroyQueue(DeviceQueue *queue) {
  Current current;
  call().synchronize(queue->stream);
  if (!queue->isCallers)
    call().destroyStream(queue->stream);
  release(static_cast<void *>(queue));
}

/// Kernels are loaded in one context, and run in its streams.
mlc_status checkStream(cu::Object stream, mlc_error *error) {
  cu::Object context = nullptr;
  const cu::Result code = call().getStreamContext(stream, &context);
  if (code == cu::success && context == shared.context)
    return MLC_OK;
  return refuse(error, MLC_INVALID_ARGUMENT,
                "options.queue expects a CUstream of the primary context of CUDA device '%s', the first one; "
                "CUDA_VISIBLE_DEVICES says which that is",
                shared.name);
}

mlc_status createQueue(const mlc_device_program &, void *callers, DeviceQueue **result, mlc_error *error) {
  Current current;
  if (callers)
    if (mlc_status status = checkStream(callers, error))
      return status;
  auto *queue = static_cast<DeviceQueue *>(allocate(sizeof(DeviceQueue)));
  if (!queue)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for a queue of the device");
  *queue = {callers, callers != nullptr};
  constexpr unsigned nonBlocking = 1; // not ordered with what others do
  if (cu::Result code = callers ? cu::success : call().createStream(&queue->stream, nonBlocking); code != cu::success) {
    release(static_cast<void *>(queue));
    return fail(error, "make a stream", code);
  }
  *result = queue;
  return MLC_OK;
}

cu::Address addressOf(DeviceMemory memory) { return reinterpret_cast<cu::Address>(memory); }

mlc_status allocateMemory(uint64_t bytes, const char *what, DeviceMemory *memory, mlc_error *error) {
  Current current;
  cu::Address address = 0;
  cu::Result code = call().allocate(&address, size_t(bytes));
  *memory = code == cu::success ? reinterpret_cast<DeviceMemory>(address) : nullptr;
  if (code == cu::success)
    return MLC_OK;
  size_t free = 0, total = 0;
  call().getMemory(&free, &total);
  return refuse(error, MLC_OUT_OF_MEMORY,
                "CUDA device '%s' has no memory %s, which takes %llu bytes (error %d, %s): of its %llu, %llu are free",
                shared.name, what, static_cast<unsigned long long>(bytes), code, meaningOf(code),
                static_cast<unsigned long long>(total), static_cast<unsigned long long>(free));
}

void releaseMemory(DeviceMemory memory) {
  Current current;
  call().release(addressOf(memory));
}

mlc_status copyToDevice(DeviceQueue *queue, DeviceMemory to, uint64_t offset, const void *from, uint64_t bytes,
                        bool waits, mlc_error *error) {
  Current current;
  cu::Result code = call().copyToDevice(addressOf(to) + offset, from, bytes, queue->stream);
  if (code == cu::success && waits)
    code = call().synchronize(queue->stream);
  return code == cu::success ? MLC_OK : fail(error, "take data from the host", code);
}

mlc_status copyToHost(DeviceQueue *queue, void *to, DeviceMemory from, uint64_t offset, uint64_t bytes,
                      mlc_error *error) {
  Current current;
  cu::Result code = call().copyToHost(to, addressOf(from) + offset, bytes, queue->stream);
  if (code == cu::success)
    code = call().synchronize(queue->stream);
  return code == cu::success ? MLC_OK : fail(error, "give data to the host", code);
}

mlc_status launch(DeviceQueue *queue, const mlc_device_program &program, int32_t number, const int64_t *blocks,
                  const DeviceMemory *memories, const int64_t *values, mlc_error *error) {
  const mlc_device_kernel &kernel = program.kernels[number];
  constexpr int64_t most[] = {0x7fffffff, 0xffff, 0xffff};
  for (int axis = 0; axis < 3; ++axis)
    if (blocks[axis] > most[axis])
      return refuse(error, MLC_UNSUPPORTED, "kernel '%s' needs %lld blocks along axis %d, CUDA has at most %lld",
                    kernel.name, static_cast<long long>(blocks[axis]), axis, static_cast<long long>(most[axis]));
  // A number of fewer than 64 bits is in the low ones of its value, where the driver takes it from.
  int64_t arguments[mostArguments];
  void *places[mostArguments];
  for (uint32_t i = 0; kernel.arguments[i]; ++i) {
    arguments[i] = kernel.arguments[i] == 'l' ? values[i] : int64_t(addressOf(memories[i])) + values[i];
    places[i] = &arguments[i];
  }
  Current current;
  cu::Result code =
      call().launch(shared.functions[number], unsigned(blocks[0]), unsigned(blocks[1]), unsigned(blocks[2]),
                    unsigned(kernel.threads[0]), unsigned(kernel.threads[1]), unsigned(kernel.threads[2]),
                    /*dynamicLocalBytes=*/0, queue->stream, places, nullptr);
  return code == cu::success ? MLC_OK : fail(error, "launch a kernel", code);
}

mlc_status wait(DeviceQueue *queue, mlc_error *error) {
  Current current;
  cu::Result code = call().synchronize(queue->stream);
  return code == cu::success ? MLC_OK : fail(error, "finish its work", code);
}

} // namespace

const DeviceApi deviceApi = {find,          open,         close,      createQueue, destroyQueue, allocateMemory,
                             releaseMemory, copyToDevice, copyToHost, launch,      wait};

} // namespace mlc::rt
