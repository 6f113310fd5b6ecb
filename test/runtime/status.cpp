// Texts of errors: bounded, on one line, cut between characters.
#include "core/Status.h"
#include <catch2/catch.hpp>
#include <string>

using namespace mlc::rt;

static std::string withValues(const char *format, std::vector<int64_t> values) {
  mlc_error error;
  CHECK(refuseWithValues(&error, MLC_FAILED, format, values.data(), int32_t(values.size())) == MLC_FAILED);
  CHECK(error.status == MLC_FAILED);
  return error.text;
}

TEST_CASE("values go where the text says") {
  CHECK(withValues("index %0 is not in 0..%1", {-7, 9}) == "index -7 is not in 0..9");
  CHECK(withValues("%1%0%1", {1, 2}) == "212");
  CHECK(withValues("100% of %0, %3 and %", {5}) == "100% of 5, %3 and %");
  CHECK(withValues("%s %n %0", {INT64_MIN}) == "%s %n -9223372036854775808");
  CHECK(withValues("", {}) == "");
  CHECK(withValues(nullptr, {}) == "the model failed");
}

TEST_CASE("long texts are cut and marked") {
  const std::string text = withValues((std::string(2000, 'x') + "%0").c_str(), {1});
  CHECK(text.size() == sizeof(mlc_error::text) - 1);
  CHECK(text.substr(text.size() - 4) == "x...");
}

TEST_CASE("characters are not cut in two") {
  std::string name;
  while (name.size() < 2000)
    name += "\u00e4"; // two bytes
  for (const char *before : {"", "x"}) {
    mlc_error error;
    refuse(&error, MLC_FAILED, "%s%s", before, name.c_str());
    const std::string text = error.text;
    REQUIRE(text.size() > 1000);
    const std::string kept = text.substr(strlen(before), text.size() - 3 - strlen(before));
    CHECK(kept.size() % 2 == 0);
    CHECK(text.substr(text.size() - 3) == "...");
  }
}

TEST_CASE("an error is one line") {
  mlc_error error;
  refuse(&error, MLC_INVALID_ARGUMENT, "input '%s'", "a\nb\tc");
  CHECK(std::string(error.text) == "input 'a b c'");
}

TEST_CASE("nobody has to ask for the text") {
  CHECK(refuse(nullptr, MLC_BUSY, "%d", 1) == MLC_BUSY);
  CHECK(refuseWithValues(nullptr, MLC_FAILED, "", nullptr, 0) == MLC_FAILED);
  CHECK(accept(nullptr) == MLC_OK);
}

TEST_CASE("shapes and names as text") {
  const char *symbols[] = {"N", ""};
  const int64_t extents[] = {-1, 3, -2, MLC_EXTENT_UNKNOWN};
  const mlc_port ports[] = {{"a", extents, 4, MLC_FLOAT32, MLC_TENSOR, 0, MLC_UNDEFINED},
                            {"b", extents, 0, MLC_FLOAT32, MLC_TENSOR, 0, MLC_UNDEFINED}};
  mlc_model_info info = {};
  info.symbols = symbols;
  CHECK(std::string(declaredShape(info, ports[0]).text) == "[N, 3, ?, ?]");
  CHECK(std::string(declaredShape(info, ports[1]).text) == "[]");
  CHECK(std::string(shape(extents + 1, 1).text) == "[3]");
  CHECK(std::string(portNames(ports, 2).text) == "'a', 'b'");
  CHECK(std::string(portNames(ports, 0).text) == "");
}
