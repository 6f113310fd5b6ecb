// libcuda.so.1 for machines without a GPU: devices that execute PTX. By default one, of a generation later than any, so that
// the runtime takes the PTX.
#include "../gpu/Driver.h"
#include "Ptx.h"
#include <cstdlib>
#include <cstring>

using namespace emulated;

namespace {

int context;            ///< only its address matters
thread_local int depth; ///< of contexts of the thread
int graphs;             ///< that have not been destroyed, with their instances

Driver &driver() {
  static Driver made("CUDA", "sm_999", [] { return depth > 0; });
  return made;
}

int capability(int device) { return atoi(driver().chips().at(size_t(device)).c_str() + strlen("sm_")); }

std::unique_ptr<Module> compile(const char *text) {
  auto code = std::make_shared<ptx::Module>(ptx::parse(text));
  auto module = std::make_unique<Module>(Module{code, {}});
  for (const auto &[name, function] : code->functions) {
    Kernel kernel = {
        name, {}, [code = code.get(), &function](const Extents &extents, void *const *arguments, const Memory &memory) {
          ptx::launch(*code, function, extents.blocks, extents.threads, arguments, memory);
        }};
    for (const ptx::Parameter &parameter : function.parameters)
      kernel.argumentBytes.push_back(parameter.bytes);
    module->kernels.push_back(std::move(kernel));
  }
  return module;
}

} // namespace

EXPORT cuInit(unsigned) { return driver().initialize(); }
EXPORT cuGetErrorString(int code, const char **text) { return driver().getErrorString(code, text); }
EXPORT cuDeviceGetCount(int *count) { return driver().getDeviceCount(count); }
EXPORT cuDeviceGet(int *device, int ordinal) { return driver().getDevice(device, ordinal); }
EXPORT cuDeviceGetName(char *name, int size, int device) { return driver().getDeviceName(name, size, device); }

EXPORT cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
  case 1: // threads of a block
    *value = int(driver().setting("threads", 1024));
    return success;
  case 8: // bytes of shared memory of a block
    *value = int(driver().setting("local-memory", 48 << 10));
    return success;
  case 75:
    *value = capability(device) / 10;
    return success;
  case 76:
    *value = capability(device) % 10;
    return success;
  default:
    return invalidValue;
  }
}

EXPORT cuDevicePrimaryCtxRetain(void **result, int) {
  *result = &context;
  return Result(driver().setting("openContext", success));
}

EXPORT cuDevicePrimaryCtxRelease_v2(int) {
  std::lock_guard guard(driver().lock);
  driver().note("close, with %zu bytes in use and %d graphs\n", driver().used(), graphs);
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

EXPORT cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
  const auto *text = static_cast<const char *>(image);
  if (memcmp(text,
             "\x7f"
             "ELF",
             4) == 0)
    return noBinaryForDevice;
  try {
    return driver().load(module, [&] { return compile(text); });
  } catch (const std::exception &error) { // a number that is none, too
    for (unsigned i = 0; i + 1 < count; ++i)
      if (options[i] == 5 && options[i + 1] == 6) // the log, and its size
        snprintf(static_cast<char *>(values[i]), reinterpret_cast<size_t>(values[i + 1]), "%s", error.what());
    return invalidPtx;
  }
}

