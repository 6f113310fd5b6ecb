#include "Driver.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace emulated {

static std::string variable(const char *name, const char *fallback) {
  const char *text = getenv(name);
  return text ? text : fallback;
}

Driver::Driver(const char *kind, const char *defaultChips, bool (*isCurrent)())
    : kind(kind), isCurrent(isCurrent), settings(variable("MLC_EMULATED_GPU", "")) {
  for (std::string rest = variable("MLC_EMULATED_CHIPS", defaultChips); !rest.empty();) {
    const size_t end = std::min(rest.find(','), rest.size());
    names.push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  if (const char *path = getenv("MLC_EMULATED_LOG"))
    log = fopen(path, "a");
  if (log)
    setvbuf(log, nullptr, _IOLBF, 0);
}

Driver::~Driver() {
  if (!settings.empty())
    fprintf(stderr, "emulated %s: %d objects and %zu bytes left\n", kind, objects, used());
}

long Driver::setting(const std::string &name, long fallback) const {
  return settings.starts_with(name + "=") ? strtol(settings.c_str() + name.size() + 1, nullptr, 10) : fallback;
}

Result Driver::check(const char *call) {
  const std::string name = call, numbered = name + "@" + std::to_string(++calls[name]);
  if (const long result = setting(name, setting(numbered, success)); result != success)
    return Result(result);
  return !isInitialized ? notInitialized : !isCurrent() ? invalidContext : hasFailed ? launchFailed : success;
}

Result Driver::initialize() {
  isInitialized = !names.empty();
  return isInitialized ? success : noDevice;
}

Result Driver::getErrorString(int code, const char **text) const {
  *text = code == outOfMemory         ? "out of memory"
          : code == noDevice          ? "no capable device is detected"
          : code == invalidPtx        ? "a PTX JIT compilation failed"
          : code == noBinaryForDevice ? "no kernel image is available for execution on the device"
          : code == launchFailed      ? "unspecified launch failure"
                                      : "an error of the emulated driver";
  return success;
}

Result Driver::getDeviceCount(int *count) {
  *count = int(names.size());
  return isInitialized ? success : notInitialized;
}

Result Driver::getDevice(int *device, int ordinal) {
  *device = ordinal;
  return size_t(ordinal) < names.size() ? success : invalidDevice;
}

Result Driver::getDeviceName(char *name, int size, int device) const {
  snprintf(name, size_t(size), "emulated %s", names.at(size_t(device)).c_str());
  return success;
}

Result Driver::load(void **module, const std::function<std::unique_ptr<Module>()> &make) {
  std::lock_guard guard(lock);
  if (Result code = check("load"))
    return code;
  *module = make().release();
  ++objects;
  return success;
}

Result Driver::unload(void *module) {
  std::lock_guard guard(lock);
  if (!isCurrent())
    return invalidContext;
  delete static_cast<Module *>(module);
  --objects;
  return success;
}

Result Driver::getFunction(void **function, void *module, const char *name) {
  std::lock_guard guard(lock);
  if (Result code = check("getFunction"))
    return code;
  for (Kernel &kernel : static_cast<Module *>(module)->kernels)
    if (kernel.name == name) {
      *function = &kernel;
      return success;
    }
  return notFound;
}

Result Driver::getMemory(size_t *free, size_t *total) {
  *total = size_t(setting("memory", long(4) << 30));
  *free = *total - used();
  return success;
}

Result Driver::allocate(uint64_t *address, size_t bytes) {
  std::lock_guard guard(lock);
  if (Result code = check("allocate"))
    return code;
  size_t free, total;
  getMemory(&free, &total);
  if (bytes == 0)
    return invalidValue;
  if (bytes > free)
    return outOfMemory;
  *address = memory.allocate(bytes);
  note("allocate %zu\n", bytes);
  return success;
}

Result Driver::release(uint64_t address) {
  std::lock_guard guard(lock);
  if (!isCurrent())
    return invalidContext;
  return memory.release(address) ? success : invalidValue;
}

Result Driver::createStream(void **stream, int device) {
  std::lock_guard guard(lock);
  if (Result code = check("createStream"))
    return code;
  ++objects;
  *stream = &streams[device];
  return success;
}

int Driver::deviceOf(void *stream) const {
  const int *found =
      std::find_if(std::begin(streams), std::end(streams), [&](const int &own) { return &own == stream; });
  return found == std::end(streams) ? -1 : int(found - streams);
}

Result Driver::destroyStream(void *stream) {
  std::lock_guard guard(lock);
  if (deviceOf(stream) < 0)
    return invalidValue;
  --objects;
  return success;
}

Result Driver::synchronize(void *stream) {
  std::lock_guard guard(lock);
  if (Result code = check("synchronize"))
    return code;
  note("%s\n", "synchronize");
  return deviceOf(stream) < 0 ? invalidValue : success;
}

Result Driver::copy(const char *call, void *to, const void *from, uint64_t address, size_t bytes, const char *what) {
  std::lock_guard guard(lock);
  if (Result code = check(call))
    return code;
  if (!memory.contains(address, bytes))
    return invalidValue;
  memcpy(to, from, bytes);
  note("%s %zu\n", what, bytes);
  return success;
}

Result Driver::copyToDevice(uint64_t to, const void *from, size_t bytes) {
  return copy("copyToDevice", reinterpret_cast<void *>(to), from, to, bytes, "to device");
}

Result Driver::copyToHost(void *to, uint64_t from, size_t bytes) {
  return copy("copyToHost", to, reinterpret_cast<void *>(from), from, bytes, "to host");
}

Result Driver::launch(void *function, const Extents &extents, void *const *arguments) {
  std::lock_guard guard(lock);
  if (Result code = check("launch"))
    return code;
  const Kernel &kernel = *static_cast<Kernel *>(function);
  const auto &[blocks, threads] = extents;
  if (!blocks[0] || !blocks[1] || !blocks[2] || blocks[1] > 65535 || blocks[2] > 65535 ||
      threads[0] * threads[1] * threads[2] > 1024)
    return invalidValue;
  note("launch %s (%u, %u, %u) (%u, %u, %u)\n", kernel.name.c_str(), blocks[0], blocks[1], blocks[2], threads[0],
       threads[1], threads[2]);
  try {
    kernel.run(extents, arguments, memory);
  } catch (const Error &error) {
    // Told later, as with a GPU; the reason, now.
    fprintf(stderr, "emulated %s: %s\n", kind, error.what());
    hasFailed = true;
  }
  return success;
}

} // namespace emulated
