// GPUs of AMD as a device: the first one that the model has code for, of those that HIP_VISIBLE_DEVICES leaves.
//
// HIP has a current device for each thread; what the calling thread had current stays so.
#include "core/Status.h"
#include "hip/Driver.h"
#include <stdio.h>
#include <string.h>

namespace mlc::rt {

const char *const gpu::kindName = "HIP", *const gpu::longName = "AMD HIP";
const char *const gpu::whereToLook =
    "what rocminfo and HIP_VISIBLE_DEVICES say, and whether this user may open /dev/kfd";
const uint64_t gpu::mostThreadsOfAxis = UINT32_MAX;

mlc_status gpu::refuseWithoutDriver(const char *missing, mlc_error *error) {
  return refuse(
      error, MLC_UNSUPPORTED,
      "the model was compiled for AMD HIP, but %s could not be loaded; install AMD's ROCm, version 6 or later "
      "(its package hip-runtime-amd; LD_LIBRARY_PATH names its folder lib where the loader does not look), or "
      "compile with --target=x86",
      missing);
}

/// The code for a device of an architecture such as "gfx90a:sramecc+:xnack-": ours runs whatever these settings are.
static const mlc_device_image *imageFor(const mlc_device_program &program, const char *architecture) {
  const size_t length = strcspn(architecture, ":");
  for (int32_t i = 0; i < program.image_count; ++i) {
    const char *chip = program.images[i].chip;
    if (strlen(chip) == length && memcmp(chip, architecture, length) == 0)
      return &program.images[i];
  }
  return nullptr;
}

/// A list of chips, each as far as its ':', cut where it gets too long.
struct Names {
  char text[128] = "";
  void append(const char *chip) {
    const size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s%.*s", used ? ", " : "", int(strcspn(chip, ":")), chip);
  }
};

mlc_status gpu::choose(const Driver &driver, int32_t count, const mlc_device_program &program, Choice &choice,
                       mlc_error *error) {
  Names found, compiled;
  for (int32_t i = 0; i < count; ++i) {
    amd::Properties properties = {};
    Result code = amd::driver().getProperties(&properties, i);
    if (code == success)
      code = driver.getDevice(&choice.device, i);
    if (code != success)
      return refuseWithoutDevice(driver, code, error);
    found.append(properties.architecture);
    choice.image = imageFor(program, properties.architecture);
    if (!choice.image)
      continue;
    strncpy(choice.name, properties.name, sizeof choice.name - 1);
    choice.threadsOfBlock = properties.threadsOfBlock;
    choice.localBytesOfBlock =
        properties.localBytesOfBlock > INT32_MAX ? INT32_MAX : int32_t(properties.localBytesOfBlock);
    return MLC_OK;
  }
  for (int32_t i = 0; i < program.image_count; ++i)
    compiled.append(program.images[i].chip);
  return refuse(error, MLC_UNSUPPORTED,
                "the HIP devices of this machine are %s, and the model has code for %s; compile with --target=hip and "
                "one of the former as --chip=",
                found.text, compiled.text);
}

gpu::Result gpu::openContext(Device, Object *) { return success; }

void gpu::closeContext(Device) {}

mlc_status gpu::checkStream(Object stream, const Choice &choice, Object, mlc_error *error) {
  Device found = -1;
  if (amd::driver().getStreamDevice(stream, &found) == success && found == choice.device)
    return MLC_OK;
  return refuse(error, MLC_INVALID_ARGUMENT,
                "options.queue expects a hipStream_t of HIP device '%s', the first one that the model has code for; "
                "HIP_VISIBLE_DEVICES says which that is",
                choice.name);
}

int64_t gpu::enter(Device device, Object) {
  Device before = device;
  amd::driver().getCurrent(&before);
  if (before != device)
    amd::driver().setCurrent(device);
  return before;
}

void gpu::leave(int64_t before) { amd::driver().setCurrent(Device(before)); }

} // namespace mlc::rt
