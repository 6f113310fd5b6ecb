// libamdhip64.so.7 for machines without a GPU: devices that execute code objects. By default there is one of each kind, so
// that the runtime finds one for any library.
#include "../gpu/Driver.h"
#include "Gcn.h"
#include <cstring>

using namespace emulated;

namespace {

thread_local int current; ///< device

Driver &driver() {
  static Driver made("HIP", "gfx942,gfx90a,gfx950,gfx1030,gfx1100,gfx1150,gfx1200", [] { return true; });
  return made;
}

std::unique_ptr<Module> read(const char *image) {
  std::shared_ptr<gcn::Module> code = gcn::load(image);
  if (code->chip != driver().chips().at(size_t(current)))
    throw Error("a code object for " + code->chip + " on a device that is none");
  auto module = std::make_unique<Module>(Module{code, {}});
  for (const auto &[name, kernel] : code->kernels)
    module->kernels.push_back(
        {name, {}, [code = code.get(), &kernel](const Extents &extents, void *const *arguments, const Memory &memory) {
           gcn::launch(*code, kernel, extents.blocks, extents.threads, arguments, memory);
         }});
  return module;
}

} // namespace

EXPORT hipInit(unsigned) { return driver().initialize(); }
EXPORT hipDrvGetErrorString(int code, const char **text) { return driver().getErrorString(code, text); }
EXPORT hipGetDeviceCount(int *count) { return driver().getDeviceCount(count); }
EXPORT hipDeviceGet(int *device, int ordinal) { return driver().getDevice(device, ordinal); }
EXPORT hipDeviceGetName(char *name, int size, int device) { return driver().getDeviceName(name, size, device); }

EXPORT hipGetDevicePropertiesR0600(char *properties, int device) {
  if (size_t(device) >= driver().chips().size())
    return invalidDevice;
  const std::string chip = driver().chips()[size_t(device)];
  const auto local = size_t(driver().setting("local-memory", 64 << 10));
  const int threads = int(driver().setting("threads", 1024));
  // hipDeviceProp_t of HIP 6: name, sharedMemPerBlock, maxThreadsPerBlock, gcnArchName.
  memset(properties, 0, 1472);
  driver().getDeviceName(properties, 256, device);
  memcpy(properties + 296, &local, sizeof local);
  memcpy(properties + 320, &threads, sizeof threads);
  snprintf(properties + 1160, 256, "%s%s", chip.c_str(), chip.starts_with("gfx9") ? ":sramecc+:xnack-" : "");
  return success;
}

EXPORT hipGetDevice(int *device) {
  *device = current;
  return success;
}

EXPORT hipSetDevice(int device) {
  if (size_t(device) >= driver().chips().size())
    return invalidDevice;
  current = device;
  return success;
}

EXPORT hipModuleLoadDataEx(void **module, const void *image, unsigned, int *, void **) {
  try {
    return driver().load(module, [&] { return read(static_cast<const char *>(image)); });
  } catch (const Error &error) {
    fprintf(stderr, "emulated HIP: %s\n", error.what());
    return noBinaryForDevice;
  }
}

EXPORT hipModuleUnload(void *module) { return driver().unload(module); }
EXPORT hipModuleGetFunction(void **function, void *module, const char *name) {
  return driver().getFunction(function, module, name);
}
EXPORT hipMemGetInfo(size_t *free, size_t *total) { return driver().getMemory(free, total); }
EXPORT hipMalloc(uint64_t *address, size_t bytes) { return driver().allocate(address, bytes); }
EXPORT hipFree(uint64_t address) { return driver().release(address); }
EXPORT hipStreamCreateWithFlags(void **stream, unsigned) { return driver().createStream(stream, current); }
EXPORT hipStreamGetDevice(void *stream, int *device) {
  *device = driver().deviceOf(stream);
  return *device < 0 ? invalidValue : success;
}
EXPORT hipStreamDestroy(void *stream) { return driver().destroyStream(stream); }
EXPORT hipStreamSynchronize(void *stream) { return driver().synchronize(stream); }
EXPORT hipMemcpyHtoDAsync(uint64_t to, const void *from, size_t bytes, void *) {
  return driver().copyToDevice(to, from, bytes);
}
EXPORT hipMemcpyDtoHAsync(void *to, uint64_t from, size_t bytes, void *) {
  return driver().copyToHost(to, from, bytes);
}
EXPORT hipModuleLaunchKernel(void *function, unsigned blocksX, unsigned blocksY, unsigned blocksZ, unsigned threadsX,
                             unsigned threadsY, unsigned threadsZ, unsigned, void *, void **arguments, void **) {
  // Unlike CUDA, it counts the threads of all blocks along an axis in 32 bits.
  if (uint64_t(blocksX) * threadsX > UINT32_MAX)
    return invalidValue;
  return driver().launch(function, {{blocksX, blocksY, blocksZ}, {threadsX, threadsY, threadsZ}}, arguments);
}
