// Inputs of a run: by place and by name, in any layout, and every way in which they can be wrong.
#include "FakeModel.h"

using namespace test;

/// y[N, M] = a[N, M] + b[N, 2], where only the first column of b counts.
static FakeModel::Parts sum() {
  FakeModel::Parts parts;
  parts.inputs = {{"a", {symbol(0), symbol(1)}}, {"b", {symbol(0), 2}}};
  parts.outputs = {{"y", {symbol(0), symbol(1)}}};
  parts.symbols = {"N", "M"};
  parts.run = [](mlc_frame *frame) {
    const int64_t rows = frame->input_extents[0][0], columns = frame->input_extents[0][1];
    const auto *a = static_cast<const float *>(frame->inputs[0]), *b = static_cast<const float *>(frame->inputs[1]);
    auto *y = static_cast<float *>(mlc_rt_output(frame, 0, frame->input_extents[0]));
    for (int64_t i = 0; i < rows * columns; ++i)
      y[i] = a[i] + b[i / columns * 2];
  };
  return parts;
}

namespace {
/// A run of sum() that works, for tests to break in one place.
struct Sum {
  FakeModel model{sum()};
  TestSession session{model, withThreads(1)};
  std::vector<float> a = {1, 2, 3, 4, 5, 6}, b = {10, 0, 20, 0};
  std::vector<int64_t> aExtents = {2, 3}, bExtents = {2, 2};
  std::vector<mlc_input> inputs = {input(a, aExtents), input(b, bExtents)};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};

  std::string refusal(mlc_status expected = MLC_INVALID_ARGUMENT) {
    CHECK(session.run(inputs, outputs) == expected);
    return session.text();
  }
  void works() {
    const mlc_status status = session.run(inputs, outputs);
    INFO(session.text());
    REQUIRE(status == MLC_OK);
    CHECK(session.text() == "");
    CHECK(extentsOf(outputs[0]) == std::vector<int64_t>{2, 3});
    CHECK(outputs[0].type == MLC_FLOAT32);
    CHECK(elements<float>(outputs[0]) == std::vector<float>{11, 12, 13, 24, 25, 26});
  }
};
} // namespace

TEST_CASE_METHOD(Sum, "inputs by place and by name") {
  works();
  inputs[0].name = "a";
  works();
  std::swap(inputs[0], inputs[1]);
  inputs[0].name = "b";
  works();
}

TEST_CASE_METHOD(Sum, "wrong names and counts") {
  inputs[1].name = "c";
  CHECK(refusal() == "input 'c' does not exist; the model has 'a', 'b'");
  inputs[1].name = "a";
  CHECK(refusal() == "input 'a' is given twice");
  inputs.pop_back();
  CHECK(refusal() == "expects 2 inputs ('a', 'b'), got 1");
  inputs.clear();
  CHECK(refusal() == "expects 2 inputs ('a', 'b'), got 0");
  CHECK(mlc_run(session, nullptr, 2, outputs.data(), 1, nullptr) == MLC_INVALID_ARGUMENT);
  CHECK(mlc_run(nullptr, nullptr, 2, outputs.data(), 1, nullptr) == MLC_INVALID_ARGUMENT);
}

TEST_CASE_METHOD(Sum, "a wrong type") {
  inputs[0].type = MLC_FLOAT64;
  CHECK(refusal() == "input 'a' expects type float32, got float64");
  inputs[0].type = 77;
  CHECK(refusal() == "input 'a' expects type float32, got unknown");
}

TEST_CASE_METHOD(Sum, "a wrong rank") {
  inputs[0].rank = 1;
  CHECK(refusal() == "input 'a' expects 2 axes, [N, M], got 1");
  inputs[0].rank = -1;
  CHECK(refusal() == "input 'a' expects 2 axes, [N, M], got -1");
}

