// Strings, sequences and optionals: what is taken, what is refused, and whose memory it is.
#include "FakeModel.h"
#include <string_view>

using namespace test;

namespace {

mlc_string view(std::string_view text) { return {text.data(), text.size()}; }
std::string textOf(const mlc_string &string) { return std::string(string.data, string.size); }

/// y = x + x for strings, element by element.
FakeModel::Parts doubled() {
  FakeModel::Parts parts = same({symbol(0)}, MLC_STRING);
  parts.run = [](mlc_frame *frame) {
    const auto *x = static_cast<const mlc_string *>(frame->inputs[0]);
    auto *y = static_cast<mlc_string *>(mlc_rt_output(frame, 0, frame->input_extents[0]));
    for (int64_t i = 0; i < frame->input_extents[0][0]; ++i)
      y[i] = mlc_rt_string_concat(x[i], x[i]);
  };
  return parts;
}

struct Strings {
  FakeModel model{doubled()};
  TestSession session{model, withThreads(1)};
  std::vector<mlc_string> x = {view("ab"), view(""), view("\xC3\xA4")};
  std::vector<int64_t> extents = {3};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};

  mlc_status run() { return session.run({input(x, extents, MLC_STRING)}, outputs); }
  std::vector<std::string> results() const {
    std::vector<std::string> list;
    for (const mlc_string &string : elements<mlc_string>(outputs[0]))
      list.push_back(textOf(string));
    return list;
  }
  const std::vector<std::string> expected = {"abab", "", "\xC3\xA4\xC3\xA4"};
};

} // namespace

TEST_CASE_METHOD(Strings, "strings in the session's memory outlive the caller's inputs") {
  std::string text = "ab";
  x[0] = view(text);
  REQUIRE(run() == MLC_OK);
  text = "xy";
  CHECK(results() == expected);
}

TEST_CASE_METHOD(Strings, "strings of one run can be the inputs of the next") {
  REQUIRE(run() == MLC_OK);
  for (size_t length = 8; length <= 4096; length *= 2) {
    x = elements<mlc_string>(outputs[0]);
    REQUIRE(run() == MLC_OK);
    REQUIRE(results()[0].size() == length);
  }
  CHECK(results()[0].substr(0, 4) == "abab");
}

TEST_CASE_METHOD(Strings, "strings that are handed over outlive the session's next run") {
  outputs = {request(MLC_MEMORY_HANDED_OVER)};
  REQUIRE(run() == MLC_OK);
  const mlc_output kept = outputs[0];
  x = {view("other"), view("text"), view("here")};
  REQUIRE(run() == MLC_OK);
  mlc_release(model(), outputs[0].data);
  outputs[0] = kept;
  CHECK(results() == expected);
  CHECK(extentsOf(kept) == extents);
  mlc_release(model(), kept.data);
}

TEST_CASE_METHOD(Strings, "strings in the caller's memory") {
  std::vector<mlc_string> room(4, view("untouched"));
  outputs = {into(room)};
  REQUIRE(run() == MLC_OK);
  CHECK(textOf(room[0]) == "abab");
  CHECK(textOf(room[3]) == "untouched");
}

TEST_CASE_METHOD(Strings, "a string without bytes is refused") {
  x[2] = {nullptr, 5};
  CHECK(run() == MLC_INVALID_ARGUMENT);
  CHECK_THAT(session.text(), Catch::Contains("input 'x': string 2 has null data, but size 5"));
  x[2] = {nullptr, 0};
  CHECK(run() == MLC_OK);
}

TEST_CASE_METHOD(Strings, "fewer bytes than strings are refused") {
  mlc_input given = input(x, extents, MLC_STRING);
  given.bytes = 40;
  CHECK(session.run({given}, outputs) == MLC_INVALID_ARGUMENT);
  CHECK_THAT(session.text(), Catch::Contains("needs 48 bytes, got 40"));
}

//===-- Sequences ------------------------------------------------------------------===//

