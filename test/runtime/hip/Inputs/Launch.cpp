// Launches `reverse` of a code object on 0, 1, 2... by the driver of the tests: Launch FILE COUNT. Prints what is in the memory then, and
// exits with what the driver says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <numeric>
#include <vector>

static void *library;

template <typename... Arguments> static void call(const char *name, Arguments... arguments) {
  const int code = reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name))(arguments...);
  if (code) {
    printf("%s: error %d\n", name, code);
    exit(1);
  }
}

int main(int, char **argv) {
  library = dlopen("libamdhip64.so.7", RTLD_NOW);
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> code(std::istreambuf_iterator<char>(file), {});
  std::vector<uint32_t> values(size_t(atoi(argv[2])));
  const size_t bytes = values.size() * sizeof values[0];
  std::iota(values.begin(), values.end(), 0);
  void *module = nullptr, *function = nullptr, *stream = nullptr;
  uint64_t memory = 0;
  call("hipInit", 0u);
  call("hipModuleLoadDataEx", &module, static_cast<const void *>(code.data()), 0u, static_cast<int *>(nullptr),
       static_cast<void **>(nullptr));
  call("hipModuleGetFunction", &function, module, "reverse");
  call("hipMalloc", &memory, bytes);
  call("hipStreamCreateWithFlags", &stream, 1u);
  call("hipMemcpyHtoDAsync", memory, static_cast<const void *>(values.data()), bytes, stream);
  void *arguments[] = {&memory};
  call("hipModuleLaunchKernel", function, 1u, 1u, 1u, 128u, 1u, 1u, 0u, stream, &arguments[0],
       static_cast<void **>(nullptr));
  call("hipMemcpyDtoHAsync", static_cast<void *>(values.data()), memory, bytes, stream);
  call("hipStreamSynchronize", stream);
  for (uint32_t value : values)
    printf("%u ", value);
  printf("\n");
}