TEST_CASE_METHOD(Sum, "wrong extents") {
  SECTION("against a fixed one") {
    bExtents[1] = 1;
    CHECK(refusal() == "input 'b': axis 1 expects extent 2, got 1 (expects [N, 2], got [2, 1])");
  }
  SECTION("against another input's") {
    bExtents[0] = 1;
    CHECK(refusal() == "input 'b': axis 0 is dimension 'N', which is 2 elsewhere among the inputs, got 1 (expects [N, "
                       "2], got [1, 2])");
  }
  SECTION("negative") {
    aExtents[1] = -3;
    CHECK(refusal() == "input 'a': axis 1 has the negative extent -3");
  }
  SECTION("the mark of unknown extents") {
    aExtents[1] = MLC_EXTENT_UNKNOWN;
    refusal();
  }
  SECTION("null") {
    inputs[1].extents = nullptr;
    CHECK(refusal() == "input 'b': extents is null, expects 2 values");
  }
  SECTION("too large to be addressed") {
    aExtents[1] = int64_t(1) << 62;
    inputs[0].bytes = 0;
    CHECK(refusal() == "input 'a' of shape [2, 4611686018427387904] is too large to be addressed");
  }
  SECTION("too large, although there are no elements") {
    aExtents[0] = bExtents[0] = 0;
    aExtents[1] = int64_t(1) << 62;
    refusal();
  }
}

TEST_CASE_METHOD(Sum, "too little memory behind an input") {
  inputs[0].bytes = 23;
  CHECK(refusal() == "input 'a' of shape [2, 3] needs 24 bytes, got 23");
  inputs[0].bytes = 0; // not said
  works();
  inputs[0].data = nullptr;
  CHECK(refusal() == "input 'a': data is null, expects 24 bytes");
}

TEST_CASE_METHOD(Sum, "no elements need no memory") {
  aExtents[0] = bExtents[0] = 0;
  inputs[0].data = inputs[1].data = nullptr;
  REQUIRE(session.run(inputs, outputs) == MLC_OK);
  CHECK(extentsOf(outputs[0]) == std::vector<int64_t>{0, 3});
  CHECK(outputs[0].bytes == 0);
}

TEST_CASE_METHOD(Sum, "strided inputs") {
  SECTION("transposed") {
    a = {1, 4, 2, 5, 3, 6};
    const int64_t strides[] = {1, 2};
    inputs[0].strides = strides;
    works();
  }
  SECTION("every other column of a larger tensor, backwards") {
    a = {0, 3, 0, 2, 0, 1, 0, 6, 0, 5, 0, 4};
    const int64_t strides[] = {6, -2};
    inputs[0].data = a.data() + 5;
    inputs[0].bytes = 7 * sizeof(float);
    inputs[0].strides = strides;
    works();
    inputs[0].bytes -= 1;
    CHECK(refusal() == "input 'a' of shape [2, 3] needs 28 bytes, got 27");
  }
  SECTION("broadcast") {
    a = {1, 2, 3};
    b = {10, 0};
    const int64_t strides[] = {0, 1};
    inputs = {input(a, aExtents), input(b, bExtents)};
    inputs[0].strides = inputs[1].strides = strides;
    REQUIRE(session.run(inputs, outputs) == MLC_OK);
    CHECK(elements<float>(outputs[0]) == std::vector<float>{11, 12, 13, 11, 12, 13});
  }
  SECTION("that only say what is so already are read in place") {
    const int64_t strides[] = {3, 1};
    inputs[0].strides = strides;
    works();
  }
  SECTION("beyond all memory") {
    const int64_t strides[] = {INT64_MAX, 1};
    inputs[0].strides = strides;
    CHECK(refusal() == "input 'a': strides reach further than can be addressed");
  }
}

TEST_CASE_METHOD(Sum, "an input need not be aligned") {
  std::vector<char> bytes(6 * sizeof(float) + 1);
  memcpy(bytes.data() + 1, a.data(), 6 * sizeof(float));
  inputs[0].data = bytes.data() + 1;
  works();
}

TEST_CASE_METHOD(Sum, "a session works on after an error") {
  inputs[1].name = "c";
  refusal();
  inputs[1].name = nullptr;
  works();
  aExtents[1] = 4;
  refusal();
  aExtents[1] = 3;
  works();
}

