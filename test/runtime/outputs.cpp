// Outputs of a run: who brings the memory, in which layout, and what is refused.
#include "FakeModel.h"

using namespace test;

namespace {
/// Runs of y[N, 3] = 2 * x[N, 3] with two rows.
struct Twice {
  FakeModel model{twice()};
  TestSession session{model, withThreads(1)};
  std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const std::vector<float> expected = {2, 4, 6, 8, 10, 12};
  std::vector<int64_t> extents = {2, 3};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};

  mlc_status run() { return session.run({input(x, extents)}, outputs); }
};
} // namespace

TEST_CASE_METHOD(Twice, "into the caller's memory") {
  std::vector<float> y(7, -1);
  outputs = {into(y)};
  REQUIRE(run() == MLC_OK);
  CHECK(outputs[0].data == y.data());
  CHECK(outputs[0].bytes == 28); // still the room
  CHECK(outputs[0].type == MLC_FLOAT32);
  CHECK(extentsOf(outputs[0]) == extents);
  CHECK(y == std::vector<float>{2, 4, 6, 8, 10, 12, -1});
}

TEST_CASE_METHOD(Twice, "into the session's memory") {
  REQUIRE(run() == MLC_OK);
  CHECK(elements<float>(outputs[0]) == expected);
  CHECK(outputs[0].bytes == 24);
  const void *first = outputs[0].data;
  REQUIRE(run() == MLC_OK);
  CHECK(outputs[0].data == first);
}

TEST_CASE_METHOD(Twice, "handed over") {
  outputs = {request(MLC_MEMORY_HANDED_OVER)};
  REQUIRE(run() == MLC_OK);
  const mlc_output kept = outputs[0];
  x[0] = 100;
  REQUIRE(run() == MLC_OK);
  CHECK(outputs[0].data != kept.data);
  CHECK(elements<float>(kept) == expected);
  CHECK(extentsOf(kept) == extents);
  mlc_release(model(), kept.data);
  mlc_release(model(), outputs[0].data);
  mlc_release(model(), nullptr);
}

TEST_CASE("what was handed over outlives the session") {
  FakeModel model(twice());
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_HANDED_OVER)};
  {
    TestSession session(model, withThreads(1));
    const std::vector<float> x = {1, 2, 3};
    REQUIRE(session.run({input(x, {1, 3})}, outputs) == MLC_OK);
  }
  CHECK(extentsOf(outputs[0]) == std::vector<int64_t>{1, 3});
  CHECK(elements<float>(outputs[0]) == std::vector<float>{2, 4, 6});
  mlc_release(model(), outputs[0].data);
}

TEST_CASE_METHOD(Twice, "strided memory of the caller") {
  std::vector<float> y(12, -1);
  const int64_t strides[] = {1, 4};
  outputs = {into(y)};
  outputs[0].strides = strides;
  REQUIRE(run() == MLC_OK);
  CHECK(y == std::vector<float>{2, 8, -1, -1, 4, 10, -1, -1, 6, 12, -1, -1});

  outputs[0].bytes = 4 * 9;
  CHECK(run() == MLC_BUFFER_TOO_SMALL);
  CHECK(session.text() == "output 'y' of shape [2, 3] needs 40 bytes, the buffer has 36");
  const int64_t far[] = {INT64_MAX, 1};
  outputs[0].strides = far;
  CHECK(run() == MLC_INVALID_ARGUMENT);
  CHECK(session.text() == "output 'y': strides reach further than can be addressed");
}

TEST_CASE_METHOD(Twice, "the caller's memory need not be aligned") {
  std::vector<char> bytes(25);
  outputs[0] = {};
  outputs[0].data = bytes.data() + 1;
  outputs[0].bytes = 24;
  REQUIRE(run() == MLC_OK);
  CHECK(memcmp(bytes.data() + 1, expected.data(), 24) == 0);
}

TEST_CASE_METHOD(Twice, "a buffer that is too small") {
  std::vector<float> y(5);
  outputs = {into(y)};
  CHECK(run() == MLC_BUFFER_TOO_SMALL);
  CHECK(session.text() == "output 'y' of shape [2, 3] needs 24 bytes, the buffer has 20");
  SECTION("the extents tell what would do") {
    REQUIRE(outputs[0].rank == 2);
    y.resize(size_t(outputs[0].extents[0] * outputs[0].extents[1]));
    outputs = {into(y)};
    CHECK(run() == MLC_OK);
    CHECK(y == expected);
  }
  SECTION("no buffer at all asks for the extents") {
    outputs[0] = {};
    CHECK(run() == MLC_BUFFER_TOO_SMALL);
    CHECK(extentsOf(outputs[0]) == extents);
  }
}

