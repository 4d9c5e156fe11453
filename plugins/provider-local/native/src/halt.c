/* Stops all processes of a computer by signals, from outside, where it has no control group. */
#include "box.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
  pid_t pid, parent;
  unsigned long long ticks;
  char state;
  bool inside, eldest;
};

static struct seen *all;
static size_t count, room;

static bool look(pid_t pid, struct seen *seen) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC), parent;
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  char *at = strrchr(text, ')');
  if (!at || sscanf(at + 2, "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &seen->state, &parent, &seen->ticks) != 3) return false;
  seen->pid = pid, seen->parent = parent;
  return true;
}

static ino_t space_of(pid_t pid) {
  char path[64];
  struct stat stat_;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
  return stat(path, &stat_) == 0 ? stat_.st_ino : 0;
}

static int by_pid(const void *a, const void *b) {
  return ((const struct seen *)a)->pid - ((const struct seen *)b)->pid;
}

static bool is_inside(pid_t pid) {
  struct seen key = {.pid = pid}, *found = bsearch(&key, all, count, sizeof *all, by_pid);
  return found && found->inside;
}

static void list(pid_t first) {
  DIR *proc = opendir("/proc");
  ino_t space = space_of(first);
  count = 0;
  for (struct dirent *entry; proc && (entry = readdir(proc));) {
    if (!isdigit((unsigned char)*entry->d_name)) continue;
    if (count == room) {
      struct seen *more = realloc(all, (room = room ? room * 2 : 256) * sizeof *all);
      if (!more) break;
      all = more;
    }
    struct seen *seen = &all[count];
    if (!look(atoi(entry->d_name), seen)) continue;
    seen->inside = seen->pid == first || (space && space_of(seen->pid) == space);
    count++;
  }
  if (proc) closedir(proc);
  qsort(all, count, sizeof *all, by_pid);
  /* And what descends from them, in namespaces of its own. */
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t i = 0; i < count; i++)
      if (!all[i].inside && is_inside(all[i].parent)) all[i].inside = grown = true;
  }
}

static bool is_still(char state) {
  return strchr("TtDZX", state) != NULL;
}

static bool signal_exact(pid_t pid, unsigned long long ticks, int signal) {
  int fd = open_exact(pid, ticks);
  if (fd < 0) return false;
  bool done = box_pidfd_kill(fd, signal) == 0;
  close(fd);
  return done;
}

static bool is_known(const struct halted *halted, const struct seen *seen) {
  for (size_t i = 0; i < halted->count; i++)
    if (halted->list[i].pid == seen->pid && halted->list[i].ticks == seen->ticks) return true;
  return false;
}

static bool all_still(const struct halted *halted, size_t from) {
  for (size_t i = from; i < halted->count; i++) {
    struct seen now;
    if (look(halted->list[i].pid, &now) && now.ticks == halted->list[i].ticks && !is_still(now.state)) return false;
  }
  return true;
}

static void stop(struct halted *halted, const struct seen *seen) {
  if (strchr("TtZX", seen->state) || is_known(halted, seen) || halted->count == MOST_HALTED) return;
  halted->list[halted->count].pid = seen->pid, halted->list[halted->count].ticks = seen->ticks;
  /* Counted before it is stopped: whoever takes over must know of it. */
  halted->count++;
  signal_exact(seen->pid, seen->ticks, SIGSTOP);
}

/* Generation by generation: only a parent that stands still already does not learn that its child stopped. */
static size_t pass(struct halted *halted) {
  size_t before = halted->count;
  for (bool more = true; more;) {
    size_t from = halted->count;
    more = false;
    for (size_t i = 0; i < count; i++) all[i].eldest = all[i].inside && !is_inside(all[i].parent);
    for (size_t i = 0; i < count; i++) {
      if (!all[i].eldest) continue;
      all[i].inside = false, more = true;
      stop(halted, &all[i]);
    }
    for (int spent = 0; spent < 100 && !all_still(halted, from); spent++) nap(1);
  }
  return halted->count - before;
}

bool halt_all(pid_t first, struct halted *halted) {
  for (int tries = 0; tries < 1000; tries++) {
    list(first);
    if (pass(halted) > 0) continue;
    if (all_still(halted, 0)) return halted->count < MOST_HALTED;
    nap(1);
  }
  return errno = ETIMEDOUT, false;
}

void go_on(const struct halted *halted) {
  for (size_t i = halted->count; i > 0; i--) signal_exact(halted->list[i - 1].pid, halted->list[i - 1].ticks, SIGCONT);
}
