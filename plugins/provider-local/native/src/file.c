#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int make_dirs(const char *path, mode_t mode) {
  char part[4096];
  size_t length = strlen(path);
  if (length >= sizeof part) return errno = ENAMETOOLONG, -1;
  memcpy(part, path, length + 1);
  for (char *at = part + 1; *at; at++) {
    if (*at != '/') continue;
    *at = 0;
    if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS) return -1;
    *at = '/';
  }
  struct stat stat_;
  if (mkdir(part, mode) == 0) return chmod(part, mode);
  if (errno != EEXIST && errno != EROFS) return -1;
  if (stat(part, &stat_) != 0) return -1;
  return S_ISDIR(stat_.st_mode) ? 0 : (errno = ENOTDIR, -1);
}

int make_parents(const char *path) {
  char part[4096];
  const char *slash = strrchr(path, '/');
  if (!slash || slash == path) return 0;
  size_t length = (size_t)(slash - path);
  if (length >= sizeof part) return errno = ENAMETOOLONG, -1;
  memcpy(part, path, length);
  part[length] = 0;
  return make_dirs(part, 0755);
}

/* Empty: leave the owner alone. */
static int own(const char *path, const char *uid, const char *gid) {
  if (!*uid) return 0;
  return lchown(path, (uid_t)strtoul(uid, NULL, 10), (gid_t)strtoul(gid, NULL, 10));
}

/* path, mode, uid, gid: mode and owner only of what is made now. */
int do_dir(char **field) {
  struct stat stat;
  if (lstat(field[0], &stat) == 0 && S_ISDIR(stat.st_mode)) return 0;
  if (make_dirs(field[0], (mode_t)strtoul(field[1], NULL, 8)) != 0) return -1;
  return own(field[0], field[2], field[3]);
}

static bool holds(const char *path, const char *content) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat stat;
  size_t length = strlen(content);
  bool same = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && (size_t)stat.st_size == length;
  char *now = same ? read_all(fd, NULL) : NULL;
  same = now && memcmp(now, content, length) == 0;
  free(now);
  close(fd);
  return same;
}

/* path, mode, uid, gid, content: replaces whatever is there, a link itself and not its target. */
int do_file(char **field) {
  char next[4096];
  if (holds(field[0], field[4])) return 0;
  if (make_parents(field[0]) != 0) return -1;
  if ((size_t)snprintf(next, sizeof next, "%s.amux-new", field[0]) >= sizeof next) return errno = ENAMETOOLONG, -1;
  unlink(next);
  int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  bool written = write_all(fd, field[4], strlen(field[4])) && fchmod(fd, (mode_t)strtoul(field[1], NULL, 8)) == 0;
  if (close(fd) == 0 && written && own(next, field[2], field[3]) == 0 && rename(next, field[0]) == 0) return 0;
  int error = errno;
  unlink(next);
  errno = error;
  return -1;
}

/* path, target: left alone when there is something. */
int do_link(char **field) {
  if (make_parents(field[0]) != 0) return -1;
  return symlink(field[1], field[0]) == 0 || errno == EEXIST ? 0 : -1;
}

/* path, mode, major, minor */
int do_node(char **field) {
  dev_t number = makedev((unsigned)strtoul(field[2], NULL, 10), (unsigned)strtoul(field[3], NULL, 10));
  mode_t mode = (mode_t)strtoul(field[1], NULL, 8);
  return mknod(field[0], S_IFCHR | mode, number) == 0 ? chmod(field[0], mode) : -1;
}
