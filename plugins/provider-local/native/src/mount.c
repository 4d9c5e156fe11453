#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Mounts taken before the pivot, to be put in place after it: then no path of theirs can lead out of the new root. */
enum { SLOTS = 256 };
static int slots[SLOTS];

bool has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; (at = strstr(at, word)); at += length)
    if ((at == list || at[-1] == ',') && (at[length] == 0 || at[length] == ',')) return true;
  return false;
}

uint64_t parse_attrs(const char *names) {
  return (has_word(names, "ro") ? BOX_ATTR_RDONLY : 0) | (has_word(names, "nosuid") ? BOX_ATTR_NOSUID : 0) |
         (has_word(names, "nodev") ? BOX_ATTR_NODEV : 0) | (has_word(names, "noexec") ? BOX_ATTR_NOEXEC : 0);
}

static unsigned long old_flags(const char *names) {
  return (has_word(names, "ro") ? MS_RDONLY : 0) | (has_word(names, "nosuid") ? MS_NOSUID : 0) |
         (has_word(names, "nodev") ? MS_NODEV : 0) | (has_word(names, "noexec") ? MS_NOEXEC : 0);
}

static int slot_of(const char *text) {
  long long value;
  if (parse_number(text, &value) && value >= 0 && value < SLOTS) return (int)value;
  errno = EINVAL;
  return -1;
}

int do_private(char **field) {
  (void)field;
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* lower, upper, work, where, options. Directories go in by descriptor: a path may hold commas and colons. */
int do_overlay(char **field) {
  int fd[3];
  for (int i = 0; i < 3; i++)
    if ((fd[i] = open(field[i], O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) return -1;
  char data[512];
  snprintf(data, sizeof data, "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d%s%s", fd[0], fd[1], fd[2],
           *field[4] ? "," : "", field[4]);
  int result = mount("amux", field[3], "overlay", MS_NODEV, data);
  int error = errno;
  for (int i = 0; i < 3; i++) close(fd[i]);
  errno = error;
  return result;
}

/* where, flags, data: an empty root in memory. */
int do_root(char **field) {
  return mount("amux", field[0], "tmpfs", old_flags(field[1]), field[2]);
}

static int take(const char *path, const char *flags) {
  bool recursive = has_word(flags, "rec");
  int fd = box_open_tree(AT_FDCWD, path, BOX_OPEN_TREE_CLONE | (recursive ? BOX_AT_RECURSIVE : 0));
  if (fd < 0) return -1;
  uint64_t attrs = parse_attrs(flags);
  if (attrs == 0 || box_mount_attr(fd, attrs, recursive) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* slot, path, flags */
int do_clone(char **field) {
  int slot = slot_of(field[0]);
  if (slot < 0) return -1;
  int fd = take(field[1], field[2]);
  if (fd < 0) return -1;
  slots[slot] = fd;
  return 0;
}

/* slot, path, flags, pid, start ticks: as another process sees the path. */
int do_foreign(char **field) {
  long long pid, ticks;
  int slot = slot_of(field[0]);
  if (slot < 0 || !parse_number(field[3], &pid) || !parse_number(field[4], &ticks)) return errno = EINVAL, -1;
  int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  int other = open_exact((pid_t)pid, (unsigned long long)ticks);
  if (own < 0 || other < 0) return errno = ESRCH, -1;
  int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (setns(other, CLONE_NEWNS) != 0) return -1;
  int fd = take(field[1], field[2]), error = errno;
  if (setns(own, CLONE_NEWNS) != 0 || fchdir(cwd) != 0) return -1;
  close(own), close(other), close(cwd);
  errno = error;
  if (fd < 0) return -1;
  slots[slot] = fd;
  return 0;
}

/* pid, start ticks: from here on the files are those that process sees. */
int do_into(char **field) {
  long long pid, ticks;
  if (!parse_number(field[0], &pid) || !parse_number(field[1], &ticks)) return errno = EINVAL, -1;
  int other = open_exact((pid_t)pid, (unsigned long long)ticks);
  if (other < 0) return errno = ESRCH, -1;
  int result = setns(other, CLONE_NEWNS), error = errno;
  close(other);
  errno = error;
  return result;
}

int do_detach(char **field) {
  return umount2(field[0], MNT_DETACH | UMOUNT_NOFOLLOW);
}

int do_pivot(char **field) {
  if (chdir(field[0]) != 0) return -1;
  /* Both on the same place: the old root ends on top of the new one, and goes. */
  if (syscall(SYS_pivot_root, ".", ".") != 0) return -1;
  if (umount2(".", MNT_DETACH) != 0) return -1;
  return chdir("/");
}

/* slot, path; the place is made when missing. A slot that was not filled is passed over. */
int do_attach(char **field) {
  int slot = slot_of(field[0]);
  if (slot < 0) return -1;
  int fd = slots[slot];
  if (fd == 0) return 0;
  struct stat stat;
  if (fstat(fd, &stat) != 0) return -1;
  if (S_ISDIR(stat.st_mode)) {
    if (make_dirs(field[1], 0755) != 0) return -1;
  } else {
    if (make_parents(field[1]) != 0) return -1;
    int file = open(field[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file >= 0) close(file);
    else if (errno != EEXIST && errno != EROFS) return -1;
  }
  if (box_move_mount(fd, AT_FDCWD, field[1], BOX_MOVE_T_SYMLINKS) != 0) return -1;
  close(fd);
  slots[slot] = 0;
  return 0;
}

/* type, path, mode of a place that is made, flags, data */
int do_mount(char **field) {
  if (make_dirs(field[1], (mode_t)strtoul(field[2], NULL, 8)) != 0) return -1;
  return mount("amux", field[1], field[0], old_flags(field[3]), *field[4] ? field[4] : NULL);
}

/* Nothing to see there any more. What does not exist needs no mask. */
int do_mask(char **field) {
  struct stat stat;
  if (lstat(field[0], &stat) != 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
  if (S_ISLNK(stat.st_mode)) return 0;
  if (S_ISDIR(stat.st_mode)) return mount("amux", field[0], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,nr_inodes=2,mode=755");
  return mount("/dev/null", field[0], NULL, MS_BIND, NULL);
}

int do_readonly(char **field) {
  int fd = take(field[0], "rec,ro,nosuid,nodev,noexec");
  if (fd < 0) return errno == ENOENT ? 0 : -1;
  int result = box_move_mount(fd, AT_FDCWD, field[0], 0);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

/* The mount a path is on becomes read-only, what is mounted below it stays. */
int do_seal(char **field) {
  int fd = open(field[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = box_mount_attr(fd, BOX_ATTR_RDONLY, false), error = errno;
  close(fd);
  errno = error;
  return result;
}
