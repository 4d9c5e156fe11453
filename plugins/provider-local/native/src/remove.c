/*
 * amux-box remove DIR [LOCK]: deletes a tree without following a link and without entering another mount, at any depth.
 * With the name of a lock file in it: not while somebody holds that (status 3).
 */
#include "box.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEEPEST = 200, IMMUTABLE = 0x10, APPEND_ONLY = 0x20 };

/* As in linux/fs.h, which is not at hand. */
#define GET_FLAGS _IOR('f', 1, long)
#define SET_FLAGS _IOW('f', 2, long)

static int top;
static uint64_t home_mount;
static unsigned moved;
static bool again;

/* struct statx as far as the mount's number, which older headers do not have. */
struct wide_stat {
  uint32_t mask, skipped[35];
  uint64_t mount;
  uint64_t rest[13];
};
_Static_assert(offsetof(struct wide_stat, mount) == 0x90, "statx layout");
_Static_assert(sizeof(struct wide_stat) == 256, "statx size");

static bool mount_of(int fd, uint64_t *mount) {
  struct wide_stat stat;
  if (syscall(SYS_statx, fd, "", BOX_AT_EMPTY_PATH, 0x1000 /* STATX_MNT_ID */, &stat) != 0) return false;
  *mount = stat.mount;
  return true;
}

static int open_dir(int dir, const char *name) {
  int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(dir, name, flags);
  if (fd >= 0 || errno != EACCES || fchmodat(dir, name, 0700, 0) != 0) return fd;
  return openat(dir, name, flags);
}

/* Immutable and append-only are made to go by who may. */
static bool loosen(int fd) {
  int flags;
  if (ioctl(fd, GET_FLAGS, &flags) != 0 || !(flags & (IMMUTABLE | APPEND_ONLY))) return false;
  flags &= ~(IMMUTABLE | APPEND_ONLY);
  return ioctl(fd, SET_FLAGS, &flags) == 0;
}

static bool loosen_file(int dir, const char *name) {
  struct stat stat;
  if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(stat.st_mode)) return false;
  int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  bool done = fd >= 0 && loosen(fd);
  if (fd >= 0) close(fd);
  return done;
}

static bool empty_dir(int dir, int depth);

static bool drop(int dir, const char *name, int depth) {
  if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) return true;
  if (errno == EACCES && fchmod(dir, 0700) == 0 && unlinkat(dir, name, 0) == 0) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  if (errno == EPERM && loosen_file(dir, name)) return unlinkat(dir, name, 0) == 0;
  int fd = open_dir(dir, name);
  if (fd < 0) return false;
  uint64_t mount;
  if (!mount_of(fd, &mount) || mount != home_mount) return close(fd), errno = EXDEV, false;
  if (depth == DEEPEST) {
    char aside[32];
    close(fd);
    snprintf(aside, sizeof aside, ".deep-%u", moved++);
    return again = true, renameat(dir, name, top, aside) == 0;
  }
  bool done = empty_dir(fd, depth + 1);
  return done && unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

static bool empty_dir(int fd, int depth) {
  DIR *list = fdopendir(fd);
  if (!list) return close(fd), false;
  loosen(fd);
  bool done = true;
  for (struct dirent *entry; done && (entry = readdir(list));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    done = drop(fd, entry->d_name, depth);
    if (!done) say(2, "%s: %s\n", entry->d_name, strerror(errno));
  }
  int error = errno;
  closedir(list);
  errno = error;
  return done;
}

int remove_main(int argc, char **argv) {
  if (argc != 2 && argc != 3) return say(2, "usage: amux-box remove DIR [LOCK]\n"), 2;
  top = open(argv[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (top < 0) return errno == ENOENT ? 0 : (say(2, "%s: %s\n", argv[1], strerror(errno)), 1);
  if (!mount_of(top, &home_mount)) return say(2, "statx: %s\n", strerror(errno)), 1;
  int lock = argc == 3 ? openat(top, argv[2], O_RDWR | O_NOFOLLOW | O_CLOEXEC) : -1;
  if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) return 3;
  do {
    again = false;
    if (!empty_dir(openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0)) return 1;
  } while (again);
  if (rmdir(argv[1]) == 0) return 0;
  say(2, "%s: %s\n", argv[1], strerror(errno));
  return 1;
}
