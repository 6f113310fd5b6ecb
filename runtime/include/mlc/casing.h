/* Upper and lower case of characters, as StringNormalizer changes it: the compiler changes stop words by it, the runtime
 * what is compared with them.
 *
 * The simple mappings of Unicode 15 (one character to one) for the Latin, Greek, Cyrillic and Armenian letters and the
 * fullwidth ones; other characters have no case. No locale is asked: the result is the same on every machine.
 */
#ifndef MLC_CASING_H
#define MLC_CASING_H

#include <stdint.h>

/* Upper-case characters first, first + step, ... last; their lower-case ones are `delta` further. */
typedef struct mlc_case_range {
  uint32_t first, last;
  int32_t step, delta;
} mlc_case_range;

static const mlc_case_range mlc_case_ranges[] = {
    {0x0041, 0x005A, 1, 32}, {0x00C0, 0x00D6, 1, 32}, {0x00D8, 0x00DE, 1, 32}, {0x0100, 0x012E, 2, 1},
    {0x0132, 0x0136, 2, 1},  {0x0139, 0x0147, 2, 1},  {0x014A, 0x0176, 2, 1},  {0x0178, 0x0178, 1, -121},
    {0x0179, 0x017D, 2, 1},  {0x0386, 0x0386, 1, 38}, {0x0388, 0x038A, 1, 37}, {0x038C, 0x038C, 1, 64},
    {0x038E, 0x038F, 1, 63}, {0x0391, 0x03A1, 1, 32}, {0x03A3, 0x03AB, 1, 32}, {0x0400, 0x040F, 1, 80},
    {0x0410, 0x042F, 1, 32}, {0x0460, 0x0480, 2, 1},  {0x048A, 0x04BE, 2, 1},  {0x04C0, 0x04C0, 1, 15},
    {0x04C1, 0x04CD, 2, 1},  {0x04D0, 0x052E, 2, 1},  {0x0531, 0x0556, 1, 48}, {0x1E00, 0x1E94, 2, 1},
    {0x1EA0, 0x1EFE, 2, 1},  {0xFF21, 0xFF3A, 1, 32},
};

/* The character in the other case, if it has one. */
static inline uint32_t mlc_change_case(uint32_t character, int to_upper) {
  for (uint32_t i = 0; i < sizeof mlc_case_ranges / sizeof *mlc_case_ranges; ++i) {
    const mlc_case_range *range = &mlc_case_ranges[i];
    uint32_t upper = to_upper ? character - (uint32_t)range->delta : character;
    if (upper >= range->first && upper <= range->last && (upper - range->first) % (uint32_t)range->step == 0)
      return to_upper ? upper : character + (uint32_t)range->delta;
  }
  return character;
}

/* Writes the text in the other case to `to`, which has room for as many bytes: no character in the table takes more of
 * them than its other case. Bytes that are no UTF-8 stay as they are. Gives the number of bytes. */
static inline uint64_t mlc_change_text_case(const char *text, uint64_t size, int to_upper, char *to) {
  uint64_t written = 0;
  for (uint64_t i = 0; i < size;) {
    const uint8_t first = (uint8_t)text[i];
    const uint32_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 0;
    int is_character = length != 0 && i + length <= size;
    uint32_t character = length == 1 ? first : length == 2 ? first & 0x1Fu : first & 0xFu;
    for (uint32_t k = 1; is_character && k < length; ++k) {
      is_character = ((uint8_t)text[i + k] & 0xC0) == 0x80;
      character = character << 6 | ((uint8_t)text[i + k] & 0x3Fu);
    }
    if (!is_character) {
      to[written++] = text[i++];
      continue;
    }
    i += length;
    character = mlc_change_case(character, to_upper);
    if (character < 0x80) {
      to[written++] = (char)character;
    } else if (character < 0x800) {
      to[written++] = (char)(0xC0 | character >> 6);
      to[written++] = (char)(0x80 | (character & 0x3F));
    } else {
      to[written++] = (char)(0xE0 | character >> 12);
      to[written++] = (char)(0x80 | (character >> 6 & 0x3F));
      to[written++] = (char)(0x80 | (character & 0x3F));
    }
  }
  return written;
}

#endif