TEST_CASE("a size that only the run can tell") {
  FakeModel::Parts parts = same({symbol(0)});
  parts.outputs[0].extents = {MLC_EXTENT_UNKNOWN};
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {1, 2, 3};
  std::vector<float> y(2);
  std::vector<mlc_output> outputs = {into(y)};
  CHECK(session.run({input(x, {3})}, outputs) == MLC_BUFFER_TOO_SMALL);
  CHECK(session.text() == "output 'y' of shape [3] needs 12 bytes, the buffer has 8");
  CHECK(extentsOf(outputs[0]) == std::vector<int64_t>{3});
  outputs = {request(MLC_MEMORY_SESSION)};
  CHECK(session.run({input(x, {3})}, outputs) == MLC_OK);
  CHECK(elements<float>(outputs[0]) == x);
}

TEST_CASE_METHOD(Twice, "requests that make no sense") {
  SECTION("count") {
    outputs.clear();
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "expects 1 outputs ('y'), got 0");
    const mlc_input x0 = input(x, extents);
    CHECK(mlc_run(session, &x0, 1, nullptr, 1, nullptr) == MLC_INVALID_ARGUMENT);
  }
  SECTION("name") {
    outputs[0].name = "z";
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'z' does not exist; the model has 'y'");
  }
  SECTION("type") {
    outputs[0].type = MLC_INT64;
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'y' has type float32, the request says int64");
  }
  SECTION("memory") {
    outputs[0].memory = mlc_memory(3);
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'y': memory expects an mlc_memory, got 3");
  }
  SECTION("null with a size") {
    outputs[0] = {};
    outputs[0].bytes = 24;
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'y': data is null, but bytes is 24");
  }
  SECTION("strides of memory that is not the caller's") {
    const int64_t strides[] = {1, 2};
    outputs[0].strides = strides;
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'y': strides are for the caller's memory only");
  }
}

TEST_CASE("an output may lie where an input is") {
  // y[i] = x[5 - i]: written in place, its second half would be that of y.
  FakeModel::Parts parts = same({6});
  parts.run = [](mlc_frame *frame) {
    const auto *x = static_cast<const float *>(frame->inputs[0]);
    auto *y = static_cast<float *>(mlc_rt_output(frame, 0, frame->input_extents[0]));
    for (int i = 0; i < 6; ++i)
      y[i] = x[5 - i];
  };
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  std::vector<float> memory = {0, 0, 1, 2, 3, 4, 5, 6, 0, 0};
  const int64_t extents[] = {6};
  const mlc_input x = {nullptr, memory.data() + 2, 24, extents, nullptr, 1, MLC_FLOAT32, MLC_ON_HOST};
  const int64_t offset = GENERATE(-2, -1, 0, 1, 2);
  std::vector<mlc_output> outputs(1);
  outputs[0].data = memory.data() + 2 + offset;
  outputs[0].bytes = 24;
  REQUIRE(session.run({x}, outputs) == MLC_OK);
  CHECK(elements<float>(outputs[0]) == std::vector<float>{6, 5, 4, 3, 2, 1});
}

TEST_CASE_METHOD(Twice, "the session's memory may be the next run's input") {
  REQUIRE(run() == MLC_OK);
  for (int i = 0; i < 5; ++i) {
    const mlc_output before = outputs[0];
    const std::vector<float> values = elements<float>(before);
    const mlc_input again = {nullptr, before.data, before.bytes, before.extents,
                             nullptr, before.rank, before.type,  MLC_ON_HOST};
    REQUIRE(session.run({again}, outputs) == MLC_OK);
    CHECK(outputs[0].data != before.data);
    for (size_t j = 0; j < values.size(); ++j)
      CHECK(elements<float>(outputs[0])[j] == 2 * values[j]);
  }
}

/// first = x, second = -x
static FakeModel::Parts both() {
  FakeModel::Parts parts;
  parts.inputs = {{"x", {symbol(0)}}};
  parts.outputs = {{"first", {symbol(0)}}, {"second", {symbol(0)}}};
  parts.symbols = {"N"};
  parts.run = [](mlc_frame *frame) {
    const int64_t count = frame->input_extents[0][0];
    const auto *x = static_cast<const float *>(frame->inputs[0]);
    auto *second = static_cast<float *>(mlc_rt_output(frame, 1, &count));
    auto *first = static_cast<float *>(mlc_rt_output(frame, 0, &count));
    for (int64_t i = 0; i < count; ++i)
      first[i] = x[i], second[i] = -x[i];
  };
  return parts;
}

