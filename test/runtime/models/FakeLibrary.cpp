// What the compiler emits for a model, written by hand: FAKE_NAME says y[N] = FAKE_FACTOR * x[N], over all threads.
//
// Linked with the runtime archive and the stubs as the compiler does it, so that tests have real model libraries.
#include "mlc/abi.h"

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

static const int64_t extents[] = {-1};
static const mlc_port input = {"x", extents, 1, MLC_FLOAT32, MLC_TENSOR, 0, MLC_UNDEFINED};
static const mlc_port output = {"y", extents, 1, MLC_FLOAT32, MLC_TENSOR, 0, MLC_UNDEFINED};
static const char *const symbols[] = {"N"};
static const mlc_property properties[] = {{"mlc.producer", "a test"}};

namespace {
struct Closure {
  const float *x;
  float *y;
};
} // namespace

static void part(void *pointer, int64_t begin, int64_t end) {
  auto &closure = *static_cast<Closure *>(pointer);
  for (int64_t i = begin; i < end; ++i)
    closure.y[i] = FAKE_FACTOR * closure.x[i];
}

static void run(mlc_frame *frame) {
  Closure closure = {static_cast<const float *>(frame->inputs[0]),
                     static_cast<float *>(mlc_rt_output(frame, 0, frame->input_extents[0]))};
  mlc_rt_parallel(frame, frame->input_extents[0][0], part, &closure);
}

extern "C" {
extern const mlc_model_data_t mlc_model_data;
const mlc_model_data_t mlc_model_data = {
    {MLC_CODE_ABI, 1, 1, 1, 1, 0, &input, &output, symbols, properties, nullptr, TEXT(FAKE_NAME)},
    [](const int64_t *) -> int64_t { return 0; },
    run,
    nullptr,
    nullptr,
    nullptr};

__attribute__((visibility("default"))) const mlc_model *JOIN(FAKE_NAME, _mlc)(uint32_t version) {
  return mlc_rt_entry(version);
}
}
