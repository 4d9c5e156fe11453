/* A directory may be closed to writing, and has its time: only once everything is in it. Of one that is said twice the last word counts. */
#include "tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct closing {
  char *name; /* its parts, and nothing between them but a slash */
  int64_t mode;
  struct timespec mtime;
  int order;
};
static struct closing *closings;
static int closing_count, closing_room;

void close_later(const struct names *names, const struct entry *entry) {
  static struct text name;
  /* The root's own entry describes the sender's directory. */
  if (names->count == 0) return;
  if (closing_count == closing_room) {
    closing_room = 2 * closing_room + 64;
    closings = grow(closings, sizeof *closings * (size_t)closing_room);
  }
  text_set(&name, "", 0);
  for (int at = 0; at < names->count; at++) {
    if (at > 0) text_add(&name, "/", 1);
    text_add(&name, names->all[at], strlen(names->all[at]));
  }
  closings[closing_count] = (struct closing){copy_of(name.data), entry->mode, entry->mtime, closing_count};
  closing_count++;
}

static int by_name(const void *a, const void *b) {
  const struct closing *one = a, *other = b;
  int names = strcmp(one->name, other->name);
  return names ? names : one->order - other->order;
}

/* One that was opened only to be gone through is changed by the name of its descriptor. */
static const char *by_descriptor(int fd) {
  static char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return path;
}

static void close_directory(struct steps *steps, const struct closing *one, mode_t mask, int with_times) {
  static struct names names;
  struct text name = {.data = one->name, .length = strlen(one->name)};
  subject.name = name.data;
  subject.length = name.length;
  split_or_refuse(&names, &name, "its name");
  int fd = steps_enter(steps, names.all, names.count)->fd;
  mode_t mode = (mode_t)(one->mode & 0777) & ~mask;
  struct timespec times[2] = {one->mtime, one->mtime};
  if (fchmod(fd, mode) < 0 && (errno != EBADF || chmod(by_descriptor(fd), mode) < 0)) failed("fchmod");
  if (!with_times) return;
  if (futimens(fd, times) < 0 && (errno != EBADF || utimensat(AT_FDCWD, by_descriptor(fd), times, 0) < 0)) failed("futimens");
}

void close_directories(struct steps *steps, mode_t mask, int with_times) {
  if (closing_count > 0) qsort(closings, (size_t)closing_count, sizeof *closings, by_name);
  const char *last = NULL;
  for (int at = closing_count - 1; at >= 0; last = closings[at--].name)
    if (!last || strcmp(last, closings[at].name) != 0) close_directory(steps, &closings[at], mask, with_times);
}
