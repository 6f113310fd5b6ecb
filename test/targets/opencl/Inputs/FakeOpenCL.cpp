// A driver of OpenCL that computes nothing and fails where a test wants it to: libOpenCL.so.1 for LD_LIBRARY_PATH.
//
// FAKE_OPENCL lists what goes wrong, in words between commas: clBuildProgram=-11 makes that function give error -11, and
// clEnqueueNDRangeKernel@3=-5 its third call; what else may be said stands at the calls of `answer`. Arguments and groups
// of a kernel are read from the program's text. When the process ends it says how many objects nobody has released.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

struct Program;
/// All that has a handle.
struct Object {
  const char *kind;
  Program *program = nullptr;
  std::string name;
  std::vector<char> memory;
};
struct Program : Object {
  std::string text;
};

std::mutex mutex;
int left = 0;

/// The value after `word=` in FAKE_OPENCL.
bool find(const std::string &word, long long &value) {
  const char *all = getenv("FAKE_OPENCL");
  const std::string list = std::string(",") + (all ? all : ""), key = "," + word + "=";
  const size_t at = list.find(key);
  if (at == std::string::npos)
    return false;
  value = strtoll(list.c_str() + at + key.size(), nullptr, 10);
  return true;
}

long long answer(const std::string &word, long long usual) {
  find(word, usual);
  return usual;
}

/// The error that a call of `function` gives; 0 for none.
int errorOf(const char *function) {
  std::lock_guard guard(mutex);
  static std::map<std::string, int> calls;
  const int call = ++calls[function];
  long long error = 0;
  if (!find(function, error))
    find(std::string(function) + "@" + std::to_string(call), error);
  return int(error);
}

template <typename Kind = Object> Object *make(const char *function, const char *kind, int *code) {
  const int error = errorOf(function);
  if (code)
    *code = error;
  if (error)
    return nullptr;
  auto *object = new Kind();
  object->kind = kind;
  std::lock_guard guard(mutex);
  ++left;
  return object;
}

int drop(Object *object, const char *kind) {
  if (!object || strcmp(object->kind, kind) != 0) {
    fprintf(stderr, "fake OpenCL: a %s is released that is none\n", kind);
    abort();
  }
  object->kind = "released object";
  std::lock_guard guard(mutex);
  --left;
  return 0;
}

int tell(const void *from, size_t bytes, size_t size, void *to, size_t *needed) {
  if (needed)
    *needed = bytes;
  if (to)
    memcpy(to, from, bytes < size ? bytes : size);
  return 0;
}
int tell(uint64_t value, size_t size, void *to, size_t *needed) { return tell(&value, size, size, to, needed); }

/// The text from a kernel's attributes to the end of its arguments.
std::string headOf(const Object *kernel) {
  const std::string &text = kernel->program->text;
  const size_t end = text.find(')', text.find("void " + kernel->name + "("));
  return text.substr(text.rfind("__kernel", end), end - text.rfind("__kernel", end));
}

struct Report {
  ~Report() { fprintf(stderr, "fake OpenCL: %d objects left\n", left); }
} report;

Object platform{"platform"}, device{"device"};

} // namespace

