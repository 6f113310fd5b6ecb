// A driver's library, found when it is first needed: a model loads where there is none.
#pragma once
#include <stdint.h>

namespace mlc::rt {

struct LibraryFunction {
  const char *name;
  void *place; ///< where the function's address goes: of a pointer to a function
};

/// False if there is no such library, or a function is not in it; then `missing` says which.
bool openLibrary(const char *library, const LibraryFunction *functions, uint32_t count, const char *&missing);

template <uint32_t count>
bool openLibrary(const char *library, const LibraryFunction (&functions)[count], const char *&missing) {
  return openLibrary(library, functions, count, missing);
}

} // namespace mlc::rt
