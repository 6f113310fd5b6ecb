// Code that checks its own accesses to memory, for those who look for faults in mlc or in functions that models call.
#pragma once
#include "llvm/ADT/StringRef.h"

namespace mlc {

/// On a module whose code is to be checked by AddressSanitizer. The process that loads it must have the sanitizer's
/// runtime.
inline constexpr llvm::StringLiteral sanitizeAddressAttrName = "mlc.sanitize_address";

} // namespace mlc
