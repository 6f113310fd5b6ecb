// Runs device-tensors.onnxtxt, or on-device.onnxtxt once, with tensors in memory of the device, by the driver's own functions, and in a queue of its own:
// DeviceTensors opencl|cuda|hip LIBRARY. What is found wrong is printed; exits with the number of that.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <mlc/mlc.h>
#include <numeric>
#include <string>
#include <vector>

namespace {

int problems = 0;
void check(bool isRight, const std::string &what) {
  if (isRight)
    return;
  ++problems;
  printf("wrong: %s\n", what.c_str());
}

/// What the test needs of a driver.
struct Driver {
  void *queue, *otherQueue; ///< the other one cannot be used by the model
  std::function<void *(size_t bytes)> allocate;
  std::function<void(void *, const void *, size_t)> write;
  std::function<void(void *, const void *, size_t)> read; ///< in the queue, behind all that is there
  std::function<void()> wait;
};

template <typename Function> Function *find(void *library, const char *name) {
  auto *function = reinterpret_cast<Function *>(dlsym(library, name));
  if (!function) {
    printf("no %s\n", name);
    exit(99);
  }
  return function;
}

/// The functions of CUDA's driver and of HIP's have the same arguments.
struct Names {
  const char *library, *init, *createStream, *allocate, *synchronize, *copyToDevice, *copyToHost;
};
constexpr Names cuda = {
    "libcuda.so.1",        "cuInit", "cuStreamCreate", "cuMemAlloc_v2", "cuStreamSynchronize", "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2"};
constexpr Names hip = {
    "libamdhip64.so.7",   "hipInit",           "hipStreamCreateWithFlags", "hipMalloc", "hipStreamSynchronize",
    "hipMemcpyHtoDAsync", "hipMemcpyDtoHAsync"};

void enterCudaContext() {
  void *library = dlopen(cuda.library, RTLD_NOW);
  find<int(unsigned)>(library, cuda.init)(0);
  static void *context;
  find<int(void **, int)>(library, "cuDevicePrimaryCtxRetain")(&context, 0);
  find<int(void *)>(library, "cuCtxPushCurrent_v2")(context);
}

Driver gpu(const Names &names) {
  void *library = dlopen(names.library, RTLD_NOW);
  find<int(unsigned)>(library, names.init)(0);
  Driver driver;
  find<int(void **, unsigned)>(library, names.createStream)(&driver.queue, 1);
  driver.otherQueue = &driver; // of no context
  driver.allocate = [=](size_t bytes) {
    uint64_t address = 0;
    find<int(uint64_t *, size_t)>(library, names.allocate)(&address, bytes);
    return reinterpret_cast<void *>(address);
  };
  void *queue = driver.queue;
  driver.wait = [=] { find<int(void *)>(library, names.synchronize)(queue); };
  driver.write = [=](void *to, const void *from, size_t bytes) {
    find<int(uint64_t, const void *, size_t, void *)>(library, names.copyToDevice)(uint64_t(to), from, bytes, queue);
  };
  driver.read = [=, wait = driver.wait](void *to, const void *from, size_t bytes) {
    find<int(void *, uint64_t, size_t, void *)>(library, names.copyToHost)(to, uint64_t(from), bytes, queue);
    wait();
  };
  return driver;
}

Driver openCl() {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW);
  void *platform, *device;
  int code;
  find<int(unsigned, void **, unsigned *)>(library, "clGetPlatformIDs")(1, &platform, nullptr);
  find<int(void *, uint64_t, unsigned, void **, unsigned *)>(library, "clGetDeviceIDs")(platform, 0xFFFFFFFF, 1,
                                                                                        &device, nullptr);
  void *context = find<void *(const intptr_t *, unsigned, void **, void *, void *, int *)>(library, "clCreateContext")(
      nullptr, 1, &device, nullptr, nullptr, &code);
  auto *createQueue = find<void *(void *, void *, uint64_t, int *)>(library, "clCreateCommandQueue");
  Driver driver;
  driver.queue = createQueue(context, device, 0, &code);
  driver.otherQueue = createQueue(context, device, 1, &code); // not in order
  driver.allocate = [=](size_t bytes) {
    int result;
    return find<void *(void *, uint64_t, size_t, void *, int *)>(library, "clCreateBuffer")(context, 1, bytes, nullptr,
                                                                                            &result);
  };
  void *queue = driver.queue;
  driver.wait = [=] { find<int(void *)>(library, "clFinish")(queue); };
  using Copy = int(void *, const void *, unsigned, size_t, size_t, const void *, unsigned, const void *, void *);
  driver.write = [=](void *to, const void *from, size_t bytes) {
    find<Copy>(library, "clEnqueueWriteBuffer")(queue, to, 1, 0, bytes, from, 0, nullptr, nullptr);
  };
  driver.read = [=](void *to, const void *from, size_t bytes) {
    find<Copy>(library, "clEnqueueReadBuffer")(queue, from, 1, 0, bytes, to, 0, nullptr, nullptr);
  };
  return driver;
}

