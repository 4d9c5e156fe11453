/* amux-box enter PID TICKS CAPS USER CWD COLSxROWS|- ARGV…   runs a program in the namespaces of a computer's process 1. */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_namespace(pid_t pid, const char *name) {
  char path[64], own_path[64];
  struct stat own, other;
  snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
  snprintf(own_path, sizeof own_path, "/proc/self/ns/%s", name);
  return stat(own_path, &own) == 0 && stat(path, &other) == 0 && own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int enter_main(int argc, char **argv) {
  long long pid, ticks;
  if (argc < 8 || !parse_number(argv[1], &pid) || !parse_number(argv[2], &ticks)) return say(2, "usage: amux-box enter PID TICKS CAPS USER CWD COLSxROWS|- ARGV\n"), 2;
  int fd = open_exact((pid_t)pid, (unsigned long long)ticks);
  if (fd < 0) return say(3, "error\t%d\tgone\t\t%s\n", ESRCH, "the computer does not run"), 125;
  struct cgroup group;
  int door = group_of((pid_t)pid, &group) ? group_door(&group) : 0;
  int spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (!same_namespace((pid_t)pid, "user")) spaces |= CLONE_NEWUSER;
  if (!same_namespace((pid_t)pid, "net")) spaces |= CLONE_NEWNET;
  if (setns(fd, spaces) != 0) return say(3, "error\t%d\tenter\t\t%s\n", errno, strerror(errno)), 125;
  close(fd);
  scope_sockets();
  if (!deny_syscalls() || (*argv[3] && !keep_caps(argv[3]))) return say(3, "error\t%d\tconfine\t\t%s\n", errno, strerror(errno)), 125;
  struct child child = {.user = argv[4], .cwd = argv[5], .argv = argv + 7, .door = door > 0 ? door : 0};
  child.tty = sscanf(argv[6], "%hux%hu", &child.cols, &child.rows) == 2;
  return watch_child(&child);
}
