#include "hip/Driver.h"
#include "device/Library.h"

namespace mlc::rt {

static amd::Driver table;

const amd::Driver &amd::driver() { return table; }

const gpu::Driver *gpu::driver(const char *&missing) {
  static bool isFound = false;
  const LibraryFunction functions[] = {
      {"hipInit", &table.init},
      {"hipDrvGetErrorString", &table.getErrorString},
      {"hipGetDeviceCount", &table.getDeviceCount},
      {"hipDeviceGet", &table.getDevice},
      {"hipDeviceGetName", &table.getDeviceName},
      {"hipGetDevicePropertiesR0600", &table.getProperties},
      {"hipGetDevice", &table.getCurrent},
      {"hipSetDevice", &table.setCurrent},
      {"hipModuleLoadDataEx", &table.loadModule},
      {"hipModuleUnload", &table.unloadModule},
      {"hipModuleGetFunction", &table.getFunction},
      {"hipMemGetInfo", &table.getMemory},
      {"hipMalloc", &table.allocate},
      {"hipFree", &table.release},
      {"hipStreamCreateWithFlags", &table.createStream},
      {"hipStreamGetDevice", &table.getStreamDevice},
      {"hipStreamDestroy", &table.destroyStream},
      {"hipStreamSynchronize", &table.synchronize},
      {"hipMemcpyHtoDAsync", &table.copyToDevice},
      {"hipMemcpyDtoHAsync", &table.copyToHost},
      {"hipModuleLaunchKernel", &table.launch},
  };
  // Each generation has its own name for what is compatible here; the one without a number is there for compilers.
  static const char *const names[] = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so"};
  for (const char *name : names) {
    isFound = isFound || openLibrary(name, functions, missing);
    if (isFound || missing != name) // the latest one that is there counts, though it lacks a function
      break;
  }
  return isFound ? &table : nullptr;
}

} // namespace mlc::rt