TEST_CASE("packed elements") {
  FakeModel model(same({symbol(0)}, MLC_INT4));
  TestSession session(model, withThreads(1));
  const std::vector<uint8_t> x = {0x21, 0x43, 0x05};
  const std::vector<int64_t> extents = {5};
  std::vector<mlc_input> inputs = {input(x, extents, MLC_INT4)};
  std::vector<uint8_t> y(3);
  std::vector<mlc_output> outputs = {into(y)};
  REQUIRE(session.run(inputs, outputs) == MLC_OK);
  CHECK(y == x);

  int64_t stride = 2;
  inputs[0].strides = &stride;
  CHECK(session.run(inputs, outputs) == MLC_INVALID_ARGUMENT);
  inputs[0].strides = nullptr;
  stride = 1;
  outputs[0].strides = &stride;
  CHECK(session.run(inputs, outputs) == MLC_INVALID_ARGUMENT);
  CHECK(session.text() == "output 'y': packed elements of type int4 cannot have strides");
}

TEST_CASE("elements of every size") {
  const auto [type, size] = GENERATE(table<mlc_type, int>(
      {{MLC_BOOL, 1}, {MLC_FLOAT16, 2}, {MLC_INT32, 4}, {MLC_COMPLEX64, 8}, {MLC_COMPLEX128, 16}}));
  FakeModel model(same({2, 3}, type));
  TestSession session(model, withThreads(1));
  std::vector<uint8_t> x(size_t(6 * size)), y(x.size()), transposed(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = uint8_t(i);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      memcpy(&transposed[size_t((j * 2 + i) * size)], &x[size_t((i * 3 + j) * size)], size_t(size));
  const std::vector<int64_t> extents = {2, 3};
  const int64_t strides[] = {1, 2};
  std::vector<mlc_input> inputs = {input(transposed, extents, type)};
  std::vector<mlc_output> outputs = {into(y)};
  inputs[0].strides = strides;
  REQUIRE(session.run(inputs, outputs) == MLC_OK);
  CHECK(y == x);
  outputs[0].strides = strides;
  REQUIRE(session.run(inputs, outputs) == MLC_OK);
  CHECK(y == transposed);
}

TEST_CASE("types that cannot be passed") {
  FakeModel model(same({2}, MLC_UNDEFINED));
  TestSession session(model, withThreads(1));
  const std::vector<int64_t> x = {0, 0}, extents = {2};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  CHECK(session.run({input(x, extents, MLC_UNDEFINED)}, outputs) == MLC_UNSUPPORTED);
  CHECK(session.text() == "input 'x': tensors of type undefined cannot be passed");
}

TEST_CASE("an extent that is unknown can be anything") {
  FakeModel model(same({MLC_EXTENT_UNKNOWN, 2}));
  TestSession session(model, withThreads(1));
  const std::vector<float> x = {1, 2, 3, 4};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  REQUIRE(session.run({input(x, {2, 2})}, outputs) == MLC_OK);
  CHECK(elements<float>(outputs[0]) == x);
}

TEST_CASE("scalars have no extents") {
  FakeModel model(same({}));
  TestSession session(model, withThreads(1));
  const float x = 3;
  float y = 0;
  std::vector<mlc_output> outputs(1);
  outputs[0].data = &y;
  outputs[0].bytes = sizeof y;
  REQUIRE(session.run({{nullptr, &x, sizeof x, nullptr, nullptr, 0, MLC_FLOAT32, MLC_ON_HOST}}, outputs) == MLC_OK);
  CHECK(y == 3);
  CHECK(outputs[0].rank == 0);
}

TEST_CASE("a model may have no inputs") {
  FakeModel::Parts parts;
  parts.outputs = {{"y", {2}, MLC_INT64}};
  parts.run = [](mlc_frame *frame) {
    const int64_t extents[] = {2};
    auto *y = static_cast<int64_t *>(mlc_rt_output(frame, 0, extents));
    y[0] = 7, y[1] = 8;
  };
  FakeModel model(parts);
  TestSession session(model, withThreads(1));
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  REQUIRE(session.run({}, outputs) == MLC_OK);
  CHECK(elements<int64_t>(outputs[0]) == std::vector<int64_t>{7, 8});
}