Driver driverNamed(const std::string &name) {
  if (name == "cuda")
    enterCudaContext();
  return name == "cuda" ? gpu(cuda) : name == "hip" ? gpu(hip) : openCl();
}

constexpr int64_t count = 1000;
constexpr size_t bytes = count * sizeof(float);

std::vector<float> readFloats(const Driver &driver, const void *memory) {
  std::vector<float> values(count, -1);
  driver.read(values.data(), memory, bytes);
  return values;
}

mlc_input input(const void *data, mlc_place place) {
  mlc_input result = {};
  result.data = data;
  result.bytes = bytes;
  result.extents = &count;
  result.rank = 1;
  result.type = MLC_FLOAT32;
  result.place = place;
  return result;
}

mlc_output output(mlc_memory memory, mlc_place place, void *data = nullptr) {
  mlc_output result = {};
  result.data = data;
  result.bytes = data ? bytes : 0;
  result.memory = memory;
  result.place = place;
  return result;
}

struct Run {
  mlc_status status;
  mlc_error error;
  std::vector<mlc_output> outputs;
};

Run run(mlc_session *session, const mlc_input &x, const mlc_input &y, const mlc_output &sum, const mlc_output &twice) {
  Run result;
  const mlc_input inputs[] = {x, y};
  result.outputs = {sum, twice, output(MLC_MEMORY_SESSION, MLC_ON_HOST)};
  result.outputs.resize(session->model->info->output_count);
  result.status = mlc_run(session, inputs, 2, result.outputs.data(), uint32_t(result.outputs.size()), &result.error);
  return result;
}

std::vector<float> from(float first) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

