// Parts of strings that regular expressions tell, as Tokenizer of com.microsoft has them.
#include "core/Sequence.h"
#include "core/Status.h"

using namespace mlc::rt;

namespace {

/// Bytes of the character at `at`, which is before `end`; 1 for what is not UTF-8.
uint64_t characterBytes(const char *at, const char *end) {
  const auto first = uint8_t(*at);
  const uint64_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return bytes <= uint64_t(end - at) ? bytes : 1;
}

int64_t countCharacters(const char *begin, const char *end) {
  int64_t count = 0;
  for (; begin != end; begin += characterBytes(begin, end))
    ++count;
  return count;
}

/// The longest text from `begin` on that an automaton accepts; its end.
const char *match(const mlc_automaton &automaton, const char *begin, const char *end) {
  const auto *accepts =
      reinterpret_cast<const uint8_t *>(automaton.next + uint64_t(automaton.class_count) * automaton.state_count);
  const char *longest = begin;
  uint32_t state = 1;
  for (const char *at = begin; at != end && state;) {
    state = automaton.next[state * automaton.class_count + automaton.classes[uint8_t(*at++)]];
    if (accepts[state])
      longest = at;
  }
  return longest;
}

/// Shows each token to `visit(begin, end)`.
template <typename Visit> class Finder {
public:
  Finder(const mlc_tokenizer &table, Visit visit) : table(table), visit(visit) {}

  void find(const char *begin, const char *end) {
    if (table.is_token)
      findMatches(begin, end);
    else if (table.automaton_count)
      splitAt(0, begin, end);
    else
      for (const char *next; begin != end; begin = next)
        give(begin, next = begin + characterBytes(begin, end));
  }

private:
  const mlc_automaton &automaton(int64_t index) const {
    return *reinterpret_cast<const mlc_automaton *>(reinterpret_cast<const char *>(&table) + table.automata[index]);
  }

  void give(const char *begin, const char *end) {
    if (begin != end && countCharacters(begin, end) >= table.least)
      visit(begin, end);
  }

  void findMatches(const char *at, const char *end) {
    while (at != end) {
      const char *after = match(automaton(0), at, end);
      give(at, after);
      at = after != at ? after : at + characterBytes(at, end);
    }
  }

  /// What is between matches of one separator is split at those of the next.
  void splitAt(int64_t separator, const char *begin, const char *end) {
    if (separator == table.automaton_count) {
      give(begin, end);
      return;
    }
    for (const char *at = begin; at != end;) {
      const char *after = match(automaton(separator), at, end);
      if (after == at) {
        at += characterBytes(at, end);
        continue;
      }
      splitAt(separator + 1, begin, at);
      begin = at = after;
    }
    splitAt(separator + 1, begin, end);
  }

  const mlc_tokenizer &table;
  Visit visit;
};

template <typename Visit> void findTokens(mlc_string text, const mlc_tokenizer &table, Visit visit) {
  if (text.size)
    Finder<Visit>(table, visit).find(text.data, text.data + text.size);
}

} // namespace

extern "C" const mlc_sequence *mlc_rt_sequence_with_tokens(const mlc_sequence *sequence, mlc_string text,
                                                           mlc_string tokenizer) {
  Session &session = *currentThread->frame->session;
  const auto &table = *reinterpret_cast<const mlc_tokenizer *>(tokenizer.data);
  int64_t count = 0;
  findTokens(text, table, [&](const char *, const char *) { ++count; });
  auto *extents = static_cast<int64_t *>(session.region.take(sizeof(int64_t)));
  auto *tokens = static_cast<mlc_string *>(session.region.take(uint64_t(count) * sizeof(mlc_string)));
  if (!extents || !tokens)
    failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for %lld tokens of a string",
                             static_cast<long long>(count)));
  *extents = count;
  mlc_string *next = tokens;
  findTokens(text, table, [&](const char *begin, const char *end) { *next++ = {begin, uint64_t(end - begin)}; });
  return withItem(sequence, sequence->length, {tokens, uint64_t(count) * sizeof(mlc_string), extents, 1, MLC_STRING});
}
