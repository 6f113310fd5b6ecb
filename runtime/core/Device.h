// What the machine offers: processors, and their instructions.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mlc::rt {

/// Logical processors that this process may use, and how many cores they belong to; at least 1 each. Affinity and the
/// time limits of control groups (containers) are respected.
void countProcessors(uint32_t &cpus, uint32_t &cores);

/// A set of logical processors, as the kernel writes it.
struct Affinity {
  unsigned long words[128]; ///< enough for the largest kernels
};

/// Where workers may run, when that is not simply where the calling thread may: a thread that a host has bound to one
/// processor would otherwise have all its workers there. False if they should inherit.
bool findWorkerAffinity(Affinity &affinity);
void applyAffinity(const Affinity &affinity);

/// Whether this processor lacks a feature, by LLVM's name of it, or the system has switched it off. Not of those whose
/// instructions no compiled model uses.
bool lacksFeature(const char *name, size_t length);

/// The first of `features`, in LLVM's notation ("+avx2,+fma,-amx-tile"), that is lacking; copied to `name`. False if
/// none is.
bool findMissingFeature(const char *features, char (&name)[32]);

} // namespace mlc::rt
