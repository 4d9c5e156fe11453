#define _GNU_SOURCE
#include "text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

static void unescape(char *text) {
  char *to = text;
  for (char *from = text; *from; from++) {
    if (from[0] == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
      *to++ = (char)(hex(from[1]) * 16 + hex(from[2]));
      from += 2;
    } else {
      *to++ = *from;
    }
  }
  *to = 0;
}

int split_fields(char *line, char **fields) {
  int count = 0;
  for (char *at = line; at;) {
    if (count == MAX_FIELDS) return -1;
    char *tab = strchr(at, '\t');
    if (tab) *tab = 0;
    fields[count++] = at;
    at = tab ? tab + 1 : NULL;
  }
  for (int i = 0; i < count; i++) unescape(fields[i]);
  return count;
}

void escape_field(const char *text, char *to, size_t room) {
  size_t used = 0;
  for (const unsigned char *at = (const unsigned char *)text; *at && used + 4 <= room; at++) {
    if (*at < 32 || *at > 126 || *at == '%') used += (size_t)snprintf(to + used, room - used, "%%%02X", *at);
    else to[used++] = (char)*at;
  }
  to[used] = 0;
}

char *read_all(int fd, size_t *length) {
  size_t size = 65536, used = 0;
  char *data = malloc(size + 1);
  while (data) {
    if (used == size) {
      char *more = realloc(data, (size *= 2) + 1);
      if (!more) break;
      data = more;
    }
    ssize_t got = read(fd, data + used, size - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) {
      data[used] = 0;
      if (length) *length = used;
      return data;
    }
    used += (size_t)got;
  }
  int error = errno;
  free(data);
  errno = error;
  return NULL;
}

bool write_all(int fd, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t done = write(fd, at, length);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    at += done;
    length -= (size_t)done;
  }
  return true;
}

bool say(int fd, const char *format, ...) {
  char line[16384];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (length < 0) return false;
  if ((size_t)length >= sizeof line) length = sizeof line - 1;
  return write_all(fd, line, (size_t)length);
}

bool parse_number(const char *text, long long *value) {
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  return errno == 0 && end != text && *end == 0;
}
