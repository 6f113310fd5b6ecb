// Code that checks itself, for those who look for faults in mlc or in functions that models call.
#pragma once
#include "llvm/ADT/StringRef.h"

namespace mlc {

/// What code is to check of itself.
struct Sanitizers {
  bool address = false;   ///< its accesses to memory, by AddressSanitizer
  bool undefined = false; ///< that it does nothing that LLVM leaves undefined (targets/cpu/CheckUndefined.h)
};

/// On a module whose code is to be checked by AddressSanitizer. The process that loads it must have the sanitizer's
/// runtime.
inline constexpr llvm::StringLiteral sanitizeAddressAttrName = "mlc.sanitize_address";

/// On a module whose code is to end the process before it does what is undefined.
inline constexpr llvm::StringLiteral sanitizeUndefinedAttrName = "mlc.sanitize_undefined";

} // namespace mlc
