/* What amux does with directories of a computer from beside it. */
#include "amux.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Its owner, its mode, and what an overlay and others keep beside it. */
static int become(const char *from, const char *to) {
  static char names[65536], value[65536];
  struct stat status;
  if (lstat(from, &status) < 0 || chown(to, status.st_uid, status.st_gid) < 0 || chmod(to, status.st_mode & 07777) < 0) return -1;
  ssize_t length = llistxattr(from, names, sizeof names);
  for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
    ssize_t size = lgetxattr(from, names + at, value, sizeof value);
    if (size >= 0 && lsetxattr(to, names + at, value, (size_t)size, 0) < 0 && errno != EOPNOTSUPP) return -1;
  }
  return 0;
}

static int is_folder(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* What is there already are the places of mounts: they stay, and what was in them goes there. */
static int shift(const char *from, const char *to) {
  DIR *entries = opendir(from);
  char here[4096], there[4096];
  if (!entries || become(from, to) < 0) return step_failed("open", from);
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(here, sizeof here, "%s/%s", from, entry->d_name);
    snprintf(there, sizeof there, "%s/%s", to, entry->d_name);
    int status = 0;
    if (!is_folder(there)) status = rename(here, there) < 0 ? step_failed("rename", here) : 0;
    else if (is_folder(here)) status = shift(here, there) || (rmdir(here) < 0 && step_failed("empty", here));
    else status = unlink(here) < 0 ? step_failed("remove", here) : 0;
    if (status) return closedir(entries), status;
  }
  closedir(entries);
  return 0;
}

/* Everything in one directory goes into another of the same file system; what went before is not done again. */
int shift_command(const char *from, const char *to) {
  int status = shift(from, to);
  sync();
  return status;
}

/* What a process has for its root, as the kernel says it: that line of its mountinfo. */
int root_command(const char *mountinfo) {
  static char line[65536];
  char at[4096];
  FILE *lines = fopen(mountinfo, "re");
  while (lines && fgets(line, sizeof line, lines))
    if (sscanf(line, "%*s %*s %*s %*s %4095s", at) == 1 && strcmp(at, "/") == 0) return fputs(line, stdout), fclose(lines), fflush(stdout) != 0;
  return step_failed("root", mountinfo);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)kind;
  return place->level > 0 && remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

/* Everything in a directory: what a computer's root has left there is beyond whom it belongs to. */
int clear_command(const char *directory) {
  return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ? 0 : step_failed("clear", directory);
}

/* Whether it can be read at all: what is in it need not be much. */
int reach_command(const char *directory) {
  DIR *entries = opendir(directory);
  errno = 0;
  if (!entries || (!readdir(entries) && errno)) return step_failed("reach", directory);
  return closedir(entries);
}
