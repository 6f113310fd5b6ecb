// What the drivers of the tests have in common, CUDA's and HIP's: devices that execute code on the calling thread when it is
// launched.
//
// What an error of a kernel is stays one, as with a GPU. By environment variables:
//   MLC_EMULATED_CHIPS  the devices, as "gfx90a,gfx1100" or "sm_75"; none if it is empty
//   MLC_EMULATED_LOG    a file to which each call that moves or computes something is written
//   MLC_EMULATED_GPU    what is wrong: "allocate@2=2" ends the second call that allocates with error 2, "launch=719" each that
//                       launches; "memory=100", "local-memory=100", "threads=8" say what the devices have;
//                       "capture=1", that the caller captures what goes to streams. With it, the end of
//                       the process says what is left on the devices.
#pragma once
#include "Memory.h"
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>

namespace emulated {

/// CUresult and hipError_t have the same numbers.
enum Result : int {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  notInitialized = 3,
  noDevice = 100,
  invalidDevice = 101,
  invalidContext = 201,
  noBinaryForDevice = 209,
  invalidPtx = 218,
  notFound = 500,
  launchFailed = 719
};

struct Extents {
  uint32_t blocks[3], threads[3];
};

/// A function that can be launched.
struct Kernel {
  std::string name;
  std::vector<uint32_t> argumentBytes;                                              ///< of each, where graphs are made
  std::function<void(const Extents &, void *const *arguments, const Memory &)> run; ///< throws Error
};

struct Module {
  std::shared_ptr<void> code; ///< what the kernels are of
  std::vector<Kernel> kernels;
};

class Driver {
public:
  /// `isCurrent`: whether the calling thread has a device to which calls go.
  Driver(const char *kind, const char *defaultChips, bool (*isCurrent)());
  ~Driver();

  const std::vector<std::string> &chips() const { return names; }
  /// "name=number" of MLC_EMULATED_GPU.
  long setting(const std::string &name, long fallback) const;
  /// What a call is to end with that is `call` in MLC_EMULATED_GPU.
  Result check(const char *call);

  Result initialize();
  Result getErrorString(int code, const char **text) const;
  Result getDeviceCount(int *count);
  Result getDevice(int *device, int ordinal);
  Result getDeviceName(char *name, int size, int device) const;
  /// Throws what `make` throws.
  Result load(void **module, const std::function<std::unique_ptr<Module>()> &make);
  Result unload(void *module);
  Result getFunction(void **function, void *module, const char *name);
  Result getMemory(size_t *free, size_t *total);
  Result allocate(uint64_t *address, size_t bytes);
  Result release(uint64_t address);
  Result createStream(void **stream, int device);
  /// Whose stream it is, or a negative number.
  int deviceOf(void *stream) const;
  Result destroyStream(void *stream);
  Result synchronize(void *stream);
  Result copyToDevice(uint64_t to, const void *from, size_t bytes);
  Result copyToHost(void *to, uint64_t from, size_t bytes);
  Result launch(void *function, const Extents &extents, void *const *arguments);
  void note(const char *format, auto... values) {
    if (log)
      fprintf(log, format, values...);
  }
  size_t used() const { return memory.used(); }

  std::mutex lock;

private:
  Result copy(const char *call, void *to, const void *from, uint64_t address, size_t bytes, const char *what);

  const char *kind;
  bool (*isCurrent)();
  std::vector<std::string> names;
  std::string settings;
  FILE *log = nullptr;
  Memory memory;
  std::map<std::string, int> calls; ///< so far, by name
  bool isInitialized = false, hasFailed = false;
  int objects = 0; ///< modules and streams
  int streams[16]; ///< of each device; only their addresses matter
};

} // namespace emulated

#define EXPORT extern "C" __attribute__((visibility("default"))) int
