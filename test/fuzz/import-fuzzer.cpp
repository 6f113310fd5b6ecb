// libFuzzer on the importer. CONTRIBUTING.md says how to build and run it.
#include "Subject.h"
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static mlc::fuzz::Subject subject;
  subject.accepts({reinterpret_cast<const char *>(data), size});
  return 0;
}
