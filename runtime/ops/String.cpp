// What operators do with strings.
#include "mlc/abi.h"
#include "mlc/casing.h"
#include "ops/Text.h"
#include <string.h>

using namespace mlc::rt;

static mlc_string inCase(mlc_string text, int toUpper) {
  char *changed = newText(text.size);
  return {changed, mlc_change_text_case(text.data, text.size, toUpper, changed)};
}

extern "C" {

int64_t mlc_rt_string_equal(mlc_string a, mlc_string b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int64_t mlc_rt_string_compare(mlc_string a, mlc_string b) {
  auto common = a.size < b.size ? a.size : b.size;
  int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
  if (order != 0)
    return order;
  return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

mlc_string mlc_rt_string_concat(mlc_string a, mlc_string b) {
  if (a.size == 0)
    return b;
  if (b.size == 0)
    return a;
  char *text = newText(a.size + b.size);
  memcpy(text, a.data, a.size);
  memcpy(text + a.size, b.data, b.size);
  return {text, a.size + b.size};
}

mlc_string mlc_rt_string_lower(mlc_string text) { return inCase(text, 0); }
mlc_string mlc_rt_string_upper(mlc_string text) { return inCase(text, 1); }
}
