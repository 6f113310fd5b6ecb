// A driver of OpenCL that compiles a design as C++ and runs it on the host: libOpenCL.so.1 for LD_LIBRARY_PATH.
//
// So whole models run in functional simulation, and mlc verify compares what they give. It knows what mlc's runtime calls,
// and kernels of one work item; MLC_SIMULATE_CXX is the compiler's command line before -o.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

struct Program {
  std::string text, log;
  void *library = nullptr;
};

struct Kernel {
  void *function;
  std::vector<bool> isMemory; ///< of each argument
  std::vector<int64_t> values;
};

/// Calls a function of `Count` arguments, all of 64 bits.
template <size_t... I> void call(void *function, const int64_t *values, std::index_sequence<I...>) {
  using Function = void (*)(decltype(int64_t(I))...);
  reinterpret_cast<Function>(function)(values[I]...);
}
template <size_t Count> bool callWith(void *function, const std::vector<int64_t> &values) {
  if (values.size() == Count) {
    call(function, values.data(), std::make_index_sequence<Count>());
    return true;
  }
  if constexpr (Count > 0)
    return callWith<Count - 1>(function, values);
  return false;
}

int answer(const void *value, size_t bytes, size_t room, void *place, size_t *size) {
  if (size)
    *size = bytes;
  if (place)
    memcpy(place, value, bytes < room ? bytes : room);
  return 0;
}

int handle; ///< of what there is one of

} // namespace

extern "C" {

int clGetPlatformIDs(uint32_t, void **platforms, uint32_t *count) {
  if (platforms)
    platforms[0] = &handle;
  *count = 1;
  return 0;
}
int clGetDeviceIDs(void *, uint64_t, uint32_t, void **devices, uint32_t *) {
  devices[0] = &handle;
  return 0;
}
int clGetDeviceInfo(void *, uint32_t what, size_t room, void *place, size_t *size) {
  if (what == 0x102B) // name
    return answer("C++", 4, room, place, size);
  const uint64_t large = uint64_t(1) << 40;
  return answer(&large, sizeof large, room, place, size);
}
void *clCreateContext(const intptr_t *, uint32_t, void *const *, void *, void *, int *code) {
  *code = 0;
  return &handle;
}
int clRetainContext(void *) { return 0; }
int clReleaseContext(void *) { return 0; }
void *clCreateCommandQueue(void *, void *, uint64_t, int *code) {
  *code = 0;
  return &handle;
}
int clGetCommandQueueInfo(void *, uint32_t, size_t, void *, size_t *) { return -1; }
int clReleaseCommandQueue(void *) { return 0; }

void *clCreateProgramWithSource(void *, uint32_t, const char **text, const size_t *size, int *code) {
  *code = 0;
  auto *program = new Program();
  program->text.assign(text[0], size[0]);
  return program;
}
int clBuildProgram(void *object, uint32_t, void *const *, const char *, void *, void *) {
  auto *program = static_cast<Program *>(object);
  std::string stem = "/tmp/mlc-simulation-" + std::to_string(getpid());
  if (FILE *file = fopen((stem + ".cpp").c_str(), "w")) {
    fwrite(program->text.data(), 1, program->text.size(), file);
    fclose(file);
  }
  const char *compiler = getenv("MLC_SIMULATE_CXX");
  std::string command = std::string(compiler ? compiler : "c++ -O1 -shared -fPIC -ffp-contract=off") + " -o " + stem +
                        ".so " + stem + ".cpp";
  if (system(command.c_str()) == 0)
    program->library = dlopen((stem + ".so").c_str(), RTLD_NOW);
  program->log = program->library ? "" : "failed: " + command;
  unlink((stem + ".cpp").c_str());
  unlink((stem + ".so").c_str());
  return program->library ? 0 : -11;
}
int clGetProgramBuildInfo(void *object, void *, uint32_t, size_t room, void *place, size_t *size) {
  auto *program = static_cast<Program *>(object);
  return answer(program->log.c_str(), program->log.size() + 1, room, place, size);
}
int clReleaseProgram(void *object) {
  delete static_cast<Program *>(object); // its library stays: kernels may be running
  return 0;
}

void *clCreateKernel(void *object, const char *name, int *code) {
  auto *program = static_cast<Program *>(object);
  auto *kernel = new Kernel();
  kernel->function = dlsym(program->library, name);
  const std::string head = std::string("void ") + name + "(";
  const size_t begin = program->text.find(head);
  *code = kernel->function && begin != std::string::npos ? 0 : -46;
  std::string arguments = program->text.substr(begin + head.size());
  arguments.resize(arguments.find(')'));
  for (size_t at = 0; at < arguments.size();) {
    size_t end = arguments.find(',', at);
    end = end == std::string::npos ? arguments.size() : end;
    kernel->isMemory.push_back(arguments.substr(at, end - at).find("__global") != std::string::npos);
    at = end + 1;
  }
  kernel->values.resize(kernel->isMemory.size());
  return kernel;
}
int clReleaseKernel(void *object) {
  delete static_cast<Kernel *>(object);
  return 0;
}
int clGetKernelInfo(void *object, uint32_t, size_t room, void *place, size_t *size) {
  const auto count = uint32_t(static_cast<Kernel *>(object)->isMemory.size());
  return answer(&count, sizeof count, room, place, size);
}
int clGetKernelWorkGroupInfo(void *, void *, uint32_t what, size_t room, void *place, size_t *size) {
  const size_t one[3] = {1, 1, 1};
  const uint64_t none = 0;
  if (what == 0x11B2) // bytes of local memory
    return answer(&none, sizeof none, room, place, size);
  return answer(one, what == 0x11B1 ? sizeof one : sizeof(size_t), room, place, size);
}
int clGetKernelArgInfo(void *object, uint32_t number, uint32_t, size_t room, void *place, size_t *size) {
  const uint32_t space = static_cast<Kernel *>(object)->isMemory[number] ? 0x119B : 0x119E;
  return answer(&space, sizeof space, room, place, size);
}
int clSetKernelArg(void *object, uint32_t number, size_t size, const void *value) {
  auto *kernel = static_cast<Kernel *>(object);
  if (number >= kernel->values.size() || size != sizeof(int64_t))
    return -51;
  memcpy(&kernel->values[number], value, size);
  return 0;
}
int clEnqueueNDRangeKernel(void *, void *object, uint32_t, const size_t *, const size_t *, const size_t *, uint32_t,
                           void *const *, void **) {
  auto *kernel = static_cast<Kernel *>(object);
  return callWith<48>(kernel->function, kernel->values) ? 0 : -52;
}

void *clCreateBuffer(void *, uint64_t, size_t bytes, void *, int *code) {
  void *memory = malloc(bytes);
  *code = memory ? 0 : -6;
  return memory;
}
int clReleaseMemObject(void *memory) {
  free(memory);
  return 0;
}
int clEnqueueReadBuffer(void *, void *from, uint32_t, size_t offset, size_t bytes, void *to, uint32_t, void *const *,
                        void **) {
  memcpy(to, static_cast<char *>(from) + offset, bytes);
  return 0;
}
int clEnqueueWriteBuffer(void *, void *to, uint32_t, size_t offset, size_t bytes, const void *from, uint32_t,
                         void *const *, void **) {
  memcpy(static_cast<char *>(to) + offset, from, bytes);
  return 0;
}
int clFlush(void *) { return 0; }
int clFinish(void *) { return 0; }
}
