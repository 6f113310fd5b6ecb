#include "device/Library.h"
#include <dlfcn.h>

namespace mlc::rt {

bool openLibrary(const char *name, const LibraryFunction *functions, uint32_t count, const char *&missing) {
  missing = name;
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return false;
  for (uint32_t i = 0; i < count; ++i) {
    void *address = dlsym(library, functions[i].name);
    if (!address) {
      missing = functions[i].name;
      return false;
    }
    *static_cast<void **>(functions[i].place) = address;
  }
  return true;
}

} // namespace mlc::rt
