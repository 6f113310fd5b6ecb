// libcuda.so.1 for machines without a GPU: one device, which executes PTX on the calling thread when it is launched.
//
// What an error of a kernel is stays one, as with a GPU: the context is of no use any more. With MLC_EMULATED_CUDA_LOG
// set, each call that moves or computes something is written to that file.
#include "Ptx.h"
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

namespace {

enum Result : int {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  notInitialized = 3,
  noDevice = 100,
  invalidContext = 201,
  noBinaryForDevice = 209,
  invalidPtx = 218,
  notFound = 500,
  launchFailed = 719
};

/// More than any chip has: so the runtime takes the PTX.
constexpr int capabilityMajor = 99, capabilityMinor = 9;
constexpr size_t memoryBytes = size_t(4) << 30;

struct Kernel {
  const ptx::Module *module;
  const ptx::Function *function;
};
struct Loaded {
  ptx::Module module;
  std::vector<Kernel> kernels;
};

std::mutex lock;
ptx::Memory memory;
std::map<uint64_t, size_t> sizes;
size_t used;
bool isInitialized, hasFailed;
int context, streams; ///< only their addresses matter, and how many there are
int graphs;           ///< that have not been destroyed, with their instances
thread_local int depth;

void note(const char *format, auto... values) {
  static FILE *file = [] {
    const char *path = getenv("MLC_EMULATED_CUDA_LOG");
    FILE *opened = path ? fopen(path, "a") : nullptr;
    if (opened)
      setvbuf(opened, nullptr, _IOLBF, 0);
    return opened;
  }();
  if (file)
    fprintf(file, format, values...);
}

Result check() {
  return !isInitialized ? notInitialized : !depth ? invalidContext : hasFailed ? launchFailed : success;
}

Result copy(void *to, const void *from, uint64_t address, size_t bytes, const char *what) {
  std::lock_guard guard(lock);
  if (Result result = check())
    return result;
  if (!memory.contains(address, bytes))
    return invalidValue;
  memcpy(to, from, bytes);
  note("%s %zu\n", what, bytes);
  return success;
}

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default"))) int

EXPORT cuInit(unsigned) {
  isInitialized = !getenv("MLC_EMULATED_CUDA_NO_DEVICE");
  return isInitialized ? success : noDevice;
}

EXPORT cuGetErrorString(int code, const char **text) {
  *text = code == outOfMemory         ? "out of memory"
          : code == noDevice          ? "no CUDA-capable device is detected"
          : code == invalidPtx        ? "a PTX JIT compilation failed"
          : code == noBinaryForDevice ? "no kernel image is available for execution on the device"
          : code == launchFailed      ? "unspecified launch failure"
                                      : "an error of the emulated driver";
  return success;
}

EXPORT cuDeviceGetCount(int *count) {
  *count = 1;
  return isInitialized ? success : notInitialized;
}

EXPORT cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? success : invalidValue;
}

EXPORT cuDeviceGetName(char *name, int size, int) {
  snprintf(name, size_t(size), "emulated");
  return success;
}

EXPORT cuDeviceGetAttribute(int *value, int attribute, int) {
  switch (attribute) {
  case 1: // threads of a block
    *value = 1024;
    return success;
  case 8: // bytes of shared memory of a block
    *value = 48 << 10;
    return success;
  case 75:
    *value = capabilityMajor;
    return success;
  case 76:
    *value = capabilityMinor;
    return success;
  default:
    return invalidValue;
  }
}

EXPORT cuDevicePrimaryCtxRetain(void **result, int) {
  *result = &context;
  return success;
}

EXPORT cuDevicePrimaryCtxRelease_v2(int) {
  std::lock_guard guard(lock);
  note("close, with %zu bytes in use and %d graphs\n", used, graphs);
  return success;
}

EXPORT cuCtxPushCurrent_v2(void *which) {
  if (which != &context)
    return invalidContext;
  ++depth;
  return success;
}

EXPORT cuCtxPopCurrent_v2(void **which) {
  if (!depth)
    return invalidContext;
  *which = &context;
  --depth;
  return success;
}

EXPORT cuModuleLoadDataEx(void **result, const void *image, unsigned count, int *options, void **values) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  const auto *text = static_cast<const char *>(image);
  if (memcmp(text,
             "\x7f"
             "ELF",
             4) == 0)
    return noBinaryForDevice;
  try {
    auto loaded = std::make_unique<Loaded>();
    loaded->module = ptx::parse(text);
    loaded->kernels.reserve(loaded->module.functions.size());
    for (const auto &[name, function] : loaded->module.functions)
      loaded->kernels.push_back({&loaded->module, &function});
    *result = loaded.release();
    return success;
  } catch (const std::exception &error) { // a number that is none, too
    for (unsigned i = 0; i + 1 < count; ++i)
      if (options[i] == 5 && options[i + 1] == 6) // the log, and its size
        snprintf(static_cast<char *>(values[i]), reinterpret_cast<size_t>(values[i + 1]), "%s", error.what());
    return invalidPtx;
  }
}

EXPORT cuModuleUnload(void *module) {
  std::lock_guard guard(lock);
  if (!depth)
    return invalidContext;
  delete static_cast<Loaded *>(module);
  return success;
}

EXPORT cuModuleGetFunction(void **result, void *module, const char *name) {
  for (Kernel &kernel : static_cast<Loaded *>(module)->kernels)
    if (kernel.function->name == name) {
      *result = &kernel;
      return success;
    }
  return notFound;
}

EXPORT cuMemGetInfo_v2(size_t *free, size_t *total) {
  *free = memoryBytes - used;
  *total = memoryBytes;
  return success;
}

