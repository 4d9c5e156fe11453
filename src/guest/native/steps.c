/* Directories below one that are entered step by step and held open, so that no link on the way is ever followed. */
#include "tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void push(struct steps *steps, const char *name, int fd, int made) {
  if (steps->count == steps->room) {
    steps->room = 2 * steps->room + 16;
    steps->levels = grow(steps->levels, sizeof *steps->levels * (size_t)steps->room);
  }
  steps->levels[steps->count++] = (struct level){copy_of(name), fd, made};
}

void steps_begin(struct steps *steps, int root, void (*adopt)(int fd)) {
  *steps = (struct steps){.adopt = adopt};
  push(steps, "", root, 0);
}

static void refuse_step(int parent, const char *name, int is_target) {
  struct stat there;
  if (is_target) refuse("ERR_TAR", "it is a hard link to something that is not in the archive");
  int why = errno;
  if ((why == ENOTDIR || why == ELOOP) && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0)
    refuse("ERR_TAR_CONFLICT", S_ISLNK(there.st_mode) ? "it would be written through a link" : "a file is in the place of one of its directories");
  errno = why;
  failed("open");
}

static void step(struct steps *steps, const char *name) {
  int parent = steps->levels[steps->count - 1].fd, made = 0;
  if (steps->adopt) {
    made = mkdirat(parent, name, 0755) == 0;
    if (!made && errno != EEXIST) failed("mkdir");
  }
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  /* Who may not list it may still go through it. */
  if (fd < 0 && errno == EACCES) fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) refuse_step(parent, name, !steps->adopt);
  push(steps, name, fd, made);
  if (made) steps->adopt(fd);
}

/* The directory with these names, good until the next call. */
const struct level *steps_enter(struct steps *steps, char *const *names, int count) {
  int depth = 0;
  while (depth < count && depth + 1 < steps->count && strcmp(steps->levels[depth + 1].name, names[depth]) == 0) depth++;
  while (steps->count > depth + 1) {
    struct level *last = &steps->levels[--steps->count];
    close(last->fd);
    free(last->name);
  }
  for (; depth < count; depth++) step(steps, names[depth]);
  return &steps->levels[steps->count - 1];
}
