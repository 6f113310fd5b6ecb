// The tests of the runtime, in one program.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

// Tests ask for more memory than there is, and expect to be told.
extern "C" __attribute__((visibility("default"))) const char *__asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" __attribute__((visibility("default"))) const char *__tsan_default_options() {
  return "allocator_may_return_null=1";
}
