// The functions of CUDA's driver that the runtime uses, taken from the system's when a model first needs them.
//
// Declared here after the reference of the driver API, so that neither its headers nor its library are needed to build
// or to load a model.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mlc::rt::cu {

using Result = int32_t;
using Device = int32_t;
using Object = void *;    ///< context, module, function, stream
using Address = uint64_t; ///< memory of the device

enum : Result { success = 0, outOfMemory = 2, noDevice = 100 };
enum : int32_t { // CUdevice_attribute
  threadsOfBlock = 1,
  localBytesOfBlock = 8,
  capabilityMajor = 75,
  capabilityMinor = 76
};
enum : int32_t { jitErrorLog = 5, jitErrorLogBytes = 6 }; // CUjit_option

struct Driver {
  Result (*init)(unsigned flags);
  Result (*getErrorString)(Result, const char **);
  Result (*deviceGetCount)(int32_t *);
  Result (*deviceGet)(Device *, int32_t ordinal);
  Result (*deviceGetName)(char *, int32_t size, Device);
  Result (*deviceGetAttribute)(int32_t *, int32_t attribute, Device);
  Result (*retainContext)(Object *, Device);
  Result (*releaseContext)(Device);
  Result (*pushContext)(Object);
  Result (*popContext)(Object *);
  Result (*loadModule)(Object *, const void *image, unsigned count, int32_t *options, void **values);
  Result (*unloadModule)(Object);
  Result (*getFunction)(Object *, Object module, const char *name);
  Result (*getMemory)(size_t *free, size_t *total);
  Result (*allocate)(Address *, size_t);
  Result (*release)(Address);
  Result (*createStream)(Object *, unsigned flags);
  Result (*getStreamContext)(Object, Object *context);
  Result (*destroyStream)(Object);
  Result (*synchronize)(Object);
  Result (*copyToDevice)(Address, const void *, size_t, Object stream);
  Result (*copyToHost)(void *, Address, size_t, Object stream);
  Result (*launch)(Object function, unsigned blocksX, unsigned blocksY, unsigned blocksZ, unsigned threadsX,
                   unsigned threadsY, unsigned threadsZ, unsigned dynamicLocalBytes, Object stream, void **arguments,
                   void **extra);
};

/// The driver, looked for once; null if there is none, or one that lacks a function. Then `missing` says what.
const Driver *driver(const char *&missing);

} // namespace mlc::rt::cu
