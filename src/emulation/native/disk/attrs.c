#define _GNU_SOURCE
#include "attrs.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/xattr.h>

/* The kernel's limit for a list of attributes and for the value of one. */
enum { LARGEST = 65536 };

void take_stat(struct entry *entry, const struct wide_stat *stat) {
  entry->mode = stat->mode;
  entry->uid = stat->uid;
  entry->gid = stat->gid;
  entry->mtime = stat->mtime.seconds;
  entry->mtime_nanos = stat->mtime.nanos;
  entry->ctime = stat->ctime.seconds * 1000000000 + stat->ctime.nanos;
  entry->ino = stat->ino;
  if (S_ISREG(stat->mode)) entry->size = stat->size;
  if (S_ISCHR(stat->mode) || S_ISBLK(stat->mode)) entry->device = stat->rdev_major << 20 | stat->rdev_minor;
  entry->flags = (stat->attributes & WIDE_IMMUTABLE ? IS_IMMUTABLE : 0) | (stat->attributes & WIDE_APPEND ? IS_APPEND : 0) | (stat->attributes & WIDE_NODUMP ? IS_NODUMP : 0);
}

/* Labels belong to the machine, and what a network file system says of its own is not ours to set. */
static bool is_covered(const char *name) {
  if (strncmp(name, "system.", 7) == 0) return strncmp(name + 7, "posix_acl_", 10) == 0;
  return strcmp(name, "security.selinux") != 0 && strcmp(name, "security.ima") != 0 && strcmp(name, "security.evm") != 0;
}

static int compare_names(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sorted names in `names`, which point into a buffer that holds until the next call. -1 with errno. */
static int list_xattrs(const char *name, char ***names) {
  static char list[LARGEST];
  static char *sorted[LARGEST / 2];
  ssize_t length = llistxattr(name, list, sizeof list);
  if (length < 0) return errno == ENOTSUP ? 0 : -1;
  int count = 0;
  for (char *at = list; at < list + length; at += strlen(at) + 1)
    if (is_covered(at)) sorted[count++] = at;
  qsort(sorted, (size_t)count, sizeof *sorted, compare_names);
  *names = sorted;
  return count;
}

bool take_xattrs(const char *name, struct index *index, uint32_t *xattrs) {
  static char value[LARGEST];
  static struct bytes all;
  char **names;
  int count = list_xattrs(name, &names);
  *xattrs = 0;
  if (count <= 0) return count == 0;
  all.used = 0;
  for (int i = 0; i < count; i++) {
    ssize_t length = lgetxattr(name, names[i], value, sizeof value);
    if (length < 0 && (errno == ENODATA || errno == ENOTSUP)) continue;
    if (length < 0) return false;
    uint32_t head = (uint32_t)length;
    bytes_add(&all, names[i], strlen(names[i]) + 1);
    bytes_add(&all, &head, sizeof head);
    bytes_add(&all, value, head);
  }
  if (all.used > 0) *xattrs = index_intern(index, all.data, all.used) + 1;
  return true;
}

bool take_target(const char *name, struct index *index, uint32_t *target) {
  static char text[PATH_MAX + 1];
  ssize_t length = readlink(name, text, sizeof text);
  if (length < 0) return false;
  *target = index_intern(index, text, (size_t)length);
  return true;
}

bool same_xattrs(const struct index *a, uint32_t left, const struct index *b, uint32_t right) {
  if (!left || !right) return left == right;
  size_t left_length, right_length;
  const char *x = index_blob(a, left - 1, &left_length), *y = index_blob(b, right - 1, &right_length);
  return left_length == right_length && memcmp(x, y, left_length) == 0;
}

static bool same_content(const struct index *a, const struct entry *left, const struct index *b, const struct entry *right) {
  if ((left->flags | right->flags) & IS_UNKNOWN || left->size != right->size) return false;
  const struct object *x = object_of(a, left), *y = object_of(b, right);
  return x == y || (x && y && x->pack == y->pack && x->offset == y->offset);
}

static bool same_target(const struct index *a, const struct entry *left, const struct index *b, const struct entry *right) {
  size_t left_length, right_length;
  const char *x = index_blob(a, left->target, &left_length), *y = index_blob(b, right->target, &right_length);
  return left_length == right_length && memcmp(x, y, left_length) == 0;
}

unsigned differences(const struct index *a, const struct entry *left, const struct index *b, const struct entry *right) {
  unsigned found = 0;
  mode_t kind = left->mode & S_IFMT;
  if (kind != (right->mode & S_IFMT)) return DIFFERS_TYPE;
  if (kind == S_IFREG && !same_content(a, left, b, right)) found |= DIFFERS_CONTENT;
  if (kind == S_IFLNK && !same_target(a, left, b, right)) found |= DIFFERS_TARGET;
  if ((kind == S_IFCHR || kind == S_IFBLK) && left->device != right->device) found |= DIFFERS_TYPE;
  if (left->mode != right->mode) found |= DIFFERS_MODE;
  if (left->uid != right->uid || left->gid != right->gid) found |= DIFFERS_OWNER;
  if (left->mtime != right->mtime || left->mtime_nanos != right->mtime_nanos) found |= DIFFERS_TIME;
  if (((left->flags ^ right->flags) & KEPT_FLAGS) || !same_xattrs(a, left->xattrs, b, right->xattrs)) found |= DIFFERS_ATTRIBUTES;
  return found;
}
