// Errors as text. Everything here is bounded: names come from models and may be of any length and content.
#include "core/Status.h"
#include <stdarg.h>
#include <stdio.h>

namespace mlc::rt {

/// Appends to a buffer of fixed size; what does not fit is dropped, and the end marked.
class Writer {
public:
  Writer(char *buffer, size_t size) : buffer(buffer), size(size) { buffer[0] = 0; }

  __attribute__((format(printf, 2, 3))) void operator()(const char *format, ...) {
    if (full)
      return;
    va_list arguments;
    va_start(arguments, format);
    add(format, arguments);
    va_end(arguments);
  }

  void add(const char *format, va_list arguments) {
    int wanted = vsnprintf(buffer + used, size - used, format, arguments);
    if (wanted < 0)
      return;
    if (size_t(wanted) < size - used) {
      used += size_t(wanted);
      return;
    }
    full = true;
    // Cut between characters, and leave room for the mark.
    used = size - 4;
    while (used > 0 && (buffer[used] & 0xC0) == 0x80)
      --used;
    memcpy(buffer + used, "...", 4);
  }

private:
  char *buffer;
  size_t size, used = 0;
  bool full = false;
};

/// An error is one line, whatever names contain.
static void joinLines(char *text) {
  for (; *text; ++text)
    if (static_cast<unsigned char>(*text) < 0x20)
      *text = ' ';
}

mlc_status refuse(mlc_error *error, mlc_status status, const char *format, ...) {
  if (!error)
    return status;
  error->status = status;
  Writer write(error->text, sizeof error->text);
  va_list arguments;
  va_start(arguments, format);
  write.add(format, arguments);
  va_end(arguments);
  joinLines(error->text);
  return status;
}

mlc_status refuseWithValues(mlc_error *error, mlc_status status, const char *format, const int64_t *values,
                            int32_t count) {
  if (!error)
    return status;
  error->status = status;
  Writer write(error->text, sizeof error->text);
  const char *rest = format ? format : "the model failed";
  while (const char *mark = strchr(rest, '%')) {
    write("%.*s", int(mark - rest), rest);
    int index = mark[1] - '0';
    if (index >= 0 && index <= 9 && index < count) {
      write("%lld", static_cast<long long>(values[index]));
      rest = mark + 2;
    } else {
      write("%%");
      rest = mark + 1;
    }
  }
  write("%s", rest);
  joinLines(error->text);
  return status;
}

mlc_status accept(mlc_error *error) {
  if (error) {
    error->status = MLC_OK;
    error->text[0] = 0;
  }
  return MLC_OK;
}

Text declaredShape(const mlc_model_info &info, const mlc_port &port) {
  Text result;
  Writer write(result.text, sizeof result.text);
  write("[");
  for (int32_t axis = 0; axis < port.rank; ++axis) {
    const int64_t extent = port.extents[axis];
    const char *symbol = MLC_EXTENT_IS_SYMBOL(extent) ? info.symbols[MLC_EXTENT_SYMBOL(extent)] : "";
    if (axis)
      write(", ");
    if (extent >= 0)
      write("%lld", static_cast<long long>(extent));
    else
      write("%s", *symbol ? symbol : "?");
  }
  write("]");
  return result;
}

Text shape(const int64_t *extents, int32_t rank) {
  Text result;
  Writer write(result.text, sizeof result.text);
  write("[");
  for (int32_t axis = 0; axis < rank; ++axis)
    write("%s%lld", axis ? ", " : "", static_cast<long long>(extents[axis]));
  write("]");
  return result;
}

Text portNames(const mlc_port *ports, uint32_t count) {
  Text result;
  Writer write(result.text, sizeof result.text);
  for (uint32_t i = 0; i < count; ++i)
    write("%s'%s'", i ? ", " : "", ports[i].name);
  return result;
}

} // namespace mlc::rt
