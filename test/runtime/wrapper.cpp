// The C++ classes over the C interface.
#include "FakeModel.h"
#include "mlc/mlc.hpp"
#include <array>

using namespace test;

static const mlc_model *twiceEntry(uint32_t version) {
  static FakeModel model(twice());
  return version == MLC_VERSION ? model() : nullptr;
}

TEST_CASE("a linked model") {
  mlc::Model model(twiceEntry);
  CHECK(model.name() == "fake");
  CHECK(model.inputs().size() == 1);
  CHECK(std::string(model.outputs()[0].name) == "y");
  CHECK(std::string(model.symbols()[0]) == "N");
  CHECK_FALSE(model.property("mlc.hash"));
  CHECK(model.memory(std::array<int64_t, 1>{4}) == 48);
  CHECK(model.outputShape(0, std::array<int64_t, 1>{4}) == std::vector<int64_t>{4, 3});
  CHECK_THROWS_AS(model.memory(), mlc::Error);
  CHECK_THROWS_AS(model.outputShape(1, std::array<int64_t, 1>{4}), mlc::Error);
}

TEST_CASE("runs return tensors") {
  mlc::Session session(mlc::Model(twiceEntry), {.threads = 2});
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  std::vector<mlc::Tensor> outputs = session.run({mlc::Input(x, {2, 3})});
  REQUIRE(outputs.size() == 1);
  CHECK(outputs[0].type() == MLC_FLOAT32);
  CHECK(std::vector<int64_t>(outputs[0].shape().begin(), outputs[0].shape().end()) == std::vector<int64_t>{2, 3});
  const auto data = outputs[0].data<float>();
  CHECK(std::vector<float>(data.begin(), data.end()) == std::vector<float>{2, 4, 6, 8, 10, 12});
  CHECK(outputs[0].bytes().size() == 24);
  CHECK_THROWS_WITH(outputs[0].data<int>(), "expects elements of type int32, got float32");

  mlc::Tensor moved = std::move(outputs[0]);
  outputs.clear();
  CHECK(moved.data<float>()[5] == 12);
  moved = std::move(session.run({mlc::Input(std::span(x).first(3), {1, 3})}).front());
  CHECK(moved.data<float>().size() == 3);
}

TEST_CASE("runs write the caller's memory, and lend their own") {
  mlc::Session session{mlc::Model(twiceEntry)};
  const float x[] = {1, 2, 3};
  std::array<float, 3> y = {};
  mlc_output output = mlc::into(y);
  session.run({mlc::Input(x, {1, 3}).named("x")}, std::span(&output, 1));
  CHECK(y == std::array<float, 3>{2, 4, 6});
  output = mlc::borrowed();
  session.run({mlc::Input(x, {3, 3}, {0, 1})}, std::span(&output, 1));
  CHECK(mlc::elementsOf<float>(output).size() == 9);
  CHECK(mlc::elementsOf<float>(output)[8] == 6);
}

static const mlc_model *mapsEntry(uint32_t) {
  static FakeModel model([] {
    FakeModel::Parts parts;
    parts.inputs = {{"x", {}, MLC_FLOAT32, MLC_MAP, false, true, MLC_INT64}};
    parts.outputs = {{"y", {}, MLC_FLOAT32, MLC_MAP, false, true, MLC_INT64}};
    parts.run = [](mlc_frame *frame) {
      mlc_rt_output_sequence(0, static_cast<const mlc_sequence *>(frame->inputs[0]));
    };
    return parts;
  }());
  return model();
}

TEST_CASE("maps are keys and values") {
  mlc::Session session{mlc::Model(mapsEntry)};
  const std::array<int64_t, 2> keys = {7, 9};
  const std::array<float, 2> values = {0.5, 2};
  const int64_t length = 2;
  const mlc_map map = mlc::mapOf(keys, values, length);
  std::vector<mlc::Tensor> outputs = session.run({mlc::Input(std::span(&map, 1), {})});
  const auto maps = outputs[0].data<mlc_map>();
  REQUIRE(maps.size() == 1);
  CHECK(mlc::elementsOf<int64_t>(maps[0].keys)[1] == 9);
  CHECK(mlc::elementsOf<float>(maps[0].values)[0] == 0.5F);
}

TEST_CASE("errors are exceptions") {
  mlc::Session session{mlc::Model(twiceEntry)};
  const std::vector<float> x = {1, 2, 3};
  try {
    session.run({mlc::Input(x, {1, 4})});
    FAIL("expected an error");
  } catch (const mlc::Error &error) {
    CHECK(error.status() == MLC_INVALID_ARGUMENT);
    CHECK(std::string(error.what()) == "input 'x': axis 1 expects extent 3, got 4 (expects [N, 3], got [1, 4])");
  }
  CHECK_THROWS_AS(session.run({mlc::Input(x, {2, 3})}), mlc::Error); // more than the vector holds
  CHECK_THROWS_AS(session.run({}), mlc::Error);
  CHECK_THROWS_AS(mlc::Input(x, {1, 3}, {1}), mlc::Error);
  CHECK_THROWS_AS(mlc::Session(mlc::Model(twiceEntry), {.threads = -1}), mlc::Error);
  CHECK_THROWS_AS(mlc::Model([](uint32_t) -> const mlc_model * { return nullptr; }), mlc::Error);
  CHECK_THROWS_AS(mlc::Model::open("./there-is-no-such-model.so"), mlc::Error);
}

TEST_CASE("sessions move") {
  mlc::Session first{mlc::Model(twiceEntry)};
  mlc_session *handle = first.handle();
  mlc::Session second = std::move(first);
  CHECK(second.handle() == handle);
  CHECK(first.handle() == nullptr);
  first = std::move(second);
  CHECK(first.handle() == handle);
  CHECK(first.kernelTimes().empty());
}
