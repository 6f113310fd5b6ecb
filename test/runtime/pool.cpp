// The pool under many sessions at once, and the life of its threads.
#include "FakeModel.h"
#include "Threads.h"
#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace test;

/// Runs twice() and checks the result.
static void runTwice(TestSession &session, int64_t rows, float seed) {
  std::vector<float> x(size_t(rows * 3)), y(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = seed + float(i);
  const std::vector<int64_t> extents = {rows, 3};
  std::vector<mlc_output> outputs = {into(y)};
  const mlc_status status = session.run({input(x, extents)}, outputs);
  bool right = status == MLC_OK;
  for (size_t i = 0; i < x.size(); ++i)
    right &= y[i] == 2 * x[i];
  if (!right) // Catch's checks are not for several threads
    std::terminate();
}

TEST_CASE("workers start with the first region and end with the last session") {
  FakeModel model(twice());
  REQUIRE(workersBecome(0));
  {
    TestSession session(model, withThreads(3));
    CHECK(workersBecome(0));
    runTwice(session, 10, 1);
    CHECK(workersBecome(2));
    TestSession second(model, withThreads(2));
    runTwice(second, 10, 1);
    CHECK(workersBecome(2));
    TestSession third(model, withThreads(4));
    runTwice(third, 10, 1);
    CHECK(workersBecome(3));
  }
  CHECK(workersBecome(0));
  TestSession again(model, withThreads(2));
  runTwice(again, 10, 1);
  CHECK(workersBecome(1));
}

TEST_CASE("a session without threads of its own starts none") {
  FakeModel model(twice());
  TestSession session(model, withThreads(1));
  runTwice(session, 100, 1);
  CHECK(workersBecome(0));
}

TEST_CASE("regions after a pause wake the workers") {
  FakeModel model(twice());
  TestSession session(model, withThreads(4));
  for (int i = 0; i < 20; ++i) {
    runTwice(session, 1 + i, float(i));
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
  }
}

TEST_CASE("many sessions in threads") {
  FakeModel model(twice());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread)
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 10; ++round) {
        TestSession session(model, withThreads(1 + (thread + round) % 4));
        for (int i = 0; i < 30; ++i)
          runTwice(session, 1 + (i * 7 + thread) % 50, float(thread * 100 + i));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(workersBecome(0));
}

TEST_CASE("graphs side by side share the processors") {
  // While the first graph computes, and there are no more processors than it uses, the second one stays on its own
  // thread.
  static std::atomic<int> stage;
  stage = 0;
  FakeModel::Parts parts = same({1});
  parts.run = [](mlc_frame *frame) {
    mlc_rt_parallel(
        frame, 2,
        [](void *, int64_t begin, int64_t) {
          if (begin != 0)
            return;
          stage = 1;
          while (stage == 1)
            std::this_thread::yield();
        },
        nullptr);
    const int64_t one = 1;
    mlc_rt_output(frame, 0, &one);
  };
  // y is the number of parts that a region of 100 is cut into.
  FakeModel::Parts counting = same({1});
  counting.run = [](mlc_frame *frame) {
    std::atomic<int> count = 0;
    mlc_rt_parallel(
        frame, 100, [](void *count, int64_t, int64_t) { ++*static_cast<std::atomic<int> *>(count); }, &count);
    const int64_t one = 1;
    *static_cast<float *>(mlc_rt_output(frame, 0, &one)) = float(count);
  };
  FakeModel waiting(parts), model(counting);
  uint32_t cpus, cores;
  mlc::rt::countProcessors(cpus, cores);
  const std::vector<float> x = {1};
  const std::vector<int64_t> extents = {1};
  TestSession first(waiting, withThreads(int32_t(cpus)));
  TestSession second(model, withThreads(int32_t(cpus) + 4));
  const auto partsOfSecond = [&] {
    std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
    REQUIRE(second.run({input(x, extents)}, outputs) == MLC_OK);
    return elements<float>(outputs[0])[0];
  };
  CHECK(partsOfSecond() == float(cpus + 4)); // alone, it gets what it asks for
  std::thread other([&] {
    std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
    if (first.run({input(x, extents)}, outputs) != MLC_OK)
      std::terminate();
  });
  while (stage == 0)
    std::this_thread::yield();
  CHECK(partsOfSecond() == 1);
  stage = 2;
  other.join();
  CHECK(partsOfSecond() == float(cpus + 4));
}

TEST_CASE("a thread bound to one processor does not bind its workers") {
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  if (CPU_COUNT(&before) < 2)
    return;
  CPU_ZERO(&one);
  int bound = 0;
  while (!CPU_ISSET(bound, &before))
    ++bound;
  CPU_SET(bound, &one);
  std::thread([&] {
    sched_setaffinity(0, sizeof one, &one);
    FakeModel model(twice());
    TestSession session(model, withThreads(2));
    for (int i = 0; i < 100; ++i)
      runTwice(session, 100, 1);
    CHECK(workersBecome(1));
    for (const std::string &affinity : workerAffinities())
      CHECK(affinity != std::to_string(bound));
  }).join();
}

#if !defined(MLC_TEST_UNDER_TSAN) // which does not follow forks of threaded programs
TEST_CASE("a child process has workers of its own") {
  FakeModel model(twice());
  TestSession session(model, withThreads(3));
  runTwice(session, 100, 1);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(20); // rather than hang
    runTwice(session, 100, 1);
    const bool twoWorkers = workersBecome(2);
    mlc_session *mine;
    if (mlc_session_create(model(), nullptr, &mine, nullptr) != MLC_OK)
      _exit(2);
    mlc_session_destroy(mine);
    _exit(twoWorkers ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  runTwice(session, 100, 1);
}
#endif
