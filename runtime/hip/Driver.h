// The functions of HIP that CUDA's driver does not have in the same form, after AMD's HIP runtime API reference.
#pragma once
#include "gpu/Kind.h"

namespace mlc::rt::amd {

using gpu::Device;
using gpu::Object;
using gpu::Result;

/// hipDeviceProp_t as HIP 6.0 made it, which stays so under the name of its function; only what is used has a name.
struct Properties {
  char name[256];
  char unused0[40];
  uint64_t localBytesOfBlock;
  char unused1[16];
  int32_t threadsOfBlock;
  char unused2[836];
  char architecture[256]; ///< "gfx90a:sramecc+:xnack-"
  char unused3[56];
};
static_assert(offsetof(Properties, localBytesOfBlock) == 296 && offsetof(Properties, threadsOfBlock) == 320 &&
              offsetof(Properties, architecture) == 1160 && sizeof(Properties) == 1472);

struct Driver : gpu::Driver {
  Result (*getProperties)(Properties *, int32_t ordinal);
  Result (*getCurrent)(Device *);
  Result (*setCurrent)(Device);
  Result (*getStreamDevice)(Object, Device *);
};

/// The driver, once gpu::driver has found it.
const Driver &driver();

} // namespace mlc::rt::amd
