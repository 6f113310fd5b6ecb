// Tables of strings and numbers, searched by halves.
#include "mlc/abi.h"
#include <string.h>

/// Whether the key of an entry comes before `key`, is it, or comes behind.
static int compare(const mlc_string_table &table, int64_t entry, mlc_string key) {
  const auto &[offset, size, value] = table.entries[entry];
  const uint64_t common = uint64_t(size) < key.size ? uint64_t(size) : key.size;
  const int order = common ? memcmp(reinterpret_cast<const char *>(&table) + offset, key.data, common) : 0;
  return order ? order : uint64_t(size) < key.size ? -1 : uint64_t(size) > key.size;
}

static int compare(const mlc_number_table &table, int64_t entry, int64_t key) {
  return table.entries[entry].key < key ? -1 : table.entries[entry].key > key;
}

template <typename Table, typename Key> static int64_t find(Key key, mlc_string text) {
  const auto &table = *reinterpret_cast<const Table *>(text.data);
  int64_t first = 0, end = table.count;
  while (first < end) {
    const int64_t middle = first + (end - first) / 2;
    const int order = compare(table, middle, key);
    if (order == 0)
      return table.entries[middle].value;
    if (order < 0)
      first = middle + 1;
    else
      end = middle;
  }
  return -1;
}

extern "C" {
int64_t mlc_rt_find_string(mlc_string key, mlc_string table) { return find<mlc_string_table>(key, table); }
int64_t mlc_rt_find_number(int64_t key, mlc_string table) { return find<mlc_number_table>(key, table); }
}
