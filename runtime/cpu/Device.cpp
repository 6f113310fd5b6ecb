// The processors that this process may use, as Linux tells.
#include "core/Device.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mlc::rt {

constexpr uint32_t wordBits = 8 * sizeof(unsigned long);
constexpr uint32_t affinityBits = 8 * sizeof(Affinity);

static bool contains(const Affinity &affinity, uint32_t cpu) {
  return cpu < affinityBits && (affinity.words[cpu / wordBits] >> cpu % wordBits & 1);
}

static uint32_t countOf(const Affinity &affinity) {
  uint32_t count = 0;
  for (unsigned long word : affinity.words)
    count += uint32_t(__builtin_popcountl(word));
  return count;
}

/// Of a thread; 0 is the calling one. Empty when the system does not tell.
static Affinity affinityOf(int thread) {
  Affinity affinity = {};
  if (syscall(SYS_sched_getaffinity, thread, sizeof affinity, &affinity) <= 0)
    affinity = {};
  return affinity;
}

bool findWorkerAffinity(Affinity &affinity) {
  Affinity own = affinityOf(0);
  if (countOf(own) != 1)
    return false;
  affinity = affinityOf(getpid()); // the main thread has what the user gave the process
  for (uint32_t i = 0; i < sizeof own.words / sizeof *own.words; ++i)
    affinity.words[i] &= ~own.words[i];
  return countOf(affinity) > 0;
}

void applyAffinity(const Affinity &affinity) { syscall(SYS_sched_setaffinity, 0, sizeof affinity, &affinity); }

/// Reads a small file of the system as text; false if there is none.
static bool readText(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  ssize_t count = read(file, text, size - 1);
  close(file);
  if (count < 0)
    return false;
  text[count] = 0;
  return true;
}

/// Whether a processor of the same core that we may use comes before this one. The system's list looks like "0,64" or
/// "0-1".
static bool followsSibling(const Affinity &affinity, uint32_t cpu) {
  char path[96], list[256];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
  if (!readText(path, list, sizeof list))
    return false;
  for (char *rest = list; *rest >= '0' && *rest <= '9';) {
    unsigned long first = strtoul(rest, &rest, 10);
    unsigned long last = *rest == '-' ? strtoul(rest + 1, &rest, 10) : first;
    for (; first <= last && first < cpu; ++first)
      if (contains(affinity, uint32_t(first)))
        return true;
    if (*rest == ',')
      ++rest;
  }
  return false;
}

/// Processors that a container's share of time amounts to; 0 for no limit.
static uint32_t timeLimit() {
  char text[64];
  long quota = 0, period = 0;
  if (readText("/sys/fs/cgroup/cpu.max", text, sizeof text)) { // version 2: "200000 100000" or "max 100000"
    char *rest = text;
    quota = strtol(text, &rest, 10);
    period = strtol(rest, nullptr, 10);
  } else if (readText("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof text)) { // version 1, -1 for no limit
    quota = strtol(text, nullptr, 10);
    if (readText("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof text))
      period = strtol(text, nullptr, 10);
  }
  return quota > 0 && period > 0 ? uint32_t((quota + period - 1) / period) : 0;
}

void countProcessors(uint32_t &cpus, uint32_t &cores) {
  Affinity affinity = affinityOf(getpid());
  cpus = countOf(affinity);
  cores = 0;
  for (uint32_t cpu = 0; cpu < affinityBits; ++cpu)
    cores += contains(affinity, cpu) && !followsSibling(affinity, cpu);
  uint32_t limit = timeLimit();
  if (cpus == 0 || limit == 1)
    cpus = 1;
  else if (limit && limit < cpus)
    cpus = limit;
  if (cores == 0)
    cores = 1;
  else if (cores > cpus)
    cores = cpus;
}

} // namespace mlc::rt
