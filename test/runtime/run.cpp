// What emitted code asks of the runtime while it runs.
#include "FakeModel.h"
#include <thread>

using namespace test;

/// A model that takes one int64 and gives it back, after doing something to the frame with it.
static FakeModel::Parts withValue(FakeModel::Run run) {
  FakeModel::Parts parts = same({1}, MLC_INT64);
  parts.run = run;
  return parts;
}
static int64_t valueOf(mlc_frame *frame) { return *static_cast<const int64_t *>(frame->inputs[0]); }
static void finish(mlc_frame *frame) {
  const int64_t one = 1;
  *static_cast<int64_t *>(mlc_rt_output(frame, 0, &one)) = valueOf(frame);
}

namespace {
struct ValueRun {
  FakeModel model;
  TestSession session;
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};

  explicit ValueRun(FakeModel::Run run, int32_t threads = 1)
      : model(withValue(run)), session(model, withThreads(threads)) {}
  mlc_status operator()(int64_t value) {
    const std::vector<int64_t> values = {value};
    return session.run({input(values, {1}, MLC_INT64)}, outputs);
  }
};
} // namespace

TEST_CASE("a run that fails tells why") {
  ValueRun run([](mlc_frame *frame) {
    const int64_t values[] = {valueOf(frame), 5};
    if (values[0] >= values[1])
      mlc_rt_fail(frame, "node 'pick': index %0 is not in 0..%1", values, 2);
    finish(frame);
  });
  CHECK(run(9) == MLC_FAILED);
  CHECK(run.session.text() == "node 'pick': index 9 is not in 0..5");
  CHECK(run(4) == MLC_OK);
  CHECK(run.session.text() == "");
}

TEST_CASE("values whose size depends on data") {
  ValueRun run([](mlc_frame *frame) {
    for (int64_t i = 0; i < 20; ++i) {
      auto *memory = static_cast<char *>(mlc_rt_allocate(frame, valueOf(frame) * i));
      CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0);
      if (valueOf(frame) > 0)
        memset(memory, 1, size_t(valueOf(frame) * i));
    }
    finish(frame);
  });
  CHECK(run(0) == MLC_OK);
  CHECK(run(100) == MLC_OK);
  CHECK(run(10000) == MLC_OK);
  CHECK(run(10000) == MLC_OK);
  CHECK(run(int64_t(1) << 50) == MLC_OUT_OF_MEMORY);
  CHECK(run.session.text() == "no memory for a value of 1125899906842624 bytes");
  CHECK(run(-1) == MLC_OUT_OF_MEMORY);
  CHECK(run(7) == MLC_OK);
}

TEST_CASE("scratch memory") {
  ValueRun run([](mlc_frame *frame) {
    auto *first = static_cast<char *>(mlc_rt_scratch(valueOf(frame)));
    CHECK(reinterpret_cast<uintptr_t>(first) % 64 == 0);
    memset(first, 1, size_t(valueOf(frame)));
    // Parts of a region have their own, also those on this thread.
    mlc_rt_parallel(
        frame, 3,
        [](void *, int64_t begin, int64_t end) { memset(mlc_rt_scratch(1000 * end), 2, size_t(1000 * (end - begin))); },
        nullptr);
    CHECK(std::count(first, first + valueOf(frame), 1) == valueOf(frame));
    finish(frame);
  });
  CHECK(run(100) == MLC_OK);
  CHECK(run(100000) == MLC_OK);
  CHECK(run(10) == MLC_OK);

  ValueRun tooMuch([](mlc_frame *frame) {
    mlc_rt_scratch(valueOf(frame));
    finish(frame);
  });
  CHECK(tooMuch(int64_t(1) << 60) == MLC_OUT_OF_MEMORY);
  CHECK(tooMuch.session.text() == "no memory for scratch space of 1152921504606846976 bytes");
  CHECK(tooMuch(-1) == MLC_OUT_OF_MEMORY);
  CHECK(tooMuch(5) == MLC_OK);
}

