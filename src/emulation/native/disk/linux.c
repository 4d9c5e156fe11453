#define _GNU_SOURCE
#include "linux.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(offsetof(struct wide_stat, mount) == 0x90, "statx layout");
_Static_assert(sizeof(struct wide_stat) == 256, "statx size");

enum { BASIC_AND_MOUNT = 0x7ff | 0x1000, NO_AUTOMOUNT = 0x800, EMPTY_PATH = 0x1000, FCHMODAT2 = 452, OPENAT2 = 437 };

int wide_stat(int dir, const char *name, struct wide_stat *stat) {
  int flags = AT_SYMLINK_NOFOLLOW | NO_AUTOMOUNT | (*name ? 0 : EMPTY_PATH);
  if (syscall(SYS_statx, dir, name, flags, BASIC_AND_MOUNT, stat) != 0) return -1;
  /* A kernel without mount numbers: the device tells most mounts apart. */
  if (!(stat->mask & 0x1000)) stat->mount = (uint64_t)stat->dev_major << 32 | stat->dev_minor;
  return 0;
}

int change_mode(int dir, const char *name, mode_t mode) {
  if (syscall(FCHMODAT2, dir, name, mode, AT_SYMLINK_NOFOLLOW) == 0) return 0;
  if (errno != ENOSYS) return -1;
  struct stat stat;
  if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (S_ISLNK(stat.st_mode)) {
    errno = ELOOP;
    return -1;
  }
  return fchmodat(dir, name, mode, 0);
}

int clone_file(int to, int from) {
  return ioctl(to, _IOW(0x94, 9, int), from);
}

int clone_range(int to, uint64_t at, int from, uint64_t offset, uint64_t length) {
  struct {
    int64_t from;
    uint64_t offset, length, at;
  } range = {from, offset, length, at};
  return ioctl(to, _IOW(0x94, 13, range), &range);
}

int get_flags(int fd, int *flags) {
  return ioctl(fd, _IOR('f', 1, long), flags);
}

int set_flags(int fd, int flags) {
  return ioctl(fd, _IOW('f', 2, long), &flags);
}

int open_beneath(int dir, const char *path, int flags) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)(flags | O_CLOEXEC), 0, 0x08 /* beneath */ | 0x04 /* no links */};
  return (int)syscall(OPENAT2, dir, path, &how, sizeof how);
}
