#define _GNU_SOURCE
#include "untar.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "tool.h"

static uint64_t sum;
/* Content is summed by blocks; this many bytes of the current one are in `partial`. */
static char partial[TAR_BLOCK];
static size_t pending;

void untar_drain(void) {
  static char rest[65536];
  /* A writer is not to meet a closed pipe for the zeros that end every archive. */
  for (int i = 0; i < 16 && read(0, rest, sizeof rest) > 0; i++) continue;
}

uint64_t untar_sum(void) {
  return sum;
}

bool untar_bad(const char *what) {
  return fail_as(EBADMSG, "import", what, "this is no checkpoint that amux exported");
}

static bool pull(char *to, size_t length) {
  for (size_t got = 0; got < length;) {
    ssize_t more = read(0, to + got, length - got);
    if (asked_to_end) return fail_as(EINTR, "interrupted", "", NULL);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return fail("import", "");
    if (more == 0) return fail_as(EBADMSG, "import", "", "it ends too early");
    got += (size_t)more;
  }
  return true;
}

bool untar_read(char *to, size_t length) {
  if (!pull(to, length)) return false;
  for (size_t at = 0; at < length;) {
    size_t take = TAR_BLOCK - pending < length - at ? TAR_BLOCK - pending : length - at;
    memcpy(partial + pending, to + at, take);
    at += take;
    pending = (pending + take) % TAR_BLOCK;
    if (pending == 0) sum = tar_sum(sum, partial, TAR_BLOCK);
  }
  return true;
}

