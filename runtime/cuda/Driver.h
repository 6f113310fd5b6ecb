// The functions of CUDA's driver that HIP's does not have in the same form, after the reference of the driver API.
#pragma once
#include "gpu/Kind.h"

namespace mlc::rt::cu {

using gpu::Device;
using gpu::Object;
using gpu::Result;

enum : int32_t { // CUdevice_attribute
  threadsOfBlock = 1,
  localBytesOfBlock = 8,
  capabilityMajor = 75,
  capabilityMinor = 76
};

struct Driver : gpu::Driver {
  Result (*getDeviceAttribute)(int32_t *, int32_t attribute, Device);
  Result (*retainContext)(Object *, Device);
  Result (*releaseContext)(Device);
  Result (*pushContext)(Object);
  Result (*popContext)(Object *);
  Result (*getStreamContext)(Object, Object *context);
};

/// The driver, once gpu::driver has found it.
const Driver &driver();

} // namespace mlc::rt::cu
