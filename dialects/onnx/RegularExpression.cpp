// A pattern is parsed into a nondeterministic automaton over bytes (Thompson, "Regular Expression Search Algorithm",
// 1968), in which a range of characters is a few sequences of ranges of bytes; the sets of states that a text can lead to
// are the states of the deterministic one.
#include "onnx/RegularExpression.h"
#include "mlc/abi.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <map>
#include <vector>

using namespace llvm;

namespace mlc::onnx {
namespace {

constexpr uint32_t lastCharacter = 0x10FFFF;
constexpr size_t mostNodes = 200'000, mostStates = 10'000;
constexpr unsigned mostRepeats = 1000, deepestGroup = 200;

/// A node goes on without a byte (Split, the assertions), with a byte in a range, or accepts.
struct Node {
  enum Kind { Byte, Split, AtBegin, AtEnd, AtWord, NotAtWord, Accept } kind;
  uint8_t first = 0, last = 0;
  int next = -1, other = -1;
};

/// A part of the automaton: where it begins, and the one node that it ends in, a Split without a way on.
struct Part {
  int begin, end;
};

using Range = std::pair<uint32_t, uint32_t>;
using Ranges = std::vector<Range>;

/// Ascending and disjoint.
Ranges normalized(Ranges ranges) {
  llvm::sort(ranges);
  Ranges result;
  for (auto [first, last] : ranges)
    if (!result.empty() && first <= result.back().second + 1)
      result.back().second = std::max(result.back().second, last);
    else
      result.push_back({first, last});
  return result;
}

Ranges complement(Ranges ranges) {
  Ranges result;
  uint32_t next = 0;
  for (auto [first, last] : normalized(std::move(ranges))) {
    if (first > next)
      result.push_back({next, first - 1});
    next = last + 1;
  }
  if (next <= lastCharacter)
    result.push_back({next, lastCharacter});
  return result;
}

const Ranges digits = {{'0', '9'}}, words = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
             spaces = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};

/// [:name:] in a class.
std::optional<Ranges> posixClass(StringRef name) {
  static const std::map<StringRef, Ranges> classes = {{"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
                                                      {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
                                                      {"ascii", {{0, 0x7F}}},
                                                      {"blank", {{'\t', '\t'}, {' ', ' '}}},
                                                      {"cntrl", {{0, 0x1F}, {0x7F, 0x7F}}},
                                                      {"digit", digits},
                                                      {"graph", {{'!', '~'}}},
                                                      {"lower", {{'a', 'z'}}},
                                                      {"print", {{' ', '~'}}},
                                                      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
                                                      {"space", {{'\t', '\r'}, {' ', ' '}}},
                                                      {"upper", {{'A', 'Z'}}},
                                                      {"word", words},
                                                      {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
  auto found = classes.find(name);
  return found == classes.end() ? std::nullopt : std::optional(found->second);
}

/// Reads a pattern by descending into its alternatives, sequences, repetitions and groups. After an error, `problem` is
/// set and everything ends soon.
class Parser {
public:
  Parser(StringRef pattern, std::vector<Node> &nodes, std::string &problem)
      : rest(pattern), nodes(nodes), problem(problem) {}

  std::optional<int> parse() {
    Part all = parseAlternatives();
    if (problem.empty() && !rest.empty())
      problem = "expects a ( before each )";
    if (!problem.empty())
      return std::nullopt;
    nodes[all.end].next = add({Node::Accept});
    return all.begin;
  }

private:
  //===-- Parts ---------------------------------------------------------------===//

  int add(Node node) {
    if (nodes.size() >= mostNodes)
      fail("is too large");
    nodes.push_back(node);
    return nodes.size() - 1;
  }
  void fail(const Twine &why) {
    if (problem.empty())
      problem = why.str();
  }
  Part empty() {
    int node = add({Node::Split});
    return {node, node};
  }
  Part assertion(Node::Kind kind) {
    int end = add({Node::Split});
    return {add({kind, 0, 0, end}), end};
  }
  Part sequence(Part a, Part b) {
    nodes[a.end].next = b.begin;
    return {a.begin, b.end};
  }
  Part either(Part a, Part b) {
    int end = add({Node::Split});
    nodes[a.end].next = nodes[b.end].next = end;
    return {add({Node::Split, 0, 0, a.begin, b.begin}), end};
  }
  Part star(Part a) {
    int end = add({Node::Split}), loop = add({Node::Split, 0, 0, a.begin, end});
    nodes[a.end].next = loop;
    return {loop, end};
  }

  /// Bytes in ranges, one after the other.
  Part bytes(ArrayRef<std::pair<uint8_t, uint8_t>> list) {
    Part all = empty();
    for (auto [first, last] : list) {
      int end = add({Node::Split});
      all = sequence(all, {add({Node::Byte, first, last, end}), end});
    }
    return all;
  }

  static SmallVector<uint8_t> encode(uint32_t character) {
    if (character < 0x80)
      return {uint8_t(character)};
    SmallVector<uint8_t> result;
    int length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; --i)
      result.insert(result.begin(), uint8_t(0x80 | (character >> (6 * (length - 1 - i)) & 0x3F)));
    uint8_t mark = length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0;
    result.insert(result.begin(), uint8_t(mark | character >> (6 * (length - 1))));
    return result;
  }

  /// The sequences of byte ranges that are the UTF-8 of a range of characters: cut where the length changes, and where
  /// the lower bytes do not run through all of their values.
  void split(uint32_t first, uint32_t last, SmallVectorImpl<Part> &parts) {
    for (uint32_t limit : {0x7Fu, 0x7FFu, 0xFFFFu})
      if (first <= limit && last > limit) {
        split(first, limit, parts);
        return split(limit + 1, last, parts);
      }
    for (int low = 1; low < 4; ++low) {
      uint32_t mask = (1u << (6 * low)) - 1;
      if ((first & ~mask) == (last & ~mask) || first < 0x80)
        continue;
      if (first & mask) {
        split(first, first | mask, parts);
        return split((first | mask) + 1, last, parts);
      }
      if ((last & mask) != mask) {
        split(first, (last & ~mask) - 1, parts);
        return split(last & ~mask, last, parts);
      }
    }
    SmallVector<std::pair<uint8_t, uint8_t>> list;
    for (auto [a, b] : zip_equal(encode(first), encode(last)))
      list.push_back({a, b});
    parts.push_back(bytes(list));
  }

  Part characters(Ranges ranges) {
    if (ignoresCase) {
      Ranges both = ranges;
      for (auto [first, last] : ranges)
        for (uint32_t c = first; c <= std::min<uint32_t>(last, 'z'); ++c)
          if (c < 0x80 && isAlpha(char(c)))
            both.push_back({c ^ 0x20, c ^ 0x20});
      ranges = both;
    }
    SmallVector<Part> parts;
    for (auto [first, last] : normalized(std::move(ranges)))
      split(first, last, parts);
    if (parts.empty()) { // matches nothing: a way that never goes on
      int end = add({Node::Split}), dead = add({Node::Split});
      return {dead, end};
    }
    Part all = parts.front();
    for (Part part : ArrayRef(parts).drop_front())
      all = either(all, part);
    return all;
  }

  //===-- Syntax --------------------------------------------------------------===//

  std::optional<uint32_t> takeCharacter() {
    uint8_t first = rest.front();
    int length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    uint32_t character = length == 1 ? first : first & (0x7F >> length);
    bool isValid = length && rest.size() >= size_t(length);
    for (int i = 1; isValid && i < length; ++i) {
      isValid = (uint8_t(rest[i]) & 0xC0) == 0x80;
      character = character << 6 | (uint8_t(rest[i]) & 0x3F);
    }
    if (!isValid) {
      fail("expects UTF-8");
      return std::nullopt;
    }
    rest = rest.drop_front(length);
    return character;
  }

  Part parseAlternatives() {
    if (++depth > deepestGroup)
      fail("has groups nested too deeply");
    Part all = parseSequence();
    while (problem.empty() && rest.consume_front("|"))
      all = either(all, parseSequence());
    --depth;
    return all;
  }

  Part parseSequence() {
    Part all = empty();
    while (problem.empty() && !rest.empty() && rest.front() != '|' && rest.front() != ')')
      all = sequence(all, parseRepetition());
    return all;
  }

  /// What a repetition repeats is parsed as often as it is there: parts cannot be copied, but text can.
  Part parseRepetition() {
    StringRef before = rest;
    bool caseBefore = ignoresCase, dotBefore = dotIsAll, linesBefore = areLines;
    Part part = parseAtom();
    StringRef atom = before.drop_back(rest.size());
    auto again = [&] {
      StringRef after = rest;
      std::tie(ignoresCase, dotIsAll, areLines) = std::tuple(caseBefore, dotBefore, linesBefore);
      rest = atom;
      Part copy = parseAtom();
      rest = after;
      return copy;
    };
    while (problem.empty() && !rest.empty()) {
      if (rest.consume_front("*"))
        part = star(part);
      else if (rest.consume_front("+"))
        part = sequence(part, star(again()));
      else if (rest.consume_front("?"))
        part = either(part, empty());
      else if (!parseCounts(part, again))
        break;
      rest.consume_front("?"); // lazy
      atom = before.drop_back(rest.size());
      if (!rest.empty() && StringRef("*+?").contains(rest.front())) {
        fail("repeats a repetition");
        break;
      }
    }
    return part;
  }

  template <typename Again> bool parseCounts(Part &part, Again again) {
    StringRef counts = rest;
    unsigned least = 0, most = 0;
    bool isOpen = false;
    if (!counts.consume_front("{") || counts.consumeInteger(10, least))
      return false;
    most = least;
    if (counts.consume_front(","))
      isOpen = counts.consumeInteger(10, most);
    if (!counts.consume_front("}"))
      return false;
    rest = counts;
    if (isOpen)
      most = least;
    if (least > most || most > mostRepeats) {
      fail("expects a repetition of at most " + Twine(mostRepeats));
      return true;
    }
    Part all = empty();
    bool isFirst = true;
    auto one = [&] { return std::exchange(isFirst, false) ? part : again(); };
    for (unsigned i = 0; i < least && problem.empty(); ++i)
      all = sequence(all, one());
    if (isOpen)
      all = sequence(all, star(one()));
    for (unsigned i = least; i < most && problem.empty(); ++i)
      all = sequence(all, either(one(), empty()));
    part = all;
    return true;
  }

  Part parseAtom() {
    if (rest.consume_front("("))
      return parseGroup();
    if (rest.consume_front("["))
      return parseClass();
    if (rest.consume_front("."))
      return characters(dotIsAll ? Ranges{{0, lastCharacter}} : complement({{'\n', '\n'}}));
    if (rest.consume_front("^"))
      return begin(areLines);
    if (rest.consume_front("$"))
      return end(areLines);
    if (rest.consume_front("\\"))
      return parseEscape();
    if (StringRef("*+?").contains(rest.front())) {
      fail("has nothing before '" + Twine(rest.front()) + "' to repeat");
      return empty();
    }
    std::optional<uint32_t> character = takeCharacter();
    return character ? characters({{*character, *character}}) : empty();
  }

  Part begin(bool ofLine) {
    if (ofLine)
      fail("uses ^ for lines, which mlc does not support");
    return assertion(Node::AtBegin);
  }
  Part end(bool ofLine) {
    if (ofLine)
      fail("uses $ for lines, which mlc does not support");
    return assertion(Node::AtEnd);
  }

  Part parseGroup() {
    bool caseBefore = ignoresCase, dotBefore = dotIsAll, linesBefore = areLines;
    if (rest.consume_front("?P<") ||
        (rest.starts_with("?<") && !rest.starts_with("?<=") && !rest.starts_with("?<!") && rest.consume_front("?<"))) {
      rest = rest.drop_until([](char c) { return c == '>'; });
      if (!rest.consume_front(">"))
        fail("expects > behind the name of a group");
    } else if (rest.consume_front("?")) {
      bool on = true;
      while (!rest.empty() && rest.front() != ':' && rest.front() != ')') {
        char flag = rest.front();
        rest = rest.drop_front();
        if (flag == '-')
          on = false;
        else if (flag == 'i')
          ignoresCase = on;
        else if (flag == 's')
          dotIsAll = on;
        else if (flag == 'm')
          areLines = on;
        else if (flag != 'U') {
          fail("has a group (?" + Twine(flag) + ", which is not of RE2");
          return empty();
        }
      }
      if (rest.consume_front(")")) // flags for what follows
        return empty();
      if (!rest.consume_front(":"))
        fail("expects ) at the end of a group");
    }
    Part inner = parseAlternatives();
    if (!rest.consume_front(")"))
      fail("expects a ) for each (");
    std::tie(ignoresCase, dotIsAll, areLines) = std::tuple(caseBefore, dotBefore, linesBefore);
    return inner;
  }

  /// \d and the like.
  static std::optional<Ranges> perlClass(char letter) {
    switch (letter) {
    case 'd':
      return digits;
    case 'D':
      return complement(digits);
    case 'w':
      return words;
    case 'W':
      return complement(words);
    case 's':
      return spaces;
    case 'S':
      return complement(spaces);
    default:
      return std::nullopt;
    }
  }

  /// One character behind a backslash.
  std::optional<uint32_t> takeEscaped() {
    if (rest.empty()) {
      fail("ends with a backslash");
      return std::nullopt;
    }
    char letter = rest.front();
    static constexpr StringRef names = "afnrtv", values = "\a\f\n\r\t\v";
    if (size_t at = names.find(letter); at != StringRef::npos) {
      rest = rest.drop_front();
      return values[at];
    }
    if (rest.consume_front("x")) {
      uint32_t character = 0;
      bool isBraced = rest.consume_front("{");
      StringRef text = isBraced ? rest.take_until([](char c) { return c == '}'; }) : rest.take_front(2);
      rest = rest.drop_front(text.size());
      if (text.getAsInteger(16, character) || character > lastCharacter || (isBraced && !rest.consume_front("}")) ||
          (!isBraced && text.size() != 2)) {
        fail("expects hexadecimal digits behind \\x");
        return std::nullopt;
      }
      return character;
    }
    if (letter == '0') {
      StringRef text = rest.take_front(3).take_while([](char c) { return c >= '0' && c <= '7'; });
      rest = rest.drop_front(text.size());
      uint32_t character = 0;
      (void)text.getAsInteger(8, character);
      return character;
    }
    if (isAlnum(letter)) {
      fail("uses \\" + Twine(letter) + ", which mlc does not support");
      return std::nullopt;
    }
    return takeCharacter();
  }

  Part parseEscape() {
    if (!rest.empty()) {
      if (std::optional<Ranges> known = perlClass(rest.front())) {
        rest = rest.drop_front();
        return characters(*known);
      }
      if (rest.consume_front("A"))
        return begin(false);
      if (rest.consume_front("z"))
        return end(false);
      if (rest.consume_front("b"))
        return assertion(Node::AtWord);
      if (rest.consume_front("B"))
        return assertion(Node::NotAtWord);
      if (rest.consume_front("Q")) {
        auto [text, after] = rest.split("\\E");
        rest = text;
        Part all = empty();
        while (!rest.empty() && problem.empty())
          if (std::optional<uint32_t> character = takeCharacter())
            all = sequence(all, characters({{*character, *character}}));
        rest = after;
        return all;
      }
    }
    std::optional<uint32_t> character = takeEscaped();
    return character ? characters({{*character, *character}}) : empty();
  }

  Part parseClass() {
    bool isNegated = rest.consume_front("^");
    Ranges ranges;
    for (bool isFirst = true; problem.empty() && (isFirst || !rest.starts_with("]")); isFirst = false) {
      if (rest.empty()) {
        fail("expects a ] for each [");
        break;
      }
      if (rest.starts_with("[:")) {
        auto [name, after] = rest.drop_front(2).split(":]");
        bool isComplement = name.consume_front("^");
        std::optional<Ranges> known = posixClass(name);
        if (!known) {
          fail("has an unknown class [:" + name + ":]");
          break;
        }
        rest = after;
        append_range(ranges, isComplement ? complement(*known) : *known);
        continue;
      }
      if (rest.size() > 1 && rest.front() == '\\')
        if (std::optional<Ranges> known = perlClass(rest[1])) {
          rest = rest.drop_front(2);
          append_range(ranges, *known);
          continue;
        }
      auto take = [&] { return rest.consume_front("\\") ? takeEscaped() : takeCharacter(); };
      std::optional<uint32_t> first = take(), last = first;
      if (first && rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
        rest = rest.drop_front();
        last = take();
      }
      if (!first || !last)
        break;
      if (*first > *last)
        fail("has a range in a class that ends before it begins");
      ranges.push_back({*first, *last});
    }
    rest.consume_front("]");
    if (!isNegated)
      return characters(std::move(ranges));
    if (ignoresCase) // what it does not match, it matches in no case
      for (auto [first, last] : Ranges(ranges))
        for (uint32_t c = first; c <= std::min<uint32_t>(last, 'z'); ++c)
          if (c < 0x80 && isAlpha(char(c)))
            ranges.push_back({c ^ 0x20, c ^ 0x20});
    bool caseBefore = std::exchange(ignoresCase, false);
    Part part = characters(complement(std::move(ranges)));
    ignoresCase = caseBefore;
    return part;
  }

  StringRef rest;
  std::vector<Node> &nodes;
  std::string &problem;
  bool ignoresCase = false, dotIsAll = false, areLines = false;
  unsigned depth = 0;
};

bool isWord(uint8_t byte) { return byte == '_' || isAlnum(char(byte)); }

/// What is known of a place between two bytes.
struct Place {
  bool atBegin = false, atEnd = false;
  std::optional<bool> atWord = {}; ///< whether one of the two belongs to a word; none while the next is not known

  bool passes(Node::Kind kind) const {
    return kind == Node::Split || (kind == Node::AtBegin && atBegin) || (kind == Node::AtEnd && atEnd) ||
           (kind == Node::AtWord && atWord == true) || (kind == Node::NotAtWord && atWord == false);
  }
};

/// The sets of nodes that bytes lead to. A set ends with marks, numbers that no node has, for what came before it.
class Subsets {
public:
  explicit Subsets(ArrayRef<Node> nodes)
      : nodes(nodes), seen(nodes.size()), beginMark(nodes.size()), wordMark(nodes.size() + 1),
        looksAtWords(any_of(nodes, [](const Node &n) { return n.kind == Node::AtWord || n.kind == Node::NotAtWord; })) {
  }
  using Set = std::vector<int>;

  Set start(int node) {
    Set set = closure(node, {.atBegin = true});
    set.push_back(beginMark);
    return set;
  }
  bool accepts(const Set &set) {
    Place place{.atBegin = has(set, beginMark), .atEnd = true, .atWord = has(set, wordMark)};
    return any_of(closure(set, place), [&](int node) { return nodes[node].kind == Node::Accept; });
  }
  Set step(const Set &set, uint8_t byte) {
    Place place{.atBegin = has(set, beginMark), .atWord = has(set, wordMark) != isWord(byte)};
    Set next;
    for (int node : looksAtWords ? closure(set, place) : set)
      if (node < (int)nodes.size() && nodes[node].kind == Node::Byte && byte >= nodes[node].first &&
          byte <= nodes[node].last)
        next.push_back(nodes[node].next);
    next = closure(next, {});
    if (looksAtWords && isWord(byte) && !next.empty())
      next.push_back(wordMark);
    return next;
  }
  bool tellsWords() const { return looksAtWords; }

private:
  static bool has(const Set &set, int mark) { return !set.empty() && set.back() == mark; }

  /// All nodes that can be reached without a byte.
  Set closure(ArrayRef<int> from, Place place) {
    Set set, stack;
    copy_if(from, std::back_inserter(stack), [&](int node) { return node < (int)nodes.size(); });
    std::fill(seen.begin(), seen.end(), false);
    while (!stack.empty()) {
      int node = stack.back();
      stack.pop_back();
      if (node < 0 || seen[node])
        continue;
      seen[node] = true;
      set.push_back(node);
      const Node &n = nodes[node];
      if (place.passes(n.kind))
        stack.insert(stack.end(), {n.next, n.other});
    }
    llvm::sort(set);
    return set;
  }

  ArrayRef<Node> nodes;
  std::vector<bool> seen;
  int beginMark, wordMark;
  bool looksAtWords;
};

} // namespace

std::optional<std::string> automatonOf(StringRef pattern, std::string &problem, MatchKind kind) {
  problem.clear();
  std::vector<Node> nodes;
  std::optional<int> begin = Parser(pattern, nodes, problem).parse();
  if (!begin || !problem.empty())
    return std::nullopt;
  bool looksAround = any_of(nodes, [](const Node &node) {
    return node.kind != Node::Byte && node.kind != Node::Split && node.kind != Node::Accept;
  });
  if (kind == MatchKind::Anywhere && looksAround) {
    problem = "uses ^, $ or \\b, which mlc does not support where matches are searched";
    return std::nullopt;
  }

  // Bytes that no range tells apart are one class.
  std::array<bool, 257> starts = {true};
  for (const Node &node : nodes)
    if (node.kind == Node::Byte)
      starts[node.first] = starts[node.last + 1] = true;
  Subsets subsets(nodes);
  for (int byte = 1; subsets.tellsWords() && byte < 256; ++byte)
    starts[byte] |= isWord(byte) != isWord(byte - 1);
  std::array<uint8_t, 256> classes;
  SmallVector<uint8_t> representatives;
  for (int byte = 0; byte < 256; ++byte) {
    if (starts[byte])
      representatives.push_back(byte);
    classes[byte] = representatives.size() - 1;
  }

  std::map<Subsets::Set, uint16_t> numbers;
  std::vector<Subsets::Set> states;
  auto numberOf = [&](Subsets::Set set) {
    auto [found, isNew] = numbers.try_emplace(set, states.size());
    if (isNew)
      states.push_back(std::move(set));
    return found->second;
  };
  numberOf({});
  numberOf(subsets.start(*begin)); // 1: no other state has its mark
  std::vector<uint16_t> next;
  std::string accepts;
  for (size_t state = 0; state < states.size(); ++state) {
    if (states.size() > mostStates) {
      problem = "needs more than " + std::to_string(mostStates) + " states";
      return std::nullopt;
    }
    accepts += char(subsets.accepts(states[state]));
    for (uint8_t byte : representatives)
      next.push_back(numberOf(subsets.step(states[state], byte)));
  }

  mlc_automaton head = {};
  std::copy(classes.begin(), classes.end(), head.classes);
  head.class_count = representatives.size();
  head.state_count = states.size();
  std::string text(reinterpret_cast<const char *>(&head), offsetof(mlc_automaton, next));
  text.append(reinterpret_cast<const char *>(next.data()), next.size() * sizeof(uint16_t));
  return text + accepts;
}

} // namespace mlc::onnx