TEST_CASE("sizes that cannot be addressed") {
  FakeModel model(twice());
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {};
  const std::vector<int64_t> extents = {INT64_MAX / 13, 3};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  CHECK(session.run({input(x, extents)}, outputs) == MLC_INVALID_ARGUMENT);

  FakeModel::Parts parts = same({symbol(0), 0});
  parts.arenaBytes = [](const int64_t *symbols) -> int64_t { return symbols[0] > 100 ? -1 : int64_t(1) << 60; };
  FakeModel other(parts);
  TestSession otherSession(other, withThreads(1));
  CHECK(otherSession.run({input(x, {101, 0})}, outputs) == MLC_INVALID_ARGUMENT);
  CHECK(otherSession.text() == "the inputs are too large: the memory that the run needs cannot be addressed");
  CHECK(otherSession.run({input(x, {1, 0})}, outputs) == MLC_OUT_OF_MEMORY);
  CHECK(otherSession.text() == "no memory for the arena of the run, which takes 1152921504606846976 bytes");
}

TEST_CASE("symbols that no input has") {
  FakeModel::Parts parts = same({2});
  parts.symbols = {"hits"};
  parts.outputs[0].extents = {symbol(0)};
  parts.arenaBytes = [](const int64_t *symbols) { return symbols[0]; };
  parts.outputExtents = [](const int64_t *, int64_t *extents) { extents[0] = 1000; };
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {1, 2};
  std::vector<float> y(2);
  std::vector<mlc_output> outputs = {into(y)};
  CHECK(session.run({input(x, {2})}, outputs) == MLC_OK);
  CHECK(y == x);
}

TEST_CASE("a session runs one graph at a time") {
  static std::atomic<int> stage;
  stage = 0;
  ValueRun run([](mlc_frame *frame) {
    stage = 1;
    while (stage == 1)
      std::this_thread::yield();
    finish(frame);
  });
  mlc_status status = MLC_FAILED;
  std::thread other([&] { status = run(1); });
  while (stage == 0)
    std::this_thread::yield();
  mlc_output output = request(MLC_MEMORY_SESSION);
  mlc_error error;
  CHECK(mlc_run(run.session, nullptr, 0, &output, 1, &error) == MLC_BUSY);
  CHECK(std::string(error.text) == "the session is running already; let threads have sessions of their own");
  stage = 2;
  other.join();
  CHECK(status == MLC_OK);
}

TEST_CASE("kernels are timed") {
  FakeModel::Parts parts = same({1});
  parts.kernels = {"first", "second", "never"};
  parts.run = [](mlc_frame *frame) {
    mlc_rt_kernel_begin(frame, 0);
    const uint64_t start = mlc::rt::nanoseconds();
    while (mlc::rt::nanoseconds() < start + 100000) {
    }
    mlc_rt_kernel_end(frame, 0);
    for (int i = 0; i < 3; ++i) {
      mlc_rt_kernel_begin(frame, 1);
      mlc_rt_kernel_end(frame, 1);
    }
    const int64_t one = 1;
    mlc_rt_output(frame, 0, &one);
  };
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  const mlc_kernel_time *times = mlc_kernel_times(session);
  REQUIRE(times);
  const std::vector<float> x = {1};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  REQUIRE(session.run({input(x, {1})}, outputs) == MLC_OK);
  REQUIRE(session.run({input(x, {1})}, outputs) == MLC_OK);
  CHECK(times[0].calls == 2);
  CHECK(times[0].nanoseconds >= 200000);
  CHECK(times[1].calls == 6);
  CHECK(times[2].calls == 0);
  mlc_reset_kernel_times(session);
  CHECK(times[0].calls == 0);
  CHECK(times[0].nanoseconds == 0);

  FakeModel plain(twice());
  TestSession plainSession(plain);
  CHECK(mlc_kernel_times(plainSession) == nullptr);
  CHECK(mlc_kernel_times(nullptr) == nullptr);
  mlc_reset_kernel_times(plainSession);
}

TEST_CASE("runs can nest, in sessions of their own") {
  static mlc_session *inner;
  static mlc_status status;
  ValueRun innerRun([](mlc_frame *frame) { mlc_rt_fail(frame, "inside", nullptr, 0); });
  inner = innerRun.session;
  ValueRun outer([](mlc_frame *frame) {
    const int64_t value = 1;
    const mlc_input input = {nullptr, &value, sizeof value, &value, nullptr, 1, MLC_INT64, MLC_ON_HOST};
    mlc_output output = request(MLC_MEMORY_SESSION);
    status = mlc_run(inner, &input, 1, &output, 1, nullptr);
    mlc_rt_scratch(10);
    finish(frame);
  });
  CHECK(outer(3) == MLC_OK);
  CHECK(status == MLC_FAILED);
}