extern "C" {

int clGetPlatformIDs(unsigned, Object **all, unsigned *count) {
  *count = unsigned(answer("platforms", 1));
  *all = &platform;
  return errorOf(__func__);
}
int clGetDeviceIDs(Object *, uint64_t, unsigned, Object **all, unsigned *) {
  *all = &device;
  return errorOf(__func__);
}
int clGetDeviceInfo(Object *, unsigned what, size_t size, void *to, size_t *needed) {
  if (what == 0x102B)
    return tell("Fake", 5, size, to, needed);
  if (what == 0x101F || what == 0x1010)
    return tell(uint64_t(answer("memory", 1 << 30)), size, to, needed);
  if (what == 0x1023)
    return tell(uint64_t(answer("local-memory", 32 << 10)), size, to, needed);
  if (what == 0x1004)
    return tell(uint64_t(answer("threads", 256)), size, to, needed);
  return -30;
}
Object *clCreateContext(const intptr_t *, unsigned, Object *const *, void *, void *, int *code) {
  return make(__func__, "context", code);
}
int clRetainContext(Object *) { return 0; }
int clReleaseContext(Object *context) { return drop(context, "context"); }
Object *clCreateCommandQueue(Object *, Object *, uint64_t, int *code) { return make(__func__, "queue", code); }
int clGetCommandQueueInfo(Object *, unsigned, size_t, void *, size_t *) { return -36; }
int clReleaseCommandQueue(Object *queue) { return drop(queue, "queue"); }
Object *clCreateProgramWithSource(Object *, unsigned, const char **text, const size_t *bytes, int *code) {
  Object *program = make<Program>(__func__, "program", code);
  if (program)
    static_cast<Program *>(program)->text.assign(*text, *bytes);
  return program;
}
int clReleaseProgram(Object *program) { return drop(program, "program"); }
int clBuildProgram(Object *, unsigned, Object *const *, const char *, void *, void *) { return errorOf(__func__); }
int clGetProgramBuildInfo(Object *, Object *, unsigned, size_t size, void *to, size_t *needed) {
  const char log[] = "line 1: no such type";
  return tell(log, sizeof log, size, to, needed);
}
Object *clCreateKernel(Object *program, const char *name, int *code) {
  Object *kernel = make(__func__, "kernel", code);
  if (kernel)
    kernel->program = static_cast<Program *>(program), kernel->name = name;
  return kernel;
}
int clReleaseKernel(Object *kernel) { return drop(kernel, "kernel"); }
int clGetKernelInfo(Object *kernel, unsigned, size_t size, void *to, size_t *needed) {
  const std::string head = headOf(kernel);
  long long count = 1;
  for (char c : head.substr(head.find("void ")))
    count += c == ',';
  return tell(uint64_t(answer("arguments", count)), size, to, needed);
}
int clGetKernelArgInfo(Object *kernel, unsigned index, unsigned, size_t size, void *to, size_t *needed) {
  const std::string head = headOf(kernel);
  size_t at = head.find("void ");
  for (unsigned i = 0; i < index; ++i)
    at = head.find(',', at) + 1;
  const bool isGlobal = head.substr(at, head.find(',', at) - at).find("__global") != std::string::npos;
  return tell(uint64_t(answer("space", isGlobal ? 0x119B : 0x119E)), size, to, needed);
}
int clGetKernelWorkGroupInfo(Object *kernel, Object *, unsigned what, size_t size, void *to, size_t *needed) {
  const std::string head = headOf(kernel);
  size_t group[3] = {};
  const char *rest = head.c_str() + head.find("reqd_work_group_size(") + 21;
  for (size_t &extent : group) {
    char *end = nullptr;
    extent = strtoul(rest, &end, 10);
    rest = end + 1; // a comma
  }
  group[0] = size_t(answer("group", (long long)group[0]));
  if (what == 0x11B1)
    return tell(group, sizeof group, size, to, needed);
  if (what == 0x11B0)
    return tell(uint64_t(answer("kernel-threads", 256)), size, to, needed);
  return tell(uint64_t(answer("kernel-local-memory", 0)), size, to, needed);
}
int clSetKernelArg(Object *, unsigned, size_t, const void *) { return errorOf(__func__); }
int clEnqueueNDRangeKernel(Object *, Object *, unsigned, const size_t *, const size_t *, const size_t *, unsigned,
                           Object *const *, Object **) {
  return errorOf(__func__);
}
Object *clCreateBuffer(Object *, uint64_t, size_t bytes, void *, int *code) {
  Object *memory = make(__func__, "buffer", code);
  if (memory)
    memory->memory.resize(bytes);
  return memory;
}
int clReleaseMemObject(Object *memory) {
  drop(memory, "buffer");
  memory->memory = {};
  return 0;
}
int clEnqueueReadBuffer(Object *, Object *memory, unsigned, size_t offset, size_t bytes, void *to, unsigned,
                        Object *const *, Object **) {
  if (int error = errorOf(__func__))
    return error;
  memcpy(to, memory->memory.data() + offset, bytes);
  return 0;
}
int clEnqueueWriteBuffer(Object *, Object *memory, unsigned, size_t offset, size_t bytes, const void *from, unsigned,
                         Object *const *, Object **) {
  if (int error = errorOf(__func__))
    return error;
  memcpy(memory->memory.data() + offset, from, bytes);
  return 0;
}
int clFlush(Object *) { return errorOf(__func__); }
int clFinish(Object *) { return errorOf(__func__); }
}
