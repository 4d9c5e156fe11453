/* The two strings of the guest's configuration that the supervisor needs. */
#include "amux.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_string(const char *at) {
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && at[1]) at++;
  return *at ? at + 1 : at;
}

static char *put_utf8(char *to, unsigned code) {
  if (code < 0x80) return *to = (char)code, to + 1;
  if (code < 0x800) return to[0] = (char)(0xc0 | code >> 6), to[1] = (char)(0x80 | (code & 0x3f)), to + 2;
  to[0] = (char)(0xe0 | code >> 12);
  to[1] = (char)(0x80 | (code >> 6 & 0x3f));
  to[2] = (char)(0x80 | (code & 0x3f));
  return to + 3;
}

static unsigned hex4(const char *at) {
  char digits[5] = {0};
  strncpy(digits, at, 4);
  return (unsigned)strtoul(digits, NULL, 16);
}

/* Paths outside the basic plane come unescaped from every writer we know; escaped ones are not understood. */
static char *decode(const char *at) {
  char *text = grow(NULL, strlen(at) + 1), *to = text;
  for (at++; *at && *at != '"'; at++) {
    if (*at != '\\') {
      *to++ = *at;
      continue;
    }
    at++;
    const char *plain = strchr("\"\\/", *at), *named = strchr("bfnrt", *at);
    if (*at == 'u' && strlen(at) > 4) to = put_utf8(to, hex4(at + 1)), at += 4;
    else if (plain && *at) *to++ = *at;
    else if (named && *at) *to++ = "\b\f\n\r\t"[named - "bfnrt"];
    if (!*at) break;
  }
  *to = 0;
  return text;
}

/* A member of the outermost object only: others may be called the same further in. */
char *config_string(const char *json, const char *key) {
  int depth = 0;
  for (const char *at = json; *at;) {
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    if (*at != '"') {
      at++;
      continue;
    }
    const char *after = skip_string(at);
    const char *next = after + strspn(after, " \t\r\n");
    size_t length = strlen(key);
    int is_key = depth == 1 && *next == ':' && (size_t)(after - at) == length + 2 && strncmp(at + 1, key, length) == 0;
    at = after;
    if (!is_key) continue;
    next++;
    next += strspn(next, " \t\r\n");
    return *next == '"' ? decode(next) : NULL;
  }
  return NULL;
}