EXPORT cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  if (bytes == 0)
    return invalidValue;
  if (bytes > memoryBytes - used)
    return outOfMemory;
  *address = memory.allocate(bytes);
  sizes[*address] = bytes;
  used += bytes;
  note("allocate %zu\n", bytes);
  return success;
}

EXPORT cuMemFree_v2(uint64_t address) {
  std::lock_guard guard(lock);
  if (!depth)
    return invalidContext;
  if (!memory.release(address))
    return invalidValue;
  used -= sizes[address];
  sizes.erase(address);
  return success;
}

EXPORT cuStreamCreate(void **stream, unsigned) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  ++streams;
  *stream = &streams;
  return success;
}

EXPORT cuStreamGetCtx(void *stream, void **result) {
  std::lock_guard guard(lock);
  *result = &context;
  return stream == &streams ? success : invalidValue;
}

EXPORT cuStreamDestroy_v2(void *stream) {
  std::lock_guard guard(lock);
  if (stream != &streams || !streams)
    return invalidValue;
  --streams;
  return success;
}

EXPORT cuStreamSynchronize(void *stream) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  note("%s\n", "synchronize");
  return stream == &streams ? success : invalidValue;
}

EXPORT cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
  return copy(reinterpret_cast<void *>(to), from, to, bytes, "to device");
}

EXPORT cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
  return copy(to, reinterpret_cast<void *>(from), from, bytes, "to host");
}

namespace {

/// With the lock held.
Result launch(void *function, unsigned blocksX, unsigned blocksY, unsigned blocksZ, unsigned threadsX,
              unsigned threadsY, unsigned threadsZ, void **arguments) {
  const Kernel &kernel = *static_cast<Kernel *>(function);
  if (!blocksX || !blocksY || !blocksZ || blocksY > 65535 || blocksZ > 65535 || threadsX * threadsY * threadsZ > 1024)
    return invalidValue;
  note("launch %s (%u, %u, %u) (%u, %u, %u)\n", kernel.function->name.c_str(), blocksX, blocksY, blocksZ, threadsX,
       threadsY, threadsZ);
  try {
    ptx::launch(*kernel.module, *kernel.function, {blocksX, blocksY, blocksZ}, {threadsX, threadsY, threadsZ},
                arguments, memory);
  } catch (const ptx::Error &error) {
    // Told later, as with a GPU; the reason, now.
    fprintf(stderr, "emulated CUDA: %s\n", error.what());
    hasFailed = true;
  }
  return success;
}

/// A launch that waits in a graph.
struct Node {
  void *function;
  std::array<unsigned, 3> blocks, threads;
  std::vector<std::vector<char>> arguments;
};
/// Of nodes in the order in which they were added; each is behind the one before.
using Graph = std::vector<Node>;

/// CUDA_KERNEL_NODE_PARAMS_v1
struct NodeParameters {
  void *function;
  unsigned blocks[3], threads[3], dynamicBytes;
  void **arguments, **extra;
};

Result destroy(void *graph) {
  std::lock_guard guard(lock);
  --graphs;
  delete static_cast<Graph *>(graph);
  return success;
}

} // namespace

EXPORT cuLaunchKernel(void *function, unsigned blocksX, unsigned blocksY, unsigned blocksZ, unsigned threadsX,
                      unsigned threadsY, unsigned threadsZ, unsigned, void *, void **arguments, void **) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  return launch(function, blocksX, blocksY, blocksZ, threadsX, threadsY, threadsZ, arguments);
}

EXPORT cuGraphCreate(void **graph, unsigned) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  ++graphs;
  *graph = new Graph;
  return success;
}

EXPORT cuGraphDestroy(void *graph) { return destroy(graph); }
EXPORT cuGraphExecDestroy(void *graph) { return destroy(graph); }

EXPORT cuGraphAddKernelNode(void **node, void *graph, void *const *before, size_t count, const NodeParameters *given) {
  std::lock_guard guard(lock);
  auto &nodes = *static_cast<Graph *>(graph);
  // Numbers from 1, as a null pointer is none.
  if (count != (nodes.empty() ? 0 : 1) || (count && before[0] != reinterpret_cast<void *>(nodes.size())))
    return invalidValue;
  Node added = {given->function, {}, {}, {}};
  std::copy_n(given->blocks, 3, added.blocks.begin());
  std::copy_n(given->threads, 3, added.threads.begin());
  const auto &parameters = static_cast<Kernel *>(given->function)->function->parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto *argument = static_cast<const char *>(given->arguments[i]);
    added.arguments.emplace_back(argument, argument + parameters[i].bytes);
  }
  nodes.push_back(std::move(added));
  *node = reinterpret_cast<void *>(nodes.size());
  return success;
}

EXPORT cuGraphInstantiateWithFlags(void **instance, void *graph, unsigned long long) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  ++graphs;
  *instance = new Graph(*static_cast<Graph *>(graph));
  note("graph of %zu\n", static_cast<Graph *>(graph)->size());
  return success;
}

EXPORT cuStreamIsCapturing(void *, int *status) {
  *status = getenv("MLC_EMULATED_CUDA_CAPTURE") ? 1 : 0;
  return success;
}

EXPORT cuGraphLaunch(void *graph, void *) {
  std::lock_guard guard(lock);
  if (Result code = check())
    return code;
  note("%s\n", "launch a graph");
  for (Node &node : *static_cast<Graph *>(graph)) {
    std::vector<void *> arguments;
    for (std::vector<char> &argument : node.arguments)
      arguments.push_back(argument.data());
    if (Result code = launch(node.function, node.blocks[0], node.blocks[1], node.blocks[2], node.threads[0],
                             node.threads[1], node.threads[2], arguments.data()))
      return code;
  }
  return success;
}
