#include "cuda/Driver.h"
#include "device/Library.h"

namespace mlc::rt {

static cu::Driver table;

const cu::Driver &cu::driver() { return table; }

const gpu::Driver *gpu::driver(const char *&missing) {
  static bool isFound = false;
  const LibraryFunction functions[] = {
      {"cuInit", &table.init},
      {"cuGetErrorString", &table.getErrorString},
      {"cuDeviceGetCount", &table.getDeviceCount},
      {"cuDeviceGet", &table.getDevice},
      {"cuDeviceGetName", &table.getDeviceName},
      {"cuDeviceGetAttribute", &table.getDeviceAttribute},
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
  // Since CUDA 11.4.
  const LibraryFunction ofGraphs[] = {
      {"cuGraphCreate", &table.createGraph},
      {"cuGraphDestroy", &table.destroyGraph},
      {"cuGraphAddKernelNode", &table.addKernelNode},
      {"cuGraphInstantiateWithFlags", &table.instantiateGraph},
      {"cuGraphExecDestroy", &table.destroyGraphInstance},
      {"cuStreamIsCapturing", &table.getCaptureStatus},
      {"cuGraphLaunch", &table.launchGraph}, // the last: it is there if all are
  };
  if (isFound)
    return &table;
  isFound = openLibrary("libcuda.so.1", functions, missing);
  const char *ignored;
  if (isFound)
    openLibrary("libcuda.so.1", ofGraphs, ignored);
  return isFound ? &table : nullptr;
}

} // namespace mlc::rt
