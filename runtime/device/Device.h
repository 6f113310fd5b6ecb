// What a kind of device answers: one table of functions, the same for all kinds. One runtime archive has one kind.
#pragma once
#include "mlc/abi.h"

namespace mlc::rt {

/// Memory of the device.
using DeviceMemory = void *;
/// Work in order: what a session gives the device.
struct DeviceQueue;

/// A launch has no more; mlc_rt_launch refuses those that have.
constexpr uint32_t mostArguments = 64;

struct DeviceApi {
  /// Looks for the driver, and for a device that can run the program; makes nothing that has to be given back.
  mlc_status (*find)(const mlc_device_program &program, mlc_error *error);
  /// Finds the driver and a device, that of `callers` where a caller brings a queue, and makes the program ready for it;
  /// nothing to do where that is done. The caller's queue must be of the device that sessions of the model use already.
  mlc_status (*open)(const mlc_device_program &program, void *callers, mlc_error *error);
  /// Gives back what `open` has made. No queue and no memory is left then; may be opened again.
  void (*close)();
  /// A new one, or `callers`, unless that is null.
  mlc_status (*createQueue)(const mlc_device_program &program, void *callers, DeviceQueue **queue, mlc_error *error);
  /// Waits for it; does not end the caller's.
  void (*destroyQueue)(DeviceQueue *queue);
  /// `what` is said when there is none: "for the arena of the run".
  mlc_status (*allocate)(uint64_t bytes, const char *what, DeviceMemory *memory, mlc_error *error);
  void (*release)(DeviceMemory memory);
  /// Without `waits`, `from` must stay as it is until the queue has been waited for.
  mlc_status (*copyToDevice)(DeviceQueue *queue, DeviceMemory to, uint64_t offset, const void *from, uint64_t bytes,
                             bool waits, mlc_error *error);
  mlc_status (*copyToHost)(DeviceQueue *queue, void *to, DeviceMemory from, uint64_t offset, uint64_t bytes,
                           mlc_error *error);
  /// The arguments, in order: a buffer as `memories[i]` and the offset of its first byte in `values[i]`, an integer as
  /// `values[i]`.
  mlc_status (*launch)(DeviceQueue *queue, const mlc_device_program &program, int32_t kernel, const int64_t *blocks,
                       const DeviceMemory *memories, const int64_t *values, mlc_error *error);
  /// A run launches nothing more: what it has is on its way to the device then.
  mlc_status (*endRun)(DeviceQueue *queue, mlc_error *error);
  mlc_status (*wait)(DeviceQueue *queue, mlc_error *error);
};

extern const DeviceApi deviceApi;

} // namespace mlc::rt
