// What a model asks of its processor, against what the processor has; cpu/<architecture>/Features.cpp knows the latter.
#include "core/Device.h"
#include <string.h>

namespace mlc::rt {

bool findMissingFeature(const char *list, char (&name)[32]) {
  while (*list) {
    const size_t length = strcspn(list, ",");
    if (list[0] == '+' && length <= sizeof name && lacksFeature(list + 1, length - 1)) {
      memcpy(name, list + 1, length - 1);
      name[length - 1] = 0;
      return true;
    }
    list += length + (list[length] == ',');
  }
  return false;
}

} // namespace mlc::rt
