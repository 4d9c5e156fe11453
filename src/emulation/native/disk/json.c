#define _GNU_SOURCE
#include <string.h>
#include "tool.h"

/* Length of the UTF-8 sequence at `at`, 0 when it is none. */
static size_t sequence(const unsigned char *at, size_t left) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = *at < 0x80 ? 1 : *at >= 0xC2 && *at < 0xE0 ? 2 : *at >= 0xE0 && *at < 0xF0 ? 3 : *at >= 0xF0 && *at < 0xF5 ? 4 : 0;
  if (length == 0 || length > left) return 0;
  if (length == 1) return 1;
  uint32_t point = *at & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xC0) != 0x80) return 0;
    point = point << 6 | (at[i] & 0x3F);
  }
  bool surrogate = point >= 0xD800 && point < 0xE000;
  return point < least[length] || point > 0x10FFFF || surrogate ? 0 : length;
}

void json_string(struct bytes *out, const char *text, size_t length) {
  const unsigned char *at = (const unsigned char *)text;
  bytes_add(out, "\"", 1);
  for (size_t i = 0; i < length;) {
    size_t wide = sequence(at + i, length - i);
    if (wide == 0) bytes_add(out, "\xEF\xBF\xBD", 3);
    else if (at[i] < 32 || at[i] == 127) bytes_text(out, "\\u%04x", at[i]);
    else if (at[i] == '"' || at[i] == '\\') bytes_text(out, "\\%c", at[i]);
    else bytes_add(out, at + i, wide);
    i += wide ? wide : 1;
  }
  bytes_add(out, "\"", 1);
}

bool valid_meta(const char *meta) {
  size_t length = strlen(meta);
  return length >= 2 && meta[0] == '{' && meta[length - 1] == '}' && !strpbrk(meta, "\n\r");
}
