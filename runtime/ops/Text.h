// Memory for the bytes of strings that operators make.
#pragma once
#include <stdint.h>

namespace mlc::rt {

/// Room for text until the run ends; may be asked for on any thread of it. Ends the run when there is no memory.
char *newText(uint64_t bytes);

} // namespace mlc::rt
