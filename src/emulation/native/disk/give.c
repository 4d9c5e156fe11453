#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "attrs.h"

bool each_xattr(const struct index *index, uint32_t xattrs, xattr_visitor each, void *context) {
  if (!xattrs) return true;
  size_t length;
  const char *at = index_blob(index, xattrs - 1, &length), *end = at + length;
  while (at < end) {
    const char *name = at;
    size_t name_length = strnlen(at, (size_t)(end - at));
    uint32_t size;
    if (name_length == 0 || (size_t)(end - at) < name_length + 1 + sizeof size) break;
    memcpy(&size, at + name_length + 1, sizeof size);
    at += name_length + 1 + sizeof size;
    if (size > (size_t)(end - at)) break;
    if (!each(context, name, at, size)) return false;
    at += size;
  }
  if (at == end) return true;
  errno = EILSEQ;
  return false;
}

static bool set_one(void *context, const char *name, const char *value, size_t length) {
  return lsetxattr(context, name, value, length, 0) == 0;
}

struct lookup {
  const char *name;
  bool found;
};

static bool is_it(void *context, const char *name, const char *value, size_t length) {
  struct lookup *lookup = context;
  (void)value;
  (void)length;
  if (strcmp(name, lookup->name) == 0) lookup->found = true;
  return true;
}

/* What is there may be inherited (a default ACL) or from before. */
static bool give_xattrs(const char *name, const struct index *index, const struct entry *entry) {
  static char list[65536];
  ssize_t length = llistxattr(name, list, sizeof list);
  if (length < 0 && errno != ENOTSUP) return false;
  for (char *at = list; at < list + length; at += strlen(at) + 1) {
    struct lookup lookup = {at, strncmp(at, "security.selinux", 17) == 0 || strncmp(at, "security.ima", 13) == 0 || strncmp(at, "security.evm", 13) == 0};
    if (!lookup.found && strncmp(at, "system.", 7) == 0) lookup.found = strncmp(at + 7, "posix_acl_", 10) != 0;
    if (!each_xattr(index, entry->xattrs, is_it, &lookup)) return false;
    if (!lookup.found && lremovexattr(name, at) != 0 && errno != ENODATA) return false;
  }
  return each_xattr(index, entry->xattrs, set_one, (void *)name);
}

bool give_time(const char *name, const struct entry *entry) {
  struct timespec times[2] = {{0, UTIME_OMIT}, {entry->mtime, entry->mtime_nanos}};
  return utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW) == 0;
}

bool give_metadata(const char *name, const struct index *index, const struct entry *entry) {
  struct stat stat;
  if (fstatat(AT_FDCWD, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) return false;
  /* A change of owner takes setuid bits and capabilities away, an ACL changes the mode: hence the order. */
  bool owner = stat.st_uid != entry->uid || stat.st_gid != entry->gid;
  if (owner && fchownat(AT_FDCWD, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (!give_xattrs(name, index, entry)) return false;
  if (!S_ISLNK(entry->mode) && change_mode(AT_FDCWD, name, entry->mode & 07777) != 0) return false;
  return give_time(name, entry);
}

bool give_flags(const char *name, unsigned flags) {
  int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), have, mask = FLAG_IMMUTABLE | FLAG_APPEND | FLAG_NODUMP;
  if (fd < 0) return false;
  int wanted = (flags & IS_IMMUTABLE ? FLAG_IMMUTABLE : 0) | (flags & IS_APPEND ? FLAG_APPEND : 0) | (flags & IS_NODUMP ? FLAG_NODUMP : 0);
  bool done = get_flags(fd, &have) == 0 && ((have & mask) == wanted || set_flags(fd, (have & ~mask) | wanted) == 0);
  int error = errno;
  close(fd);
  errno = error;
  return done;
}
