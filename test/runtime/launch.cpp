// Parallel regions: what is covered, on which threads, and how failures get out.
#include "FakeModel.h"
#include <atomic>
#include <thread>

using namespace test;

/// y[i] is how often index i was covered, for the count that is the input; memory as a session lends it.
static FakeModel::Parts coverage() {
  FakeModel::Parts parts = same({1}, MLC_INT64);
  parts.outputs[0].extents = {MLC_EXTENT_UNKNOWN};
  parts.run = [](mlc_frame *frame) {
    const int64_t count = *static_cast<const int64_t *>(frame->inputs[0]);
    const int64_t extent = count < 0 ? 0 : count;
    auto *times = static_cast<int64_t *>(mlc_rt_output(frame, 0, &extent));
    memset(times, 0, size_t(extent) * sizeof(int64_t));
    for (int round = 0; round < 10; ++round)
      mlc_rt_parallel(
          frame, count,
          [](void *closure, int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
              ++static_cast<int64_t *>(closure)[i];
          },
          times);
  };
  return parts;
}

static void checkCoverage(TestSession &session) {
  for (int64_t count : {-1, 0, 1, 2, 3, 4, 5, 7, 100, 1001}) {
    std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
    const std::vector<int64_t> counts = {count};
    REQUIRE(session.run({input(counts, {1}, MLC_INT64)}, outputs) == MLC_OK);
    CHECK(elements<int64_t>(outputs[0]) == std::vector<int64_t>(size_t(std::max<int64_t>(count, 0)), 10));
  }
}

TEST_CASE("every index is covered once, on any number of threads") {
  FakeModel model(coverage());
  for (int32_t threads : {0, 1, 2, 3, 5, 16}) {
    TestSession session(model, withThreads(threads));
    checkCoverage(session);
  }
}

//===-- Executors -----------------------------------------------------------------===//

using Work = void (*)(void *closure, uint32_t part);

static void onThreads(void *context, uint32_t parts, Work work, void *closure) {
  ++*static_cast<int *>(context);
  std::vector<std::thread> threads;
  for (uint32_t part = 0; part < parts; ++part)
    threads.emplace_back(work, closure, part);
  for (std::thread &thread : threads)
    thread.join();
}

TEST_CASE("the caller's executor does the work") {
  FakeModel model(coverage());
  mlc_session_options options = withThreads(4);
  int calls = 0;
  options.executor = onThreads;
  options.executor_context = &calls;
  TestSession session(model, options);
  checkCoverage(session);
  CHECK(calls == 70); // not for counts below 2
}

TEST_CASE("an executor that does not do its work is found out") {
  FakeModel model(coverage());
  mlc_session_options options = withThreads(4);
  options.executor = [](void *, uint32_t, Work work, void *closure) {
    work(closure, 0);
    work(closure, 99); // there is none
  };
  TestSession session(model, options);
  const std::vector<int64_t> counts = {10};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  CHECK(session.run({input(counts, {1}, MLC_INT64)}, outputs) == MLC_FAILED);
  CHECK(session.text() == "the executor ran 1 of 4 parts");
}

//===-- Failures ------------------------------------------------------------------===//

/// Fails in the part that covers the index in the input; the other parts must finish first.
static FakeModel::Parts failing() {
  FakeModel::Parts parts = same({1}, MLC_INT64);
  parts.run = [](mlc_frame *frame) {
    struct Closure {
      mlc_frame *frame;
      int64_t bad;
      std::atomic<int64_t> begun;
    } closure = {frame, *static_cast<const int64_t *>(frame->inputs[0]), 0};
    mlc_rt_parallel(
        frame, 8,
        [](void *pointer, int64_t begin, int64_t end) {
          auto &closure = *static_cast<Closure *>(pointer);
          for (int64_t i = begin; i < end; ++i) {
            ++closure.begun;
            if (i == closure.bad || closure.bad == 99)
              mlc_rt_fail(closure.frame, "bad index %0", &i, 1);
            if (closure.bad == 77)
              mlc_rt_scratch(int64_t(1) << 60);
          }
        },
        &closure);
    CHECK(closure.begun == 8);
    const int64_t one = 1;
    mlc_rt_output(frame, 0, &one);
  };
  return parts;
}

static void checkFailures(TestSession &session) {
  const auto run = [&](int64_t bad) {
    const std::vector<int64_t> value = {bad};
    std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
    return session.run({input(value, {1}, MLC_INT64)}, outputs);
  };
  for (int round = 0; round < 20; ++round) {
    for (int64_t bad = 0; bad < 8; ++bad) {
      CHECK(run(bad) == MLC_FAILED);
      CHECK(session.text() == "bad index " + std::to_string(bad));
    }
    CHECK(run(99) == MLC_FAILED); // several at once: one of them is told
    CHECK(session.text().substr(0, 10) == "bad index ");
    CHECK(run(77) == MLC_OUT_OF_MEMORY);
    CHECK(run(8) == MLC_OK);
  }
}

TEST_CASE("a part can fail") {
  FakeModel model(failing());
  for (int32_t threads : {1, 2, 4, 8}) {
    TestSession session(model, withThreads(threads));
    checkFailures(session);
  }
}

TEST_CASE("a part can fail on an executor") {
  FakeModel model(failing());
  mlc_session_options options = withThreads(3);
  int calls = 0;
  options.executor = onThreads;
  options.executor_context = &calls;
  TestSession session(model, options);
  checkFailures(session);
}

TEST_CASE("regions inside of regions run on their thread") {
  FakeModel::Parts parts = same({1}, MLC_INT64);
  parts.run = [](mlc_frame *frame) {
    struct Closure {
      mlc_frame *frame;
      std::atomic<int64_t> sum;
    } closure = {frame, 0};
    mlc_rt_parallel(
        frame, 10,
        [](void *pointer, int64_t begin, int64_t end) {
          auto &outer = *static_cast<Closure *>(pointer);
          for (int64_t i = begin; i < end; ++i)
            mlc_rt_parallel(
                outer.frame, 100,
                [](void *pointer, int64_t begin, int64_t end) { static_cast<Closure *>(pointer)->sum += end - begin; },
                pointer);
        },
        &closure);
    const int64_t one = 1;
    *static_cast<int64_t *>(mlc_rt_output(frame, 0, &one)) = closure.sum;
  };
  FakeModel model(parts);
  TestSession session(model, withThreads(3));
  const std::vector<int64_t> x = {0};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  REQUIRE(session.run({input(x, {1}, MLC_INT64)}, outputs) == MLC_OK);
  CHECK(elements<int64_t>(outputs[0]) == std::vector<int64_t>{1000});
}
