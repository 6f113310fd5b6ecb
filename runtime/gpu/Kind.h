// What CUDA and HIP answer each on its own; all else is gpu/Device.cpp. A runtime archive has one of them.
#pragma once
#include "gpu/Driver.h"
#include "mlc/abi.h"

namespace mlc::rt::gpu {

/// In texts: "CUDA", and "NVIDIA CUDA".
extern const char *const kindName, *const longName;
/// What a user looks at who has a driver, but no device: "what nvidia-smi says".
extern const char *const whereToLook;
/// That a launch may have along one axis, of all its blocks.
extern const uint64_t mostThreadsOfAxis;

/// The driver, looked for once; null if there is none, or one that lacks a function. Then `missing` says what.
const Driver *driver(const char *&missing);

/// A device that runs the program, and the best code for it.
struct Choice {
  Device device;
  const mlc_device_image *image;
  char name[128];
  int32_t threadsOfBlock, localBytesOfBlock; ///< at most
};
/// Of `count` devices, at least one.
mlc_status choose(const Driver &driver, int32_t count, const mlc_device_program &program, Choice &choice,
                  mlc_error *error);
/// Where the driver gives an error instead of a device. In gpu/Device.cpp.
mlc_status refuseWithoutDevice(const Driver &driver, Result code, mlc_error *error);
/// Where there is no driver.
mlc_status refuseWithoutDriver(const char *missing, mlc_error *error);

/// What has to be held of a device while it is used; null where that is nothing.
Result openContext(Device device, Object *context);
void closeContext(Device device);
/// Whether functions that are loaded where `enter` leads can run in a caller's stream.
mlc_status checkStream(Object stream, const Choice &choice, Object context, mlc_error *error);
/// Makes calls of this thread go to the device, until `leave` is told what `enter` has said of how it was.
int64_t enter(Device device, Object context);
void leave(int64_t before);

} // namespace mlc::rt::gpu
