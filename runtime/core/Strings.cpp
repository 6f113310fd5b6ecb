#include "core/Strings.h"
#include "core/Status.h"
#include <string.h>

namespace mlc::rt {

int64_t findNullString(const mlc_string *strings, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (strings[i].size && !strings[i].data)
      return i;
  return -1;
}

int64_t textBytes(const mlc_string *strings, int64_t count) {
  uint64_t bytes = 0;
  for (int64_t i = 0; i < count; ++i)
    if (__builtin_add_overflow(bytes, strings[i].size, &bytes) || bytes > INT64_MAX)
      return -1;
  return int64_t(bytes);
}

char *moveText(mlc_string *strings, int64_t count, char *text) {
  for (int64_t i = 0; i < count; ++i) {
    if (strings[i].size)
      memcpy(text, strings[i].data, strings[i].size);
    strings[i].data = text;
    text += strings[i].size;
  }
  return text;
}

mlc_status keepText(Session &session, uint32_t index, mlc_error *error) {
  const mlc_port &port = session.data->info.outputs[index];
  OutputState &state = session.outputs[index];
  auto *strings = static_cast<mlc_string *>(state.place);
  const int64_t count = state.bytes / int64_t(sizeof(mlc_string));
  const int64_t bytes = textBytes(strings, count);
  char *text = nullptr;
  if (bytes >= 0 && state.request->memory == MLC_MEMORY_HANDED_OVER) {
    const uint64_t own = handedOverBytes(state, port.rank);
    auto *block = static_cast<char *>(allocate(own + uint64_t(bytes)));
    if (block) {
      memcpy(block, state.place, own);
      release(state.place);
      state.place = block;
      strings = reinterpret_cast<mlc_string *>(block);
      text = block + own;
    }
  } else if (bytes >= 0) {
    // What the last run left may be an input of this one, so two buffers take turns.
    Buffer last = state.text;
    state.text = state.lastText;
    state.lastText = last;
    if (reserve(state.text, uint64_t(bytes)))
      text = static_cast<char *>(state.text.data);
  }
  if (!text)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for the text of output '%s', which takes %lld bytes", port.name,
                  static_cast<long long>(bytes));
  moveText(strings, count, text);
  return MLC_OK;
}

} // namespace mlc::rt
