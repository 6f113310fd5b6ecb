// What the runtime finds out about the machine.
#include "core/Device.h"
#include <catch2/catch.hpp>
#include <sched.h>
#include <string>
#include <thread>

using namespace mlc::rt;

TEST_CASE("processors are counted") {
  uint32_t cpus = 0, cores = 0;
  countProcessors(cpus, cores);
  CHECK(cores >= 1);
  CHECK(cores <= cpus);
  CHECK(cpus <= std::thread::hardware_concurrency());
}

TEST_CASE("processors that the process may not use do not count") {
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before))
      CPU_SET(cpu, &one);
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0); // the main thread's is the process's
  uint32_t cpus, cores;
  countProcessors(cpus, cores);
  CHECK(cpus == 1);
  CHECK(cores == 1);
  Affinity affinity;
  CHECK_FALSE(findWorkerAffinity(affinity)); // there is no other place
  REQUIRE(sched_setaffinity(0, sizeof before, &before) == 0);
}

#if defined(__x86_64__)
static std::string missing(const char *features) {
  char name[32] = "";
  return findMissingFeature(features, name) ? name : "";
}

TEST_CASE("features are looked up in the processor") {
  CHECK(missing("") == "");
  CHECK(missing("+sse2,+cmov,+sse") == "");
  // GCC and Clang look at the same bits.
#define SAME(ours, theirs) CHECK(missing("+" ours).empty() == bool(__builtin_cpu_supports(theirs)))
  __builtin_cpu_init();
  SAME("avx", "avx");
  SAME("avx2", "avx2");
  SAME("fma", "fma");
  SAME("bmi2", "bmi2");
  SAME("f16c", "f16c");
  SAME("avx512f", "avx512f");
  SAME("avx512bw", "avx512bw");
  SAME("avx512vl", "avx512vl");
  SAME("avx512vnni", "avx512vnni");
  SAME("avx512bf16", "avx512bf16");
  SAME("avx512vpopcntdq", "avx512vpopcntdq");
  SAME("amx-int8", "amx-int8");
  SAME("xop", "xop");
  SAME("sse4a", "sse4a");
#undef SAME
}

TEST_CASE("the feature that is missing is named, and only if it is asked for") {
  if (__builtin_cpu_supports("tbm"))
    return;
  CHECK(missing("+sse2,+tbm,+avx") == "tbm");
  CHECK(missing("+sse2,-tbm,tbm,+tbmx,+tb") == "");
}
#endif