namespace {

/// y = x with its first tensor once more at the end; z is that tensor, or absent.
FakeModel::Parts withFirstAgain(mlc_type type = MLC_FLOAT32) {
  FakeModel::Parts parts;
  parts.inputs = {{"x", {2}, type, MLC_SEQUENCE}};
  parts.outputs = {{"y", {2}, type, MLC_SEQUENCE}, {"z", {2}, type, MLC_TENSOR, true}};
  parts.run = [](mlc_frame *frame) {
    const auto *x = static_cast<const mlc_sequence *>(frame->inputs[0]);
    const int64_t type = static_cast<mlc::rt::Frame *>(frame)->session->data->info.inputs[0].type;
    const int64_t count = mlc_rt_sequence_length(x), two = 2;
    const mlc_sequence *y = x, *z = mlc_rt_sequence_absent();
    if (count) {
      y = mlc_rt_sequence_insert(x, count, mlc_rt_sequence_data(x, 0), &two, 1, type);
      z = mlc_rt_sequence_insert(mlc_rt_sequence_empty(), 0, mlc_rt_sequence_data(x, 0), &two, 1, type);
    }
    mlc_rt_output_sequence(0, y);
    mlc_rt_output_sequence(1, z);
  };
  return parts;
}

struct Sequences {
  FakeModel model{withFirstAgain()};
  TestSession session{model, withThreads(1)};
  std::vector<float> a = {1, 2}, b = {3, 4};
  const int64_t two = 2;
  std::vector<mlc_tensor> items = {{a.data(), 8, &two, 1, MLC_FLOAT32}, {b.data(), 8, &two, 1, MLC_FLOAT32}};
  std::vector<mlc_output> outputs = std::vector(2, request(MLC_MEMORY_SESSION));

  mlc_status run() {
    const std::vector<int64_t> count = {int64_t(items.size())};
    return session.run({input(items, count, MLC_ITEM)}, outputs);
  }
  void checkRefused(const char *text) {
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK_THAT(session.text(), Catch::Contains(text));
  }
  static std::vector<float> floats(const mlc_tensor &item) {
    std::vector<float> values(item.bytes / sizeof(float));
    memcpy(values.data(), item.data, item.bytes);
    return values;
  }
};

} // namespace

TEST_CASE_METHOD(Sequences, "a sequence goes in and comes out") {
  for (mlc_memory memory : {MLC_MEMORY_SESSION, MLC_MEMORY_HANDED_OVER}) {
    outputs = std::vector(2, request(memory));
    REQUIRE(run() == MLC_OK);
    const auto y = elements<mlc_tensor>(outputs[0]);
    REQUIRE(y.size() == 3);
    CHECK(floats(y[1]) == b);
    CHECK(floats(y[2]) == a);
    CHECK(y[2].rank == 1);
    CHECK(y[2].extents[0] == 2);
    CHECK(elements<float>(outputs[1]) == a);
    CHECK(outputs[1].rank == 1);
    if (memory == MLC_MEMORY_HANDED_OVER)
      for (const mlc_output &output : outputs)
        mlc_release(model(), output.data);
  }
}

TEST_CASE_METHOD(Sequences, "a sequence of one run can be the input of the next") {
  REQUIRE(run() == MLC_OK);
  items = elements<mlc_tensor>(outputs[0]);
  REQUIRE(run() == MLC_OK);
  const auto y = elements<mlc_tensor>(outputs[0]);
  REQUIRE(y.size() == 4);
  CHECK(floats(y[1]) == b);
  CHECK(floats(y[3]) == a);
}

TEST_CASE_METHOD(Sequences, "an empty sequence, and an output that is absent") {
  items.clear();
  REQUIRE(run() == MLC_OK);
  CHECK(extentsOf(outputs[0]) == std::vector<int64_t>{0});
  CHECK(outputs[1].rank == MLC_ABSENT);
  CHECK(outputs[1].data == nullptr);
}

TEST_CASE_METHOD(Sequences, "elements at any address") {
  std::vector<char> bytes(9);
  memcpy(bytes.data() + 1, b.data(), 8);
  items[0].data = bytes.data() + 1;
  REQUIRE(run() == MLC_OK);
  CHECK(elements<float>(outputs[1]) == b);
}

TEST_CASE_METHOD(Sequences, "wrong tensors are refused by their place") {
  const int64_t three = 3, negative = -1;
  SECTION("type") {
    items[1].type = MLC_INT32;
    checkRefused("input 'x': tensor 1: expects type float32, got int32");
  }
  SECTION("rank") {
    items[1].rank = 0;
    checkRefused("input 'x': tensor 1: expects 1 axes, got 0");
  }
  SECTION("extent") {
    items[0].extents = &three;
    checkRefused("input 'x': tensor 0: axis 0 expects extent 2, got 3");
  }
  SECTION("negative extent") {
    items[0].extents = &negative;
    checkRefused("input 'x': tensor 0: axis 0 expects extent 2, got -1");
  }
  SECTION("null extents") {
    items[0].extents = nullptr;
    checkRefused("input 'x': tensor 0: extents is null");
  }
  SECTION("null data") {
    items[0].data = nullptr;
    checkRefused("input 'x': tensor 0: data is null, expects 8 bytes");
  }
  SECTION("size") {
    items[1].bytes = 4;
    checkRefused("input 'x': tensor 1: shape [2] needs 8 bytes, got 4");
  }
}

