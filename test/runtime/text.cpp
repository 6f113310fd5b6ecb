// The services on strings that emitted code calls, through a model that calls them.
#include "ops/Text.h"
#include "FakeModel.h"
#include <cmath>
#include <functional>
#include <string_view>

using namespace test;

namespace {

mlc_string view(std::string_view text) { return {text.data(), text.size()}; }
std::string textOf(mlc_string string) { return std::string(string.data, string.size); }

/// Runs `body` inside of a run, where services may be called, and gives the run's error.
std::string inRun(std::function<void()> body) {
  static std::function<void()> current;
  current = std::move(body);
  FakeModel::Parts parts;
  parts.outputs = {{"y", {}, MLC_FLOAT32}};
  parts.run = [](mlc_frame *frame) {
    current();
    *static_cast<float *>(mlc_rt_output(frame, 0, nullptr)) = 0;
  };
  FakeModel model(std::move(parts));
  TestSession session(model, withThreads(1));
  std::vector<mlc_output> outputs = {request(MLC_MEMORY_SESSION)};
  return session.run({}, outputs) == MLC_OK ? "" : session.text();
}

std::vector<std::string> partsOf(std::string_view text, std::string_view delimiter, int64_t splits = -1) {
  std::vector<std::string> parts;
  const int64_t count = mlc_rt_string_count_parts(view(text), view(delimiter), splits);
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(textOf(mlc_rt_string_part(view(text), view(delimiter), splits, i)));
  CHECK(textOf(mlc_rt_string_part(view(text), view(delimiter), splits, count)).empty());
  return parts;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("strings are equal by their bytes") {
  CHECK(mlc_rt_string_equal(view("ab"), view("ab")) == 1);
  CHECK(mlc_rt_string_equal(view("ab"), view("abc")) == 0);
  CHECK(mlc_rt_string_equal(view("ab"), view("ac")) == 0);
  CHECK(mlc_rt_string_equal({nullptr, 0}, view("")) == 1);
}

TEST_CASE("strings are ordered by their bytes, and then by length") {
  CHECK(mlc_rt_string_compare(view("ab"), view("ab")) == 0);
  CHECK(mlc_rt_string_compare(view("ab"), view("abc")) < 0);
  CHECK(mlc_rt_string_compare(view("b"), view("abc")) > 0);
  CHECK(mlc_rt_string_compare(view("a"), view("\xc3\xa4")) < 0);
  CHECK(mlc_rt_string_compare({nullptr, 0}, view("a")) < 0);
  CHECK(mlc_rt_string_compare({nullptr, 0}, {nullptr, 0}) == 0);
}

TEST_CASE("text that operators make lives as long as the run") {
  const std::string large(100000, 'x');
  const std::string problem = inRun([&] {
    std::vector<mlc_string> made;
    for (int i = 0; i < 5000; ++i)
      made.push_back(mlc_rt_string_concat(view("abc"), mlc_rt_format_integer(i, 0)));
    made.push_back(mlc_rt_string_concat(view(large), view("y")));
    CHECK(textOf(made[0]) == "abc0");
    CHECK(textOf(made[4999]) == "abc4999");
    CHECK(textOf(made[5000]) == large + "y");
  });
  CHECK(problem.empty());
}

TEST_CASE("text for which there is no memory ends the run") {
  CHECK_THAT(inRun([] { mlc::rt::newText(uint64_t(1) << 60); }), Catch::Contains("no memory for a string of"));
}

TEST_CASE("cases of letters, of which some have another length") {
  inRun([] {
    CHECK(textOf(mlc_rt_string_upper(view("a\xC3\xA4z1"))) == "A\xC3\x84Z1");
    CHECK(textOf(mlc_rt_string_lower(view("A\xC3\x84Z1"))) == "a\xC3\xA4z1");
    CHECK(textOf(mlc_rt_string_upper(view(""))).empty());
    const std::string broken("\xC3", 1), cut("\xE2\x82", 2); // ends within a character
    CHECK(textOf(mlc_rt_string_upper(view(broken))) == broken);
    CHECK(textOf(mlc_rt_string_lower(view(cut))) == cut);
  });
}

TEST_CASE("parts between delimiters") {
  CHECK(partsOf("a,b,,c", ",") == Texts{"a", "b", "", "c"});
  CHECK(partsOf("a,b,,c", ",", 1) == Texts{"a", "b,,c"});
  CHECK(partsOf("", ",") == Texts{""});
  CHECK(partsOf("aXYbX", "XY") == Texts{"a", "bX"});
}

TEST_CASE("parts between white space") {
  CHECK(partsOf("  a b\t\n", "") == Texts{"a", "b"});
  CHECK(partsOf(" a  b c ", "", 1) == Texts{"a", "b c "});
  CHECK(partsOf("a\xE3\x80\x80"
                "b\xC2\xA0",
                "") == Texts{"a", "b"});
  CHECK(partsOf("   ", "").empty());
  CHECK(partsOf("\xE3\x80", "") == Texts{"\xE3\x80"});
}

TEST_CASE("numbers as text and back") {
  inRun([] {
    auto format = [](double value, mlc_type type) { return textOf(mlc_rt_format_float(value, type)); };
    CHECK(format(0.1F, MLC_FLOAT32) == "0.1");
    CHECK(format(0.1, MLC_FLOAT64) == "0.1");
    CHECK(format(1e-5, MLC_FLOAT64) == "1e-05");
    CHECK(format(-INFINITY, MLC_FLOAT32) == "-inf");
    CHECK(format(NAN, MLC_FLOAT32) == "nan");
    CHECK(textOf(mlc_rt_format_integer(INT64_MIN, 0)) == "-9223372036854775808");
    CHECK(textOf(mlc_rt_format_integer(-1, 1)) == "18446744073709551615");
    CHECK(mlc_rt_parse_float(view("-1.5e3"), view("node"), MLC_FLOAT64) == -1500);
    CHECK(std::isnan(mlc_rt_parse_float(view("nan"), view("node"), MLC_FLOAT32)));
    CHECK(mlc_rt_parse_integer(view("-9223372036854775808"), view("node"), 0) == INT64_MIN);
  });
}

TEST_CASE("text that is no number ends the run, naming the node") {
  for (const char *text : {"", "1.5x", "one", "--1", "1e"})
    CHECK_THAT(inRun([=] { mlc_rt_parse_float(view(text), view("node 'n'"), MLC_FLOAT32); }),
               Catch::Contains("node 'n'"));
  for (const char *text : {"", "x", "9223372036854775808"})
    CHECK_THAT(inRun([=] { mlc_rt_parse_integer(view(text), view("node 'n'"), 0); }), Catch::Contains("node 'n'"));
}

//===-- Tables ---------------------------------------------------------------------===//

namespace {

/// What the compiler writes: numbers of 8 bytes, and text.
struct Bytes {
  std::vector<int64_t> words;
  mlc_string text() const { return {reinterpret_cast<const char *>(words.data()), words.size() * 8}; }
};

Bytes tableOf(const std::vector<std::pair<std::string, int64_t>> &ascending) {
  Bytes bytes;
  bytes.words.push_back(int64_t(ascending.size()));
  std::string keys;
  for (const auto &[key, value] : ascending) {
    bytes.words.insert(bytes.words.end(),
                       {int64_t(8 + ascending.size() * 24 + keys.size()), int64_t(key.size()), value});
    keys += key;
  }
  const size_t head = bytes.words.size();
  bytes.words.resize(head + (keys.size() + 7) / 8);
  memcpy(bytes.words.data() + head, keys.data(), keys.size());
  return bytes;
}

/// Accepts runs of the letter a, and a b behind one.
mlc_automaton *automatonOfRuns(std::vector<int64_t> &memory, size_t at) {
  const size_t bytes = sizeof(mlc_automaton) + 4 * 3 * sizeof(uint16_t) + 4;
  memory.resize(at + (bytes + 7) / 8);
  auto *automaton = reinterpret_cast<mlc_automaton *>(memory.data() + at);
  automaton->classes[uint8_t('a')] = 1;
  automaton->classes[uint8_t('b')] = 2;
  automaton->class_count = 3;
  automaton->state_count = 4;
  const uint16_t next[] = {0, 0, 0, /*start*/ 0, 2, 0, /*a*/ 0, 2, 3, /*ab*/ 0, 0, 0};
  memcpy(automaton->next, next, sizeof next);
  const uint8_t accepts[] = {0, 0, 1, 1};
  memcpy(automaton->next + 12, accepts, sizeof accepts);
  return automaton;
}

} // namespace

TEST_CASE("keys are found in tables") {
  const Bytes table = tableOf({{"", 1}, {"a", 2}, {"ab", 3}, {"b", 4}});
  auto find = [&](const char *key) { return mlc_rt_find_string(view(key), table.text()); };
  CHECK(find("") == 1);
  CHECK(find("a") == 2);
  CHECK(find("ab") == 3);
  CHECK(find("b") == 4);
  CHECK(find("aa") == -1);
  CHECK(find("abc") == -1);
  CHECK(mlc_rt_find_string(view("a"), tableOf({}).text()) == -1);

  const Bytes numbers = {{3, INT64_MIN, 10, 0, 20, INT64_MAX, 30}};
  CHECK(mlc_rt_find_number(INT64_MIN, numbers.text()) == 10);
  CHECK(mlc_rt_find_number(0, numbers.text()) == 20);
  CHECK(mlc_rt_find_number(INT64_MAX, numbers.text()) == 30);
  CHECK(mlc_rt_find_number(1, numbers.text()) == -1);
}

TEST_CASE("automata accept whole texts") {
  std::vector<int64_t> memory;
  automatonOfRuns(memory, 0);
  const mlc_string automaton = {reinterpret_cast<const char *>(memory.data()), memory.size() * 8};
  for (const char *text : {"a", "aaa", "ab", "aab"})
    CHECK(mlc_rt_string_matches(view(text), automaton) == 1);
  for (const char *text : {"", "b", "aba", "c", "\xFF"})
    CHECK(mlc_rt_string_matches(view(text), automaton) == 0);
}

namespace {

Texts tokensOf(std::string_view text, int64_t least, bool isToken, int64_t automata) {
  std::vector<int64_t> memory = {least, isToken, automata};
  for (int64_t i = 0; i < automata; ++i)
    memory.push_back((3 + automata) * 8);
  if (automata)
    automatonOfRuns(memory, memory.size());
  Texts tokens;
  const std::string problem = inRun([&] {
    const mlc_sequence *list = mlc_rt_sequence_with_tokens(
        mlc_rt_sequence_empty(), view(text), {reinterpret_cast<const char *>(memory.data()), memory.size() * 8});
    const auto *strings = static_cast<const mlc_string *>(mlc_rt_sequence_data(list, 0));
    for (int64_t i = 0; i < mlc_rt_sequence_extent(list, 0, 0); ++i)
      tokens.push_back(textOf(strings[i]));
  });
  CHECK(problem.empty());
  return tokens;
}

} // namespace

TEST_CASE("tokens are the longest matches from left to right") {
  CHECK(tokensOf("aab-a-abab", 1, true, 1) == Texts{"aab", "a", "ab", "ab"});
  CHECK(tokensOf("aab-a-abab", 2, true, 1) == Texts{"aab", "ab", "ab"});
  CHECK(tokensOf("", 1, true, 1).empty());
  CHECK(tokensOf("b\xC3", 1, true, 1).empty());
}

TEST_CASE("tokens are between separators") {
  CHECK(tokensOf("xabyaz", 1, false, 1) == Texts{"x", "y", "z"});
  CHECK(tokensOf("aabb", 1, false, 1) == Texts{"b"});
  CHECK(tokensOf("\xC3\xA4\xC3\xB6xa", 4, false, 1).empty());
  CHECK(tokensOf("\xC3\xA4\xC3\xB6xa", 3, false, 2) == Texts{"\xC3\xA4\xC3\xB6x"});
}

TEST_CASE("tokens are characters, where text is not UTF-8 as well") {
  CHECK(tokensOf("a\xE2\x82\xAC\xF0\x9F\x98\x80", 1, false, 0) == Texts{"a", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"});
  CHECK(tokensOf("\x80"
                 "a\xE2\x82",
                 1, false, 0) == Texts{"\x80", "a", "\xE2", "\x82"});
}