std::vector<float> combine(const std::vector<float> &x, const std::vector<float> &y, float factor) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = factor * (x[i] + y[i]);
  return values;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3)
    return 99;
  const Driver driver = driverNamed(argv[1]);
  void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  auto entry = library ? reinterpret_cast<mlc_entry>(dlsym(library, "mlc_model_entry")) : nullptr;
  const mlc_model *model = entry ? entry(MLC_VERSION) : nullptr;
  if (!model) {
    printf("no model: %s\n", dlerror());
    return 99;
  }
  mlc_session_options options = {};
  options.size = sizeof options;
  options.queue = driver.queue;
  mlc_session *session = nullptr;
  mlc_error error;
  if (mlc_session_create(model, &options, &session, &error)) {
    printf("%s\n", error.text);
    return 99;
  }

  const std::vector<float> x = from(0), y = from(0.5f);
  void *xThere = driver.allocate(bytes), *yThere = driver.allocate(bytes), *sumThere = driver.allocate(bytes);
  driver.write(xThere, x.data(), bytes);
  driver.write(yThere, y.data(), bytes);

  // All there, but for what the host computes.
  Run first = run(session, input(xThere, MLC_ON_DEVICE), input(yThere, MLC_ON_DEVICE),
                  output(MLC_MEMORY_CALLER, MLC_ON_DEVICE, sumThere), output(MLC_MEMORY_SESSION, MLC_ON_DEVICE));
  check(first.status == MLC_OK, first.error.text);
  if (problems)
    return problems;               // the rest is of no interest then
  if (first.outputs.size() == 2) { // on-device.onnxtxt
    check(readFloats(driver, sumThere) == combine(x, y, 1), "the sum, read behind the run in the queue");
    mlc_session_destroy(session);
    printf("%d problems\n", problems);
    return problems;
  }
  check(readFloats(driver, sumThere) == combine(x, y, 1), "the sum in the caller's memory");
  const mlc_output &twice = first.outputs[1], &places = first.outputs[2];
  check(twice.data && twice.bytes == bytes && twice.extents[0] == count, "what is told of the session's memory");
  check(readFloats(driver, twice.data) == combine(x, y, 2), "twice the sum in the session's memory");
  check(places.extents[1] == count - 1 && static_cast<const int64_t *>(places.data)[0] == 1,
        "what the host has computed");

  // What the last run left there is an input of the next.
  const std::vector<float> doubled = combine(x, y, 2);
  Run second = run(session, input(twice.data, MLC_ON_DEVICE), input(y.data(), MLC_ON_HOST),
                   output(MLC_MEMORY_SESSION, MLC_ON_HOST), output(MLC_MEMORY_SESSION, MLC_ON_DEVICE));
  check(second.status == MLC_OK, second.error.text);
  const auto *sum = static_cast<const float *>(second.outputs[0].data);
  check(sum && std::vector<float>(sum, sum + count) == combine(doubled, y, 1), "the sum on the host");
  check(readFloats(driver, second.outputs[1].data) == combine(doubled, y, 2), "twice that, on the device");
  check(second.outputs[1].data != twice.data, "an input that is written while it is read");

  // Into an input, which the other output still needs.
  Run third = run(session, input(xThere, MLC_ON_DEVICE), input(yThere, MLC_ON_DEVICE),
                  output(MLC_MEMORY_CALLER, MLC_ON_DEVICE, xThere), output(MLC_MEMORY_SESSION, MLC_ON_HOST));
  check(third.status == MLC_OK, third.error.text);
  check(readFloats(driver, xThere) == combine(x, y, 1), "the sum in the memory of an input");
  const auto *other = static_cast<const float *>(third.outputs[1].data);
  check(other && std::vector<float>(other, other + count) == doubled,
        "what was computed from that input after the sum");

  // What cannot be.
  auto refused = [&](const Run &result, const char *text) {
    check(result.status != MLC_OK && strstr(result.error.text, text),
          std::string("expected: ") + text + ", got: " + result.error.text);
  };
  const mlc_output here = output(MLC_MEMORY_SESSION, MLC_ON_HOST);
  mlc_input strided = input(xThere, MLC_ON_DEVICE);
  const int64_t stride = 2;
  strided.strides = &stride;
  strided.bytes = 0;
  refused(run(session, strided, input(y.data(), MLC_ON_HOST), here, here),
          "input 'x': what is on a device cannot have strides");
  refused(run(session, input(x.data(), mlc_place(7)), input(y.data(), MLC_ON_HOST), here, here),
          "input 'x': place expects an mlc_place, got 7");
  refused(run(session, input(x.data(), MLC_ON_HOST), input(y.data(), MLC_ON_HOST),
              output(MLC_MEMORY_HANDED_OVER, MLC_ON_DEVICE), here),
          "output 'sum': on a device expects MLC_MEMORY_CALLER or MLC_MEMORY_SESSION");
  refused(run(session, input(x.data(), MLC_ON_HOST), input(y.data(), MLC_ON_HOST),
              output(MLC_MEMORY_CALLER, MLC_ON_DEVICE, sumThere), output(MLC_MEMORY_CALLER, MLC_ON_DEVICE, sumThere)),
          "output 'twice' overlaps output 'sum'");
  mlc_session_destroy(session);

  options.queue = driver.otherQueue;
  mlc_session_create(model, &options, &session, &error);
  refused(run(session, input(x.data(), MLC_ON_HOST), input(y.data(), MLC_ON_HOST), here, here),
          "options.queue expects");
  mlc_session_destroy(session);

  // Without a queue of ours, a session waits for the device, and is well where it was.
  options.queue = nullptr;
  mlc_session_create(model, &options, &session, &error);
  Run last = run(session, input(x.data(), MLC_ON_HOST), input(y.data(), MLC_ON_HOST), here, here);
  check(last.status == MLC_OK, last.error.text);
  mlc_session_destroy(session);
  printf("%d problems\n", problems);
  return problems;
}
