// OpenCL as a device: any that has a driver; GPUs before accelerators before others.
#include "device/Device.h"
#include "core/Futex.h"
#include "core/Memory.h"
#include "core/Status.h"
#include "opencl/Driver.h"
#include <string.h>

namespace mlc::rt {

struct DeviceQueue {
  cl::Object queue;
  bool isCallers;
  cl::Object *kernels; ///< setting arguments changes a kernel, so each queue has its own
  int32_t kernelCount;
};

namespace {

/// What all sessions of the process share.
struct Shared {
  Lock lock;
  const cl::Driver *driver;
  cl::Object device, context;
  bool isCallers;     ///< both, as a caller's queue said
  cl::Object program; ///< built; null before
  char name[128];
  uint64_t memoryBytes, mostBytes;
};
Shared shared;

const cl::Driver &call() { return *shared.driver; }

mlc_status fail(mlc_error *error, const char *what, cl::Int code) {
  const bool isMemory = code == cl::outOfDeviceMemory || code == cl::outOfResources || code == cl::outOfHostMemory;
  return refuse(error, isMemory ? MLC_OUT_OF_MEMORY : MLC_FAILED,
                "OpenCL device '%s' cannot %s: the driver gave error %d%s", shared.name, what, code,
                isMemory ? ", out of memory or resources" : "");
}

template <typename Value> Value infoOf(cl::Uint what) {
  Value value = {};
  call().getDeviceInfo(shared.device, what, sizeof value, &value, nullptr);
  return value;
}

void describeDevice() {
  call().getDeviceInfo(shared.device, cl::deviceName, sizeof shared.name - 1, shared.name, nullptr);
  shared.memoryBytes = infoOf<uint64_t>(cl::deviceMemoryBytes);
  shared.mostBytes = infoOf<uint64_t>(cl::deviceMostBytes);
}

mlc_status findDriver(mlc_error *error) {
  const char *missing;
  shared.driver = cl::driver(missing);
  if (shared.driver)
    return MLC_OK;
  return refuse(error, MLC_UNSUPPORTED,
                "the model was compiled for OpenCL, but %s could not be loaded; install the OpenCL loader and a driver "
                "(Debian: ocl-icd-libopencl1 and the driver of the device, or pocl-opencl-icd for CPUs), or compile "
                "with --target=x86",
                missing);
}

mlc_status findDevice(mlc_error *error) {
  if (mlc_status status = findDriver(error))
    return status;
  constexpr cl::Uint most = 16;
  cl::Object platforms[most];
  cl::Uint count = 0;
  if (call().getPlatformIDs(most, platforms, &count) != cl::success)
    count = 0;
  if (count > most)
    count = most;
  for (const cl::Bits type : {cl::typeGpu, cl::typeAccelerator, cl::typeAll})
    for (cl::Uint i = 0; i < count; ++i)
      if (call().getDeviceIDs(platforms[i], type, 1, &shared.device, nullptr) == cl::success) {
        describeDevice();
        return MLC_OK;
      }
  shared.device = nullptr;
  return refuse(
      error, MLC_UNSUPPORTED,
      "the model was compiled for OpenCL, but the %u OpenCL platforms of this machine have no device; install "
      "the driver of the device (Debian: pocl-opencl-icd makes the CPU one), or compile with --target=x86",
      count);
}

mlc_status checkLimits(const mlc_device_program &program, mlc_error *error) {
  const auto local = infoOf<uint64_t>(cl::deviceLocalBytes);
  const auto group = infoOf<size_t>(cl::deviceGroupSize);
  for (int32_t i = 0; i < program.kernel_count; ++i) {
    const mlc_device_kernel &kernel = program.kernels[i];
    if (uint64_t(kernel.local_bytes) > local)
      return refuse(error, MLC_UNSUPPORTED, "OpenCL device '%s' has %llu bytes of local memory, kernel '%s' needs %d",
                    shared.name, static_cast<unsigned long long>(local), kernel.name, kernel.local_bytes);
    const auto threads = size_t(kernel.threads[0]) * size_t(kernel.threads[1]) * size_t(kernel.threads[2]);
    if (threads > group)
      return refuse(error, MLC_UNSUPPORTED, "OpenCL device '%s' runs groups of at most %zu, kernel '%s' needs %zu",
                    shared.name, group, kernel.name, threads);
  }
  return MLC_OK;
}

mlc_status build(const mlc_device_program &program, mlc_error *error) {
  cl::Int code;
  if (!shared.context) {
    cl::Object context = call().createContext(nullptr, 1, &shared.device, nullptr, nullptr, &code);
    if (code != cl::success)
      return fail(error, "be opened", code);
    shared.context = context;
  }
  const auto size = size_t(program.images->bytes);
  const char *text = program.images->code;
  cl::Object built = call().createProgramWithSource(shared.context, 1, &text, &size, &code);
  if (code != cl::success)
    return fail(error, "take the model's kernels", code);
  // Without the last word a quotient of floats may be as far off as 2.5 units in the last place.
  const bool rounds = infoOf<cl::Bits>(cl::deviceFloats) & cl::roundsQuotients;
  code = call().buildProgram(built, 1, &shared.device,
                             rounds ? "-cl-std=CL1.2 -cl-kernel-arg-info -cl-fp32-correctly-rounded-divide-sqrt"
                                    : "-cl-std=CL1.2 -cl-kernel-arg-info",
                             nullptr, nullptr);
  if (code != cl::success) {
    char log[256] = "";
    size_t length = 0;
    call().getProgramBuildInfo(built, shared.device, cl::programLog, 0, nullptr, &length);
    if (auto *all = length ? static_cast<char *>(allocate(length + 1)) : nullptr) {
      call().getProgramBuildInfo(built, shared.device, cl::programLog, length, all, nullptr);
      all[length] = 0;
      strncpy(log, all, sizeof log - 1);
      release(static_cast<void *>(all));
    }
    call().releaseProgram(built);
    return refuse(
        error, MLC_FAILED,
        "the compiler of OpenCL device '%s' refuses the model's kernels (error %d); does the device have 64-bit "
        "floats? Its log: %s",
        shared.name, code, log);
  }
  shared.program = built;
  return MLC_OK;
}

/// With the lock held.
mlc_status findSuitable(const mlc_device_program &program, mlc_error *error) {
  if (!shared.device)
    if (mlc_status status = findDevice(error))
      return status;
  return checkLimits(program, error);
}

mlc_status find(const mlc_device_program &program, mlc_error *error) {
  shared.lock.lock();
  const mlc_status status = findSuitable(program, error);
  shared.lock.unlock();
  return status;
}

/// Goes to the device and the context of a caller's queue, unless the model is in a context already: memory and
/// programs are of one. With the lock held.
mlc_status joinCallers(cl::Object queue, mlc_error *error) {
  if (mlc_status status = findDriver(error))
    return status;
  auto ask = [&](cl::Uint what, auto &answer) {
    return call().getCommandQueueInfo(queue, what, sizeof answer, &answer, nullptr) == cl::success;
  };
  cl::Object context = nullptr, device = nullptr;
  cl::Bits properties = 0;
  if (!ask(cl::queueContext, context) || !ask(cl::queueDevice, device) || !ask(cl::queueProperties, properties))
    return refuse(error, MLC_INVALID_ARGUMENT, "options.queue expects a cl_command_queue");
  if (properties & cl::isOutOfOrder)
    return refuse(
        error, MLC_INVALID_ARGUMENT,
        "options.queue expects a queue that is in order: each kernel of a run needs what those before it gave");
  if (shared.context == context && shared.device == device)
    return MLC_OK;
  if (shared.context)
    return refuse(error, MLC_INVALID_ARGUMENT,
                  "options.queue expects a queue of the context and the device that other sessions of the model use; "
                  "end them before");
  call().retainContext(context);
  shared.context = context;
  shared.device = device;
  shared.isCallers = true;
  describeDevice();
  return MLC_OK;
}

mlc_status open(const mlc_device_program &program, void *callers, mlc_error *error) {
  shared.lock.lock();
  mlc_status status = callers ? joinCallers(callers, error) : MLC_OK;
  if (status == MLC_OK && !shared.program) {
    status = findSuitable(program, error);
    if (status == MLC_OK)
      status = build(program, error);
  }
  shared.lock.unlock();
  return status;
}

void close() {
  shared.lock.lock();
  if (shared.program)
    call().releaseProgram(shared.program);
  if (shared.context)
    call().releaseContext(shared.context);
  shared.program = shared.context = nullptr;
  if (shared.isCallers)
    shared.device = nullptr;
  shared.isCallers = false;
  shared.lock.unlock();
}

void destroyQueue(DeviceQueue *queue) {
  call().finish(queue->queue);
  for (int32_t i = 0; i < queue->kernelCount; ++i)
    if (queue->kernels[i])
      call().releaseKernel(queue->kernels[i]);
  if (!queue->isCallers)
    call().releaseCommandQueue(queue->queue);
  release(static_cast<void *>(queue));
}

mlc_status createQueue(const mlc_device_program &program, void *callers, DeviceQueue **result, mlc_error *error) {
  const uint64_t bytes = sizeof(DeviceQueue) + sizeof(cl::Object) * uint64_t(program.kernel_count);
  auto *queue = static_cast<DeviceQueue *>(allocate(bytes));
  if (!queue)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for a queue of the device");
  memset(static_cast<void *>(queue), 0, bytes);
  queue->kernels = reinterpret_cast<cl::Object *>(queue + 1);
  queue->kernelCount = program.kernel_count;
  cl::Int code = cl::success;
  queue->isCallers = callers != nullptr;
  queue->queue = callers ? callers : call().createCommandQueue(shared.context, shared.device, 0, &code);
  if (code != cl::success) {
    release(static_cast<void *>(queue));
    return fail(error, "make a queue", code);
  }
  *result = queue;
  return MLC_OK;
}

mlc_status allocateMemory(uint64_t bytes, const char *what, DeviceMemory *memory, mlc_error *error) {
  if (bytes > shared.mostBytes || bytes > shared.memoryBytes)
    return refuse(
        error, MLC_OUT_OF_MEMORY,
        "OpenCL device '%s' has no memory %s, which takes %llu bytes: it has %llu, of which one buffer may take "
        "%llu",
        shared.name, what, static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(shared.memoryBytes),
        static_cast<unsigned long long>(shared.mostBytes));
  cl::Int code;
  *memory = call().createBuffer(shared.context, cl::memoryReadWrite, size_t(bytes), nullptr, &code);
  if (code == cl::success)
    return MLC_OK;
  *memory = nullptr;
  return refuse(
      error, MLC_OUT_OF_MEMORY,
      "OpenCL device '%s' has no memory %s, which takes %llu bytes (error %d); it has %llu for all that use it",
      shared.name, what, static_cast<unsigned long long>(bytes), code,
      static_cast<unsigned long long>(shared.memoryBytes));
}

void releaseMemory(DeviceMemory memory) { call().releaseMemObject(memory); }

mlc_status copyToDevice(DeviceQueue *queue, DeviceMemory to, uint64_t offset, const void *from, uint64_t bytes,
                        bool waits, mlc_error *error) {
  cl::Int code = call().enqueueWriteBuffer(queue->queue, to, waits, offset, bytes, from, 0, nullptr, nullptr);
  return code == cl::success ? MLC_OK : fail(error, "take data from the host", code);
}

mlc_status copyToHost(DeviceQueue *queue, void *to, DeviceMemory from, uint64_t offset, uint64_t bytes,
                      mlc_error *error) {
  cl::Int code = call().enqueueReadBuffer(queue->queue, from, /*blocking=*/1, offset, bytes, to, 0, nullptr, nullptr);
  return code == cl::success ? MLC_OK : fail(error, "give data to the host", code);
}

/// Whether what the driver has built is what the model's table says, and can run in such groups.
mlc_status checkKernel(cl::Object object, const mlc_device_kernel &kernel, mlc_error *error) {
  cl::Uint count = 0, expected = 0;
  for (const char *kind = kernel.arguments; *kind; ++kind)
    expected += *kind == 'l' ? 1 : 2;
  call().getKernelInfo(object, cl::kernelArgumentCount, sizeof count, &count, nullptr);
  if (count != expected)
    return refuse(error, MLC_FAILED, "OpenCL device '%s' built kernel '%s' with %u arguments, expected %u", shared.name,
                  kernel.name, count, expected);
  cl::Uint next = 0;
  for (const char *kind = kernel.arguments; *kind; ++kind)
    for (const cl::Uint wanted : {cl::spaceGlobal, cl::spacePrivate}) {
      if (*kind == 'l' && wanted == cl::spaceGlobal)
        continue;
      cl::Uint space = wanted; // drivers need not know
      call().getKernelArgInfo(object, next, cl::argumentSpace, sizeof space, &space, nullptr);
      if (space != wanted)
        return refuse(error, MLC_FAILED, "OpenCL device '%s' built kernel '%s' with argument %u %s, expected %s",
                      shared.name, kernel.name, next, space == cl::spaceGlobal ? "a buffer" : "no buffer",
                      wanted == cl::spaceGlobal ? "a buffer" : "an integer");
      ++next;
    }
  size_t most = 0, group[3] = {};
  uint64_t local = 0;
  auto ask = [&](cl::Uint what, size_t size, void *answer) {
    call().getKernelWorkGroupInfo(object, shared.device, what, size, answer, nullptr);
  };
  ask(cl::kernelGroupSize, sizeof most, &most);
  ask(cl::kernelCompiledGroup, sizeof group, group);
  ask(cl::kernelLocalBytes, sizeof local, &local);
  for (int axis = 0; axis < 3; ++axis)
    if (group[axis] != size_t(kernel.threads[axis]))
      return refuse(error, MLC_FAILED, "OpenCL device '%s' built kernel '%s' for groups of %zu x %zu x %zu threads",
                    shared.name, kernel.name, group[0], group[1], group[2]);
  if (group[0] * group[1] * group[2] > most)
    return refuse(
        error, MLC_UNSUPPORTED,
        "OpenCL device '%s' runs kernel '%s' in groups of at most %zu threads, it needs %zu; run the model on "
        "another device, or compile with --target=x86",
        shared.name, kernel.name, most, group[0] * group[1] * group[2]);
  if (local > infoOf<uint64_t>(cl::deviceLocalBytes))
    return refuse(error, MLC_UNSUPPORTED,
                  "OpenCL device '%s' has %llu bytes of local memory, kernel '%s' takes %llu as built", shared.name,
                  static_cast<unsigned long long>(infoOf<uint64_t>(cl::deviceLocalBytes)), kernel.name,
                  static_cast<unsigned long long>(local));
  return MLC_OK;
}

mlc_status launch(DeviceQueue *queue, const mlc_device_program &program, int32_t number, const int64_t *blocks,
                  const DeviceMemory *memories, const int64_t *values, mlc_error *error) {
  const mlc_device_kernel &kernel = program.kernels[number];
  cl::Int code;
  cl::Object &object = queue->kernels[number];
  if (!object) {
    object = call().createKernel(shared.program, kernel.name, &code);
    if (code != cl::success) {
      object = nullptr;
      return fail(error, "find a kernel in the program that it built", code);
    }
    if (mlc_status status = checkKernel(object, kernel, error))
      return status;
  }
  code = cl::success;
  cl::Uint next = 0;
  for (uint32_t i = 0; kernel.arguments[i] && code == cl::success; ++i) {
    if (kernel.arguments[i] != 'l')
      code = call().setKernelArg(object, next++, sizeof memories[i], &memories[i]);
    if (code == cl::success)
      code = call().setKernelArg(object, next++, sizeof values[i], &values[i]);
  }
  if (code != cl::success)
    return fail(error, "take the arguments of a kernel", code);
  size_t global[3], local[3];
  for (int axis = 0; axis < 3; ++axis) {
    local[axis] = size_t(kernel.threads[axis]);
    global[axis] = local[axis] * size_t(blocks[axis]);
  }
  code = call().enqueueNDRangeKernel(queue->queue, object, 3, nullptr, global, local, 0, nullptr, nullptr);
  return code == cl::success ? MLC_OK : fail(error, "launch a kernel", code);
}

/// Who waits for an event of the caller's queue does not make the driver begin with what is there.
mlc_status endRun(DeviceQueue *queue, mlc_error *error) {
  cl::Int code = call().flush(queue->queue);
  return code == cl::success ? MLC_OK : fail(error, "begin with its work", code);
}

mlc_status wait(DeviceQueue *queue, mlc_error *error) {
  cl::Int code = call().finish(queue->queue);
  return code == cl::success ? MLC_OK : fail(error, "finish its work", code);
}

} // namespace

const DeviceApi deviceApi = {find,          open,         close,      createQueue, destroyQueue, allocateMemory,
                             releaseMemory, copyToDevice, copyToHost, launch,      endRun,       wait};

} // namespace mlc::rt
