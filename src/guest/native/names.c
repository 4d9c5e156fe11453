/* The names in an archive: whether they are text, and what they lead through. */
#include "tar.h"

#include <stdio.h>
#include <string.h>

int is_text(const struct text *name) {
  const uint8_t *at = (const uint8_t *)name->data, *end = at + name->length;
  while (at < end) {
    uint8_t first = *at++;
    if (first < 0x80) continue;
    int more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
    if (more == 0 || end - at < more) return 0;
    /* Too long a form, a half of a pair, beyond the last. */
    if ((first == 0xe0 && *at < 0xa0) || (first == 0xed && *at > 0x9f) || (first == 0xf0 && *at < 0x90) || (first == 0xf4 && *at > 0x8f)) return 0;
    for (; more > 0; more--)
      if ((*at++ & 0xc0) != 0x80) return 0;
  }
  return 1;
}

/* What is wrong with it, or NULL. */
static const char *split(struct names *names, const struct text *from) {
  if (from->length > 0 && from->data[0] == '/') return "is absolute";
  if (memchr(from->data, 0, from->length)) return "contains a zero byte";
  text_set(&names->copy, from->data, from->length);
  names->count = 0;
  for (char *at = names->copy.data, *rest = NULL; (at = strtok_r(at, "/", &rest)); at = NULL) {
    if (strcmp(at, ".") == 0) continue;
    if (strcmp(at, "..") == 0) return "leads out of the archive (..)";
    if (names->count == names->room) {
      names->room = 2 * names->room + 16;
      names->all = grow(names->all, sizeof *names->all * (size_t)names->room);
    }
    names->all[names->count++] = at;
  }
  return NULL;
}

void split_or_refuse(struct names *names, const struct text *from, const char *what) {
  char words[128];
  const char *wrong = split(names, from);
  if (!wrong) return;
  snprintf(words, sizeof words, "%s %s", what, wrong);
  refuse("ERR_TAR", words);
}