TEST_CASE_METHOD(Sequences, "wrong sequences are refused") {
  const std::vector<int64_t> count = {2}, tooMany = {3}, negative = {-1};
  mlc_input given = input(items, count, MLC_ITEM);
  auto refused = [&](const char *text) {
    CHECK(session.run({given}, outputs) == MLC_INVALID_ARGUMENT);
    CHECK_THAT(session.text(), Catch::Contains(text));
  };
  SECTION("a tensor in its place") {
    given.rank = 2;
    refused("input 'x' is a sequence: expects rank 1 and the number of its tensors as extent, got rank 2");
  }
  SECTION("type") {
    given.type = MLC_FLOAT32;
    refused("input 'x' is a sequence: expects elements MLC_ITEM, got type float32");
  }
  SECTION("more than there are") {
    given.extents = tooMany.data();
    refused("input 'x' of 3 tensors needs as many mlc_tensor, got 64 bytes");
  }
  SECTION("a negative number") {
    given.extents = negative.data();
    refused("input 'x' is a sequence");
  }
  SECTION("absent, though not optional") {
    given.rank = MLC_ABSENT;
    refused("got rank -1");
  }
  SECTION("null") {
    given.data = nullptr;
    refused("input 'x': data is null, expects 2 tensors");
  }
}

TEST_CASE_METHOD(Sequences, "a sequence does not fit into the caller's memory") {
  std::vector<mlc_tensor> room(3);
  outputs[0] = into(room);
  CHECK(run() == MLC_UNSUPPORTED);
  CHECK_THAT(session.text(), Catch::Contains("MLC_MEMORY_SESSION or MLC_MEMORY_HANDED_OVER"));
}

TEST_CASE("tensors of 4 bits in a sequence are packed outside") {
  FakeModel::Parts parts = withFirstAgain(MLC_INT4);
  FakeModel model(std::move(parts));
  TestSession session(model, withThreads(1));
  const uint8_t packed = 0x7F; // -1, 7
  const int64_t two = 2;
  const std::vector<mlc_tensor> items = {{&packed, 1, &two, 1, MLC_INT4}};
  const std::vector<int64_t> one = {1};
  std::vector<mlc_output> outputs(2, request(MLC_MEMORY_SESSION));
  REQUIRE(session.run({input(items, one, MLC_ITEM)}, outputs) == MLC_OK);
  const auto y = elements<mlc_tensor>(outputs[0]);
  CHECK(y[1].bytes == 1);
  CHECK(*static_cast<const uint8_t *>(y[1].data) == packed);
}

TEST_CASE("sequences share what they can and never change") {
  FakeModel::Parts parts;
  parts.outputs = {{"y", {}, MLC_FLOAT32, MLC_SEQUENCE}};
  parts.run = [](mlc_frame *) {
    auto add = [](const mlc_sequence *to, int64_t position, float value) {
      return mlc_rt_sequence_insert(to, position, &value, nullptr, 0, MLC_FLOAT32);
    };
    const mlc_sequence *sequence = mlc_rt_sequence_empty();
    for (int i = 0; i < 100; ++i)
      sequence = add(sequence, i, float(i));
    const mlc_sequence *one = add(sequence, 100, 1), *other = add(sequence, 100, 2), *front = add(one, 0, 3);
    const mlc_sequence *erased = mlc_rt_sequence_erase(front, 1);
    auto at = [](const mlc_sequence *from, int64_t position) {
      return *static_cast<const float *>(mlc_rt_sequence_data(from, position));
    };
    const mlc_sequence *result = mlc_rt_sequence_empty();
    for (float value : {float(mlc_rt_sequence_length(sequence)), at(one, 100), at(other, 100), at(front, 0),
                        at(front, 1), at(erased, 1), at(sequence, 99), float(mlc_rt_sequence_length(erased))})
      result = add(result, mlc_rt_sequence_length(result), value);
    mlc_rt_output_sequence(0, result);
  };
  FakeModel model(std::move(parts));
  TestSession session(model, withThreads(1));
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  REQUIRE(session.run({}, outputs) == MLC_OK);
  std::vector<float> values;
  for (const mlc_tensor &item : elements<mlc_tensor>(outputs[0]))
    values.push_back(*static_cast<const float *>(item.data));
  CHECK(values == std::vector<float>{100, 1, 2, 3, 0, 1, 99, 101});
}
