// GPUs of NVIDIA as a device: the first one, or the one that CUDA_VISIBLE_DEVICES makes so.
//
// Everything happens in the device's primary context, which all users of CUDA in a process share; what context the
// calling thread had current stays so.
#include "core/Status.h"
#include "cuda/Driver.h"
#include <stdlib.h>
#include <string.h>

namespace mlc::rt {

const char *const gpu::kindName = "CUDA", *const gpu::longName = "NVIDIA CUDA";
const char *const gpu::whereToLook = "what nvidia-smi and CUDA_VISIBLE_DEVICES say";
const uint64_t gpu::mostThreadsOfAxis = UINT64_MAX;

mlc_status gpu::refuseWithoutDriver(const char *missing, mlc_error *error) {
  return refuse(error, MLC_UNSUPPORTED,
                "the model was compiled for NVIDIA CUDA, but %s could not be loaded; install the driver of the GPU "
                "(Debian: nvidia-driver; in containers, the NVIDIA container toolkit), or compile with --target=x86",
                missing);
}

static int attribute(gpu::Device device, int32_t which) {
  int32_t value = 0;
  cu::driver().getDeviceAttribute(&value, which, device);
  return value;
}

/// The best code for a device: machine code of its generation, the latest that is not later than it is; else what the
/// driver compiles.
static const mlc_device_image *bestImage(const mlc_device_program &program, int capability) {
  const mlc_device_image *best = nullptr;
  int bestRank = -1;
  for (int32_t i = 0; i < program.image_count; ++i) {
    const char *chip = program.images[i].chip;
    const bool isMachineCode = strncmp(chip, "sm_", 3) == 0;
    const int number = int(strtol(strchr(chip, '_') + 1, nullptr, 10));
    if (number > capability || (isMachineCode && number / 10 != capability / 10))
      continue;
    const int rank = number + (isMachineCode ? 1000 : 0);
    if (rank > bestRank) {
      best = &program.images[i];
      bestRank = rank;
    }
  }
  return best;
}

mlc_status gpu::choose(const Driver &driver, int32_t, const mlc_device_program &program, Choice &choice,
                       mlc_error *error) {
  if (Result code = driver.getDevice(&choice.device, 0); code != success)
    return refuseWithoutDevice(driver, code, error);
  driver.getDeviceName(choice.name, sizeof choice.name, choice.device);
  choice.threadsOfBlock = attribute(choice.device, cu::threadsOfBlock);
  choice.localBytesOfBlock = attribute(choice.device, cu::localBytesOfBlock);
  const int capability =
      10 * attribute(choice.device, cu::capabilityMajor) + attribute(choice.device, cu::capabilityMinor);
  choice.image = bestImage(program, capability);
  if (choice.image)
    return MLC_OK;
  return refuse(error, MLC_UNSUPPORTED,
                "CUDA device '%s' is of compute capability %d.%d, and the model has code for %s and later; compile "
                "with --target=cuda --chip=sm_%d",
                choice.name, capability / 10, capability % 10, program.images[program.image_count - 1].chip,
                capability);
}

gpu::Result gpu::openContext(Device device, Object *context) { return cu::driver().retainContext(context, device); }

void gpu::closeContext(Device device) { cu::driver().releaseContext(device); }

mlc_status gpu::checkStream(Object stream, const Choice &choice, Object context, mlc_error *error) {
  Object found = nullptr;
  if (cu::driver().getStreamContext(stream, &found) == success && found == context)
    return MLC_OK;
  return refuse(error, MLC_INVALID_ARGUMENT,
                "options.queue expects a CUstream of the primary context of CUDA device '%s', the first one; "
                "CUDA_VISIBLE_DEVICES says which that is",
                choice.name);
}

int64_t gpu::enter(Device, Object context) {
  cu::driver().pushContext(context);
  return 0;
}

void gpu::leave(int64_t) {
  Object own;
  cu::driver().popContext(&own);
}

} // namespace mlc::rt
