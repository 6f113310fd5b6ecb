// Regular expressions, which the compiler has made automata of (onnx/RegularExpression.h): a step for each byte.
#include "mlc/abi.h"

extern "C" int64_t mlc_rt_string_matches(mlc_string text, mlc_string automaton) {
  const auto &table = *reinterpret_cast<const mlc_automaton *>(automaton.data);
  const auto *accepts = reinterpret_cast<const uint8_t *>(table.next + uint64_t(table.class_count) * table.state_count);
  uint32_t state = 1;
  for (uint64_t i = 0; i < text.size && state; ++i)
    state = table.next[state * table.class_count + table.classes[uint8_t(text.data[i])]];
  return accepts[state];
}
