// Maps: what is taken, what is refused, and what they share.
#include "FakeModel.h"
#include <string_view>

using namespace test;

namespace {

mlc_string view(std::string_view text) { return {text.data(), text.size()}; }

/// y = x, all maps from strings to floats.
FakeModel::Parts sameMaps(mlc_kind kind) {
  FakeModel::Parts parts;
  parts.inputs = {{"x", {}, MLC_FLOAT32, kind, false, true, MLC_STRING}};
  parts.outputs = {{"y", {}, MLC_FLOAT32, kind, false, true, MLC_STRING}};
  parts.run = [](mlc_frame *frame) { mlc_rt_output_sequence(0, static_cast<const mlc_sequence *>(frame->inputs[0])); };
  return parts;
}

struct Maps {
  explicit Maps(mlc_kind kind = MLC_SEQUENCE_OF_MAPS) : model(sameMaps(kind)) {}

  FakeModel model;
  TestSession session{model, withThreads(1)};
  std::vector<mlc_string> keys = {view("b"), view("a")};
  std::vector<float> values = {1, 2};
  const int64_t two = 2;
  std::vector<mlc_map> maps = {{{keys.data(), 32, &two, 1, MLC_STRING}, {values.data(), 8, &two, 1, MLC_FLOAT32}}};
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};

  mlc_status run() {
    const std::vector<int64_t> count = {int64_t(maps.size())};
    return session.run({input(maps, count, MLC_MAP_ITEM)}, outputs);
  }
  void checkRefused(const char *text) {
    CHECK(run() == MLC_INVALID_ARGUMENT);
    CHECK_THAT(session.text(), Catch::Contains(text));
  }
  static std::string keyOf(const mlc_map &map, size_t index) {
    const mlc_string &key = static_cast<const mlc_string *>(map.keys.data)[index];
    return {key.data, key.size};
  }
  static float valueOf(const mlc_map &map, size_t index) { return static_cast<const float *>(map.values.data)[index]; }
};

struct OneMap : Maps {
  OneMap() : Maps(MLC_MAP) {}
};

} // namespace

TEST_CASE_METHOD(Maps, "maps go in and come out, and outlive what they were made of") {
  const float zero = 0;
  const int64_t none = 0;
  maps.push_back({{nullptr, 0, &none, 1, MLC_STRING}, {&zero, 0, &none, 1, MLC_FLOAT32}});
  for (mlc_memory memory : {MLC_MEMORY_SESSION, MLC_MEMORY_HANDED_OVER}) {
    std::string text = "key";
    keys[0] = view(text);
    outputs = {request(memory)};
    REQUIRE(run() == MLC_OK);
    text = "yek";
    CHECK(outputs[0].type == MLC_MAP_ITEM);
    CHECK(outputs[0].bytes == 2 * sizeof(mlc_map));
    const auto y = elements<mlc_map>(outputs[0]);
    REQUIRE(y.size() == 2);
    CHECK(y[0].keys.type == MLC_STRING);
    CHECK(keyOf(y[0], 0) == "key");
    CHECK(keyOf(y[0], 1) == "a");
    CHECK(valueOf(y[0], 1) == 2);
    CHECK(y[1].keys.extents[0] == 0);
    if (memory == MLC_MEMORY_HANDED_OVER)
      mlc_release(model(), outputs[0].data);
  }
}

TEST_CASE_METHOD(Maps, "maps of one run can be the inputs of the next") {
  for (int i = 0; i < 4; ++i) {
    REQUIRE(run() == MLC_OK);
    maps = elements<mlc_map>(outputs[0]);
  }
  CHECK(keyOf(maps[0], 0) == "b");
  CHECK(valueOf(maps[0], 0) == 1);
}

TEST_CASE_METHOD(OneMap, "a map is an array of one without axes") {
  REQUIRE(session.run({input(maps, {}, MLC_MAP_ITEM)}, outputs) == MLC_OK);
  CHECK(outputs[0].rank == 0);
  const auto y = elements<mlc_map>(outputs[0]);
  REQUIRE(y.size() == 1);
  CHECK(valueOf(y[0], 0) == 1);
  checkRefused("input 'x' is a map: expects rank 0, got rank 1");
  maps[0].values.type = MLC_FLOAT64;
  CHECK(session.run({input(maps, {}, MLC_MAP_ITEM)}, outputs) == MLC_INVALID_ARGUMENT);
  CHECK_THAT(session.text(), Catch::Contains("input 'x': values: expects type float32, got float64"));
}

TEST_CASE_METHOD(Maps, "wrong maps are refused by their place") {
  maps.push_back(maps[0]);
  const int64_t three = 3, matrix[] = {1, 2};
  SECTION("key type") {
    maps[1].keys.type = MLC_INT64;
    checkRefused("input 'x': map 1, keys: expects type string, got int64");
  }
  SECTION("rank") {
    maps[1].keys.rank = 2;
    maps[1].keys.extents = matrix;
    checkRefused("input 'x': map 1, keys: expects 1 axes, got 2");
  }
  SECTION("fewer values than keys") {
    maps[0].values.extents = &three;
    checkRefused("input 'x': map 0, values: axis 0 expects extent 2, got 3");
  }
  SECTION("a key without bytes") {
    keys[1] = {nullptr, 4};
    checkRefused("input 'x': map 0, keys: string 1 has null data, but size 4");
  }
  SECTION("null") {
    maps[0].values.data = nullptr;
    checkRefused("input 'x': map 0, values: data is null, expects 8 bytes");
  }
  SECTION("elements that are no maps") {
    const std::vector<int64_t> count = {2};
    CHECK(session.run({input(maps, count, MLC_ITEM)}, outputs) == MLC_INVALID_ARGUMENT);
    CHECK_THAT(session.text(), Catch::Contains("expects elements MLC_MAP_ITEM, got type tensor"));
  }
  SECTION("fewer than it says") {
    const std::vector<int64_t> count = {3};
    CHECK(session.run({input(maps, count, MLC_MAP_ITEM)}, outputs) == MLC_INVALID_ARGUMENT);
    CHECK_THAT(session.text(), Catch::Contains("input 'x' of 3 maps needs as many mlc_map, got 128 bytes"));
  }
}

TEST_CASE("the maps of rows share their keys") {
  FakeModel::Parts parts;
  parts.outputs = {{"y", {}, MLC_FLOAT64, MLC_SEQUENCE_OF_MAPS, false, true, MLC_INT64}};
  parts.run = [](mlc_frame *) {
    const int64_t keys[] = {5, 6}, two = 2, shape[] = {3, 2};
    const double values[] = {1, 2, 3, 4, 5, 6};
    const mlc_sequence *pair = mlc_rt_sequence_insert(mlc_rt_sequence_empty(), 0, keys, &two, 1, MLC_INT64);
    mlc_rt_output_sequence(0, mlc_rt_sequence_of_maps(mlc_rt_sequence_insert(pair, 1, values, shape, 2, MLC_FLOAT64)));
  };
  FakeModel model(std::move(parts));
  TestSession session(model, withThreads(1));
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_HANDED_OVER)};
  REQUIRE(session.run({}, outputs) == MLC_OK);
  const auto y = elements<mlc_map>(outputs[0]);
  REQUIRE(y.size() == 3);
  CHECK(y[2].keys.data == y[0].keys.data);
  CHECK(static_cast<const int64_t *>(y[2].keys.data)[1] == 6);
  CHECK(static_cast<const double *>(y[2].values.data)[0] == 5);
  CHECK(y[2].values.extents[0] == 2);
  mlc_release(model(), outputs[0].data);
}
