// The functions that the drivers of CUDA and HIP share: of two names, but of the same arguments, and error codes with the
// same numbers.
//
// Declared here after the references of the driver APIs, so that neither headers nor libraries of either are needed to
// build or to load a model.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mlc::rt::gpu {

using Result = int32_t;
using Device = int32_t;
using Object = void *;    ///< context, module, function, stream
using Address = uint64_t; ///< memory of the device

enum : Result { success = 0, outOfMemory = 2, noDevice = 100 };
enum : int32_t { jitErrorLog = 5, jitErrorLogBytes = 6 }; // CUjit_option, hipJitOption

/// CUDA_KERNEL_NODE_PARAMS_v1
struct KernelNode {
  Object function;
  unsigned blocks[3], threads[3];
  unsigned dynamicLocalBytes;
  void **arguments, **extra;
};

struct Driver {
  Result (*init)(unsigned flags);
  Result (*getErrorString)(Result, const char **);
  Result (*getDeviceCount)(int32_t *);
  Result (*getDevice)(Device *, int32_t ordinal);
  Result (*getDeviceName)(char *, int32_t size, Device);
  Result (*loadModule)(Object *, const void *image, unsigned count, int32_t *options, void **values);
  Result (*unloadModule)(Object);
  Result (*getFunction)(Object *, Object module, const char *name);
  Result (*getMemory)(size_t *free, size_t *total);
  Result (*allocate)(Address *, size_t);
  Result (*release)(Address);
  Result (*createStream)(Object *, unsigned flags);
  Result (*destroyStream)(Object);
  Result (*synchronize)(Object);
  Result (*copyToDevice)(Address, const void *, size_t, Object stream);
  Result (*copyToHost)(void *, Address, size_t, Object stream);
  Result (*launch)(Object function, unsigned blocksX, unsigned blocksY, unsigned blocksZ, unsigned threadsX,
                   unsigned threadsY, unsigned threadsZ, unsigned dynamicLocalBytes, Object stream, void **arguments,
                   void **extra);

  // All null where the driver has no graphs.
  Result (*createGraph)(Object *, unsigned flags);
  Result (*destroyGraph)(Object);
  Result (*addKernelNode)(Object *node, Object graph, const Object *before, size_t count, const KernelNode *);
  Result (*instantiateGraph)(Object *instance, Object graph, unsigned long long flags);
  Result (*destroyGraphInstance)(Object);
  Result (*getCaptureStatus)(Object stream, int32_t *);
  Result (*launchGraph)(Object instance, Object stream);
};

} // namespace mlc::rt::gpu
