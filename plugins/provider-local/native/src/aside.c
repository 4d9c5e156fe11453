/* amux-box aside CWD ARGV… < PLAN on descriptor 4: runs a program in a mount namespace of its own, made by the plan. */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLAN = 4 };

bool join_spaces(char **field) {
  long long pid, ticks;
  if (!parse_number(field[0], &pid) || !parse_number(field[1], &ticks)) return errno = EINVAL, false;
  int fd = open_exact((pid_t)pid, (unsigned long long)ticks);
  if (fd < 0) return errno = ESRCH, false;
  int spaces = (has_word(field[2], "user") ? CLONE_NEWUSER : 0) | (has_word(field[2], "net") ? CLONE_NEWNET : 0);
  int result = spaces ? setns(fd, spaces) : 0, error = errno;
  close(fd);
  errno = error;
  return result == 0;
}

static bool write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool done = fd >= 0 && write_all(fd, text, strlen(text));
  if (fd >= 0) close(fd);
  return done;
}

/* A user namespace of one's own: a stopped computer has none to join. */
static bool map_self(char **field) {
  char uid[64], gid[64];
  snprintf(uid, sizeof uid, "%s %s 1", field[0], field[1]);
  snprintf(gid, sizeof gid, "%s %s 1", field[2], field[3]);
  return unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/uid_map", uid) && write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/gid_map", gid);
}

static int refuse(const char *stage) {
  return say(3, "error\t%d\t%s\t\t%s\n", errno, stage, strerror(errno)), 125;
}

int aside_main(int argc, char **argv) {
  struct plan plan;
  if (argc < 4) return say(2, "usage: amux-box aside USER CWD ARGV\n"), 2;
  char *text = read_all(PLAN, NULL);
  close(PLAN);
  if (!text || !parse_plan(text, &plan)) return errno = EINVAL, refuse("plan");
  const struct step *lock = find_step(&plan, "hold"), *other = find_step(&plan, "join"), *map = find_step(&plan, "map");
  /* A stopped computer must not start under a program that works on its disk. */
  int held = lock ? open_lock(lock->fields[1]) : 0;
  if (held < 0) return refuse(errno == EWOULDBLOCK ? "busy" : "lock");
  if (other && !join_spaces(other->fields + 1)) return refuse("join");
  if (map && !map_self(map->fields + 1)) return refuse("map");
  if (unshare(CLONE_NEWNS) != 0) return refuse("namespaces");
  if (!run_plan(&plan, 3)) return 125;
  struct child child = {.user = argv[1], .cwd = argv[2], .argv = argv + 3, .lock = held};
  return watch_child(&child);
}
