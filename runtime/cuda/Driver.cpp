#include "cuda/Driver.h"
#include "device/Library.h"

namespace mlc::rt::cu {

const Driver *driver(const char *&missing) {
  static Driver table;
  static const Driver *found = nullptr;
  if (found)
    return found;
  const LibraryFunction functions[] = {
      {"cuInit", &table.init},
      {"cuGetErrorString", &table.getErrorString},
      {"cuDeviceGetCount", &table.deviceGetCount},
      {"cuDeviceGet", &table.deviceGet},
      {"cuDeviceGetName", &table.deviceGetName},
      {"cuDeviceGetAttribute", &table.deviceGetAttribute},
      {"cuDevicePrimaryCtxRetain", &table.retainContext},
      {"cuDevicePrimaryCtxRelease_v2", &table.releaseContext},
      {"cuCtxPushCurrent_v2", &table.pushContext},
      {"cuCtxPopCurrent_v2", &table.popContext},
      {"cuModuleLoadDataEx", &table.loadModule},
      {"cuModuleUnload", &table.unloadModule},
      {"cuModuleGetFunction", &table.getFunction},
      {"cuMemGetInfo_v2", &table.getMemory},
      {"cuMemAlloc_v2", &table.allocate},
      {"cuMemFree_v2", &table.release},
      {"cuStreamCreate", &table.createStream},
      {"cuStreamGetCtx", &table.getStreamContext},
      {"cuStreamDestroy_v2", &table.destroyStream},
      {"cuStreamSynchronize", &table.synchronize},
      {"cuMemcpyHtoDAsync_v2", &table.copyToDevice},
      {"cuMemcpyDtoHAsync_v2", &table.copyToHost},
      {"cuLaunchKernel", &table.launch},
  };
  if (openLibrary("libcuda.so.1", functions, missing))
    found = &table;
  return found;
}

} // namespace mlc::rt::cu
