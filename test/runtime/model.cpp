// What a model tells without a session.
#include "FakeModel.h"

using namespace test;

static FakeModel::Parts pooled() {
  FakeModel::Parts parts = twice();
  parts.symbols = {"N", "length"};
  parts.inputs.push_back({"text", {symbol(1)}, MLC_INT64});
  parts.outputs.push_back({"pooled", {symbol(0), MLC_EXTENT_UNKNOWN}});
  parts.outputs.push_back({"scalar", {}});
  parts.properties = {{"mlc.producer", "test"}, {"license", "none"}};
  return parts;
}

TEST_CASE("metadata is there to be read") {
  FakeModel model(pooled());
  const mlc_model_info &info = *model()->info;
  CHECK(model()->version == MLC_VERSION);
  CHECK(model()->size == sizeof(mlc_model));
  CHECK(std::string(info.name) == "fake");
  CHECK(std::string(mlc_find_property(&info, "license")) == "none");
  CHECK(mlc_find_property(&info, "none") == nullptr);
  CHECK(mlc_find_symbol(&info, "length") == 1);
  CHECK(mlc_find_symbol(&info, "Length") == -1);
  CHECK(mlc_find_port(info.inputs, info.input_count, "text") == 1);
  CHECK(mlc_find_port(info.outputs, info.output_count, "text") == -1);
  const int64_t extent = info.inputs[1].extents[0];
  REQUIRE(MLC_EXTENT_IS_SYMBOL(extent));
  CHECK(std::string(info.symbols[MLC_EXTENT_SYMBOL(extent)]) == "length");
  CHECK_FALSE(MLC_EXTENT_IS_SYMBOL(info.inputs[0].extents[1]));
  CHECK_FALSE(MLC_EXTENT_IS_SYMBOL(MLC_EXTENT_UNKNOWN));
}

TEST_CASE("every type has a name and a size") {
  CHECK(std::string(mlc_type_name(MLC_FLOAT32)) == "float32");
  CHECK(std::string(mlc_type_name(MLC_INT64)) == "int64");
  CHECK(std::string(mlc_type_name(MLC_BFLOAT16)) == "bfloat16");
  CHECK(std::string(mlc_type_name(MLC_FLOAT8E5M2FNUZ)) == "float8e5m2fnuz");
  CHECK(std::string(mlc_type_name(MLC_INT2)) == "int2");
  CHECK(std::string(mlc_type_name(27)) == "unknown");
  CHECK(std::string(mlc_type_name(-1)) == "unknown");
  CHECK(mlc_type_bits(MLC_FLOAT32) == 32);
  CHECK(mlc_type_bits(MLC_BOOL) == 8);
  CHECK(mlc_type_bits(MLC_COMPLEX128) == 128);
  CHECK(mlc_type_bits(MLC_BFLOAT16) == 16);
  CHECK(mlc_type_bits(MLC_FLOAT4E2M1) == 4);
  CHECK(mlc_type_bits(MLC_INT2) == 2);
  CHECK(mlc_type_bits(MLC_STRING) == 128);
  CHECK(mlc_type_bits(27) == 0);
  CHECK(mlc_type_bits(-1) == 0);
}

TEST_CASE("the size of the arena") {
  FakeModel model(pooled());
  mlc_error error;
  uint64_t bytes = 0;
  const int64_t dims[] = {5, 1};
  CHECK(mlc_query_memory(model(), dims, &bytes, &error) == MLC_OK);
  CHECK(bytes == 60);

  SECTION("dims must be there") {
    CHECK(mlc_query_memory(model(), nullptr, &bytes, &error) == MLC_INVALID_ARGUMENT);
    CHECK(std::string(error.text) == "dims is null: expects the values of the model's 2 symbolic dimensions");
  }
  SECTION("dims must not be negative") {
    const int64_t negative[] = {5, -1};
    CHECK(mlc_query_memory(model(), negative, &bytes, &error) == MLC_INVALID_ARGUMENT);
    CHECK(std::string(error.text) == "symbolic dimension 1 ('length') expects a value of 0 or more, got -1");
  }
  SECTION("the size must fit") {
    const int64_t huge[] = {INT64_MAX / 4, 1};
    CHECK(mlc_query_memory(model(), huge, &bytes, &error) == MLC_INVALID_ARGUMENT);
  }
  SECTION("null pointers") {
    CHECK(mlc_query_memory(model(), dims, nullptr, &error) == MLC_INVALID_ARGUMENT);
    CHECK(mlc_query_memory(nullptr, dims, &bytes, &error) == MLC_INVALID_ARGUMENT);
    CHECK(mlc_query_memory(model(), dims, &bytes, nullptr) == MLC_OK);
  }
}

TEST_CASE("extents of outputs, from the ports") {
  FakeModel model(pooled());
  mlc_error error;
  const int64_t dims[] = {5, 1};
  int64_t extents[2] = {};
  CHECK(mlc_query_output(model(), 0, dims, extents, &error) == MLC_OK);
  CHECK(extents[0] == 5);
  CHECK(extents[1] == 3);
  CHECK(mlc_query_output(model(), 1, dims, extents, &error) == MLC_OK);
  CHECK(extents[0] == 5);
  CHECK(extents[1] == MLC_EXTENT_UNKNOWN);
  CHECK(mlc_query_output(model(), 2, dims, nullptr, &error) == MLC_OK);
  CHECK(mlc_query_output(model(), 3, dims, extents, &error) == MLC_INVALID_ARGUMENT);
  CHECK(mlc_query_output(model(), 0, dims, nullptr, &error) == MLC_INVALID_ARGUMENT);
  CHECK(mlc_query_output(model(), 0, nullptr, extents, &error) == MLC_INVALID_ARGUMENT);
  CHECK(mlc_query_output(nullptr, 0, dims, extents, &error) == MLC_INVALID_ARGUMENT);
}

TEST_CASE("extents of outputs, from a formula") {
  FakeModel::Parts parts = pooled();
  parts.outputExtents = [](const int64_t *symbols, int64_t *extents) {
    extents[0] = symbols[0], extents[1] = 3, extents[2] = symbols[0], extents[3] = symbols[1] / 2;
  };
  FakeModel model(parts);
  const int64_t dims[] = {5, 9};
  int64_t extents[2] = {};
  CHECK(mlc_query_output(model(), 1, dims, extents, nullptr) == MLC_OK);
  CHECK(extents[0] == 5);
  CHECK(extents[1] == 4);
}