TEST_CASE("several outputs") {
  FakeModel model(both());
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {1, 2, 3};
  const std::vector<int64_t> extents = {3};
  const std::vector<mlc_input> inputs = {input(x, extents)};
  std::vector<float> room(6, 0);
  std::vector<mlc_output> outputs(2);
  outputs[0].data = room.data();
  outputs[0].bytes = 12;
  outputs[1].data = room.data() + 3;
  outputs[1].bytes = 12;

  SECTION("by place, side by side") {
    REQUIRE(session.run(inputs, outputs) == MLC_OK);
    CHECK(room == std::vector<float>{1, 2, 3, -1, -2, -3});
  }
  SECTION("by name") {
    outputs[0].name = "second";
    outputs[1].name = "first";
    REQUIRE(session.run(inputs, outputs) == MLC_OK);
    CHECK(room == std::vector<float>{-1, -2, -3, 1, 2, 3});
    outputs[1].name = "second";
    CHECK(session.run(inputs, outputs) == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'second' is asked for twice");
  }
  SECTION("interleaved") {
    const int64_t stride = 2;
    outputs[1].data = room.data() + 1;
    outputs[0].strides = outputs[1].strides = &stride;
    outputs[0].bytes = outputs[1].bytes = 20;
    REQUIRE(session.run(inputs, outputs) == MLC_OK);
    CHECK(room == std::vector<float>{1, -1, 2, -2, 3, -3});
  }
  SECTION("not in the same place") {
    outputs[1].data = room.data() + 2;
    CHECK(session.run(inputs, outputs) == MLC_INVALID_ARGUMENT);
    CHECK(session.text() == "output 'first' overlaps output 'second'");
  }
  SECTION("all handed over or none") {
    outputs[0] = request(MLC_MEMORY_HANDED_OVER);
    outputs[1] = request(MLC_MEMORY_HANDED_OVER);
    outputs[0].data = outputs[1].data = nullptr;
    REQUIRE(session.run(inputs, outputs) == MLC_OK);
    mlc_release(model(), outputs[0].data);
    mlc_release(model(), outputs[1].data);
  }
}

TEST_CASE("nothing is handed over by a run that fails") {
  FakeModel::Parts parts = both();
  parts.outputs[0].extents = {MLC_EXTENT_UNKNOWN};
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {1, 2, 3};
  std::vector<mlc_output> outputs = {{}, request(MLC_MEMORY_HANDED_OVER)};
  CHECK(session.run({input(x, {3})}, outputs) == MLC_BUFFER_TOO_SMALL); // after the other has been allocated
  CHECK(outputs[1].data == nullptr);                                    // leak checkers see the rest
}

TEST_CASE("extents that no output can have") {
  FakeModel::Parts parts = same({symbol(0)});
  parts.outputs[0].extents = {MLC_EXTENT_UNKNOWN};
  parts.run = [](mlc_frame *frame) {
    const int64_t extent = static_cast<const int64_t *>(frame->inputs[0])[0];
    mlc_rt_output(frame, 0, &extent);
  };
  parts.inputs[0].type = MLC_INT64;
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  for (mlc_memory memory : {MLC_MEMORY_CALLER, MLC_MEMORY_SESSION, MLC_MEMORY_HANDED_OVER}) {
    std::vector<mlc_output> outputs = {request(memory)};
    const std::vector<int64_t> negative = {-1}, huge = {int64_t(1) << 62}, large = {int64_t(1) << 56};
    CHECK(session.run({input(negative, {1}, MLC_INT64)}, outputs) == MLC_FAILED);
    CHECK(session.text() == "output 'y' of shape [-1] is too large to be addressed");
    CHECK(session.run({input(huge, {1}, MLC_INT64)}, outputs) == MLC_FAILED);
    const mlc_status expected = memory == MLC_MEMORY_CALLER ? MLC_BUFFER_TOO_SMALL : MLC_OUT_OF_MEMORY;
    CHECK(session.run({input(large, {1}, MLC_INT64)}, outputs) == expected);
  }
}

TEST_CASE("a model that forgets an output") {
  FakeModel::Parts parts = same({2});
  parts.run = [](mlc_frame *) {};
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {1, 2};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  CHECK(session.run({input(x, {2})}, outputs) == MLC_FAILED);
  CHECK(session.text() == "output 'y' was not computed: the model's code is damaged");
}
