/* Keeps an entry of an overlay's lower layer out of the merged view, by what the upper layer says about it. */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char OPAQUE[] = "trusted.overlay.opaque";

static bool is_opaque(int fd) {
  char value;
  return fgetxattr(fd, OPAQUE, &value, 1) == 1 && value == 'y';
}

/* One component below a directory of the upper layer: opened, or made like the lower one. -2: nothing of the lower shows there. */
static int descend(int upper, int lower, const char *name) {
  int fd = openat(upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && is_opaque(fd)) return close(fd), -2;
  if (fd >= 0) return fd;
  if (errno == ENOTDIR || errno == ELOOP) return -2;
  struct stat stat;
  if (errno != ENOENT || fstat(lower, &stat) != 0) return -1;
  if (mkdirat(upper, name, 0700) != 0) return -1;
  fd = openat(upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fchown(fd, stat.st_uid, stat.st_gid) != 0 || fchmod(fd, stat.st_mode & 07777) != 0) return -1;
  return fd;
}

static int hide_at(int dir, const char *name, bool empty, char **field) {
  struct stat stat;
  if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISDIR(stat.st_mode)) return 0;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = is_opaque(fd) ? 0 : fsetxattr(fd, OPAQUE, "y", 1, 0);
    close(fd);
    return result;
  }
  if (errno != ENOENT) return -1;
  if (!empty) return mknodat(dir, name, S_IFCHR, makedev(0, 0));
  if (mkdirat(dir, name, 0700) != 0) return -1;
  int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  bool done = fsetxattr(fd, OPAQUE, "y", 1, 0) == 0 && fchown(fd, (uid_t)strtoul(field[4], NULL, 10), (gid_t)strtoul(field[5], NULL, 10)) == 0 &&
              fchmod(fd, (mode_t)strtoul(field[3], NULL, 8)) == 0;
  close(fd);
  return done ? 0 : -1;
}

/* upper, lower, path relative to both, mode of an empty directory in its place ("" for nothing at all), uid, gid */
int do_hide(char **field) {
  char path[4096];
  char *shifted[6] = {field[0], field[1], field[2], field[3], field[4], field[5]};
  if (strlen(field[2]) >= sizeof path) return errno = ENAMETOOLONG, -1;
  strcpy(path, field[2]);
  int upper = open(field[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC), lower = open(field[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (upper < 0 || lower < 0) return -1;
  char *name = path;
  for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
    *slash = 0;
    int below = openat(lower, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int next = below < 0 ? -2 : descend(upper, below, name);
    int error = errno;
    close(upper), close(lower);
    upper = next, lower = below;
    errno = error;
    if (next == -2) {
      if (below >= 0) close(below);
      return 0;
    }
    if (next < 0) return -1;
  }
  int result = hide_at(upper, name, *field[3] != 0, shifted), error = errno;
  close(upper), close(lower);
  errno = error;
  return result;
}