EXPORT cuModuleUnload(void *module) { return driver().unload(module); }
EXPORT cuModuleGetFunction(void **function, void *module, const char *name) {
  return driver().getFunction(function, module, name);
}
EXPORT cuMemGetInfo_v2(size_t *free, size_t *total) { return driver().getMemory(free, total); }
EXPORT cuMemAlloc_v2(uint64_t *address, size_t bytes) { return driver().allocate(address, bytes); }
EXPORT cuMemFree_v2(uint64_t address) { return driver().release(address); }
EXPORT cuStreamCreate(void **stream, unsigned) { return driver().createStream(stream, 0); }
EXPORT cuStreamGetCtx(void *stream, void **result) {
  *result = &context;
  return driver().deviceOf(stream) < 0 ? invalidValue : success;
}
EXPORT cuStreamDestroy_v2(void *stream) { return driver().destroyStream(stream); }
EXPORT cuStreamSynchronize(void *stream) { return driver().synchronize(stream); }
EXPORT cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
  return driver().copyToDevice(to, from, bytes);
}
EXPORT cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
  return driver().copyToHost(to, from, bytes);
}
EXPORT cuLaunchKernel(void *function, unsigned blocksX, unsigned blocksY, unsigned blocksZ, unsigned threadsX,
                      unsigned threadsY, unsigned threadsZ, unsigned, void *, void **arguments, void **) {
  return driver().launch(function, {{blocksX, blocksY, blocksZ}, {threadsX, threadsY, threadsZ}}, arguments);
}

//===-- Graphs ----------------------------------------------------------------------===//

namespace {

/// A launch that waits in a graph.
struct Node {
  void *function;
  Extents extents;
  std::vector<std::vector<char>> arguments;
};
/// Of nodes in the order in which they were added; each is behind the one before.
using Graph = std::vector<Node>;

/// CUDA_KERNEL_NODE_PARAMS_v1
struct NodeParameters {
  void *function;
  Extents extents;
  unsigned dynamicBytes;
  void **arguments, **extra;
};

Result destroy(void *graph) {
  std::lock_guard guard(driver().lock);
  --graphs;
  delete static_cast<Graph *>(graph);
  return success;
}

} // namespace

EXPORT cuGraphCreate(void **graph, unsigned) {
  std::lock_guard guard(driver().lock);
  if (Result code = driver().check("createGraph"))
    return code;
  ++graphs;
  *graph = new Graph;
  return success;
}

EXPORT cuGraphDestroy(void *graph) { return destroy(graph); }
EXPORT cuGraphExecDestroy(void *graph) { return destroy(graph); }

EXPORT cuGraphAddKernelNode(void **node, void *graph, void *const *before, size_t count, const NodeParameters *given) {
  std::lock_guard guard(driver().lock);
  auto &nodes = *static_cast<Graph *>(graph);
  // Numbers from 1, as a null pointer is none.
  if (count != (nodes.empty() ? 0 : 1) || (count && before[0] != reinterpret_cast<void *>(nodes.size())))
    return invalidValue;
  Node added = {given->function, given->extents, {}};
  const auto &sizes = static_cast<Kernel *>(given->function)->argumentBytes;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto *argument = static_cast<const char *>(given->arguments[i]);
    added.arguments.emplace_back(argument, argument + sizes[i]);
  }
  nodes.push_back(std::move(added));
  *node = reinterpret_cast<void *>(nodes.size());
  return success;
}

EXPORT cuGraphInstantiateWithFlags(void **instance, void *graph, unsigned long long) {
  std::lock_guard guard(driver().lock);
  if (Result code = driver().check("instantiateGraph"))
    return code;
  ++graphs;
  *instance = new Graph(*static_cast<Graph *>(graph));
  driver().note("graph of %zu\n", static_cast<Graph *>(graph)->size());
  return success;
}

EXPORT cuStreamIsCapturing(void *, int *status) {
  *status = int(driver().setting("capture", 0));
  return success;
}

EXPORT cuGraphLaunch(void *graph, void *) {
  {
    std::lock_guard guard(driver().lock);
    if (Result code = driver().check("launchGraph"))
      return code;
    driver().note("%s\n", "launch a graph");
  }
  for (Node &node : *static_cast<Graph *>(graph)) {
    std::vector<void *> arguments;
    for (std::vector<char> &argument : node.arguments)
      arguments.push_back(argument.data());
    if (Result code = driver().launch(node.function, node.extents, arguments.data()))
      return code;
  }
  return success;
}