bool untar_end_content(uint64_t size) {
  char rest[TAR_BLOCK];
  return untar_read(rest, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

static bool number(const char *field, size_t room, uint64_t *value) {
  char text[16];
  memcpy(text, field, room);
  text[room] = 0;
  char *at = text, *end;
  while (*at == ' ') at++;
  *value = strtoull(at, &end, 8);
  while (*end == ' ') end++;
  return *at != '-' && *at != '+' && *end == 0;
}

static bool decimal(const char *text, uint64_t most, uint64_t *value) {
  char *end;
  errno = 0;
  *value = strtoull(text, &end, 10);
  return *text >= '0' && *text <= '9' && errno == 0 && *end == 0 && *value <= most;
}

static bool time_value(const char *text, struct tar_entry *entry) {
  char *end;
  errno = 0;
  entry->mtime = strtoll(text, &end, 10);
  entry->mtime_nanos = 0;
  if (end == text || errno) return false;
  if (*end == 0) return true;
  if (*end++ != '.' || strlen(end) != 9 || strspn(end, "0123456789") != 9) return false;
  entry->mtime_nanos = (uint32_t)strtoul(end, NULL, 10);
  return true;
}

static bool apply_record(struct tar_entry *entry, const char *key, const char *value, size_t length) {
  uint64_t wide;
  bool text = strlen(value) == length;
  if (strncmp(key, TAR_XATTR, strlen(TAR_XATTR)) == 0) {
    const char *name = key + strlen(TAR_XATTR);
    if (entry->xattr_count == MOST_XATTRS || length > 65536 || strlen(name) > 255 || !is_portable_xattr(name)) return false;
    entry->xattrs[entry->xattr_count++] = (struct tar_xattr){name, value, length};
    return true;
  }
  if (!text) return false;
  if (strcmp(key, "path") == 0) return (entry->path = value);
  if (strcmp(key, "linkpath") == 0) return (entry->link = value);
  if (strcmp(key, "mtime") == 0) return time_value(value, entry);
  if (strcmp(key, "size") == 0) return decimal(value, 1ull << 60, &entry->size);
  if (strcmp(key, TAR_KIND) == 0) return (entry->socket = strcmp(value, "socket") == 0);
  if (strcmp(key, "uid") == 0) return decimal(value, UINT32_MAX, &wide) && (entry->uid = (uint32_t)wide, true);
  if (strcmp(key, "gid") == 0) return decimal(value, UINT32_MAX, &wide) && (entry->gid = (uint32_t)wide, true);
  if (strcmp(key, TAR_FLAGS) == 0) return decimal(value, 7, &wide) && (entry->flags = (uint32_t)wide, true);
  return strncmp(key, TAR_TREE ".", strlen(TAR_TREE) + 1) == 0;
}

/* Splits the extension in place: every key and value becomes NUL-terminated. */
static bool apply_extension(struct tar_entry *entry) {
  char *at = entry->extension.data, *end = at + entry->extension.used;
  while (at < end) {
    char *after;
    size_t length = strtoul(at, &after, 10);
    if (*at < '1' || *at > '9' || *after != ' ' || length > (size_t)(end - at) || at[length - 1] != '\n' || after + 1 >= at + length) return false;
    char *key = after + 1, *equals = memchr(key, '=', (size_t)(at + length - key));
    if (!equals || equals == key || memchr(key, 0, (size_t)(equals - key))) return false;
    *equals = 0;
    at[length - 1] = 0;
    if (!apply_record(entry, key, equals + 1, (size_t)(at + length - 1 - (equals + 1)))) return false;
    at += length;
  }
  return true;
}

const char *untar_record(const struct tar_entry *entry, const char *key) {
  /* As apply_extension left it: NUL in the place of each `=` and newline. */
  const char *at = entry->extension.data, *end = at + entry->extension.used;
  while (at < end) {
    char *after;
    size_t length = strtoul(at, &after, 10);
    if (strcmp(after + 1, key) == 0) return after + 1 + strlen(key) + 1;
    at += length;
  }
  return NULL;
}

static bool read_header(struct tar_header *head) {
  if (!untar_read((char *)head, sizeof *head)) return false;
  uint64_t told;
  unsigned total = 0;
  for (size_t i = 0; i < sizeof *head; i++) total += i >= 148 && i < 156 ? ' ' : ((unsigned char *)head)[i];
  if (memcmp(head->magic, "ustar\00000", 8) != 0 || !number(head->sum, sizeof head->sum, &told) || told != total) return untar_bad("header");
  return true;
}

bool untar_next(struct tar_entry *entry) {
  struct tar_header head;
  uint64_t mode, uid, gid, size, major = 0, minor = 0;
  struct bytes extension = entry->extension;
  *entry = (struct tar_entry){.extension = extension};
  entry->extension.used = 0;
  if (!read_header(&head)) return false;
  bool extended = head.type == 'x';
  if (extended) {
    if (!number(head.size, sizeof head.size, &size) || size > LARGEST_EXTENSION) return untar_bad("extension");
    if (!untar_read(bytes_room(&entry->extension, size + 1), size) || !untar_end_content(size)) return false;
    entry->extension.used = size;
    entry->extension.data[size] = 0;
    if (!read_header(&head)) return false;
  }
  if (!number(head.mode, sizeof head.mode, &mode) || !number(head.uid, sizeof head.uid, &uid) || !number(head.gid, sizeof head.gid, &gid)) return untar_bad("header");
  if (!number(head.size, sizeof head.size, &size)) return untar_bad("size");
  if ((head.type == '3' || head.type == '4') && (!number(head.major, sizeof head.major, &major) || !number(head.minor, sizeof head.minor, &minor))) return untar_bad("device");
  entry->type = head.type;
  entry->mode = mode & 07777;
  entry->uid = (uint32_t)uid;
  entry->gid = (uint32_t)gid;
  entry->size = size;
  entry->major = (uint32_t)major;
  entry->minor = (uint32_t)minor;
  snprintf(entry->name, sizeof entry->name, "%.100s", head.name);
  entry->path = entry->name;
  if (major > 0xfff || minor > 0xfffff || (extended && !apply_extension(entry))) return untar_bad(entry->name);
  return true;
}
