// Tensors of strings at the border: mlc_string is how emitted code has them as well.
#pragma once
#include "core/Session.h"

namespace mlc::rt {

/// The first of `count` strings that has a size but no bytes; -1 if there is none.
int64_t findNullString(const mlc_string *strings, int64_t count);

/// The bytes of `count` strings; -1 where 63 bits do not hold the sum.
int64_t textBytes(const mlc_string *strings, int64_t count);
/// Copies the bytes to `text`, one behind the other, and lets the strings refer to them; gives their end.
char *moveText(mlc_string *strings, int64_t count, char *text);

/// Lets the strings of an output refer to memory that outlives the run: a buffer of the session, or, where it is handed
/// over, the output's block, which grows.
mlc_status keepText(Session &session, uint32_t index, mlc_error *error);

} // namespace mlc::rt
