/* Puts a directory on a computer that runs: one that a program beside it has goes where the computer's first process will see it. */
#include "amux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of Linux 5.2, the same on every machine; musl does not know them yet. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#define TREE_CLONE 1
#define TREE_RECURSIVE 0x8000
#define FROM_DESCRIPTOR 4

static int refuse(const char *step, const char *subject) {
  note("%s %s: %s", step, subject, strerror(errno));
  return 1;
}

static int make_all(const char *path) {
  char above[PATH_MAX];
  if (strlen(path) >= sizeof above) return errno = ENAMETOOLONG, -1;
  for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
    snprintf(above, sizeof above, "%.*s", (int)(end - path), path);
    if (mkdir(above, 0755) < 0 && errno != EEXIST) return -1;
  }
  return mkdir(path, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

/* What is in it would be out of sight. */
static int is_empty(const char *path) {
  DIR *entries = opendir(path);
  if (!entries) return 0;
  int count = 0;
  while (count < 3 && readdir(entries)) count++;
  closedir(entries);
  errno = ENOTEMPTY;
  return count < 3;
}

int show_command(const char *directory, const char *at) {
  struct stat ours, theirs;
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, directory, TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
  if (tree < 0 || fstat(tree, &ours) < 0) return refuse("take", directory);
  int space = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNS) < 0) return refuse("enter", "the computer");
  while (stat(at, &theirs) == 0) {
    if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino) return 0;
    if (theirs.st_nlink > 0) break;
    /* One that was there before and is deleted: nothing can be put on that. */
    if (umount2(at, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) return refuse("free", at);
  }
  if (make_all(at) < 0) return refuse("make", at);
  if (!is_empty(at)) return refuse("fill", at);
  return syscall(SYS_move_mount, tree, "", AT_FDCWD, at, FROM_DESCRIPTOR) < 0 ? refuse("put", at) : 0;
}
