/*
 * amux-box freeze FILE PID TICKS   all programs of a running computer stand still: says `frozen HOW`, until its input ends,
 *                                  a signal comes or ten seconds have passed. Killing it thaws them as well.
 * amux-box thaw FILE PID TICKS     ends that.
 * FILE: its first half names the computer's control group, the second the process that freezes, which holds its lock.
 */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST_MS = 10000, PATIENCE_MS = 500 };

static struct cgroup group;
static struct halted *halted;

static void thaw(void) {
  if (*group.path) group_freeze(&group, false);
  go_on(halted);
}

static bool freeze_group(void) {
  if (!*group.path) return false;
  /* Version 1 was seen to hang once in a while. */
  for (int tries = 0; tries < 2; tries++) {
    if (!group_freeze(&group, true)) return false;
    for (int spent = 0; spent < PATIENCE_MS; spent++, nap(1))
      if (group_is_frozen(&group)) return true;
    group_freeze(&group, false);
  }
  return false;
}

/* Thaws when this process is gone without having done so. */
static int watchdog(void) {
  int alive[2];
  if (pipe2(alive, O_CLOEXEC) != 0) return -1;
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid > 0) return close(alive[0]), alive[1];
  char byte;
  setsid();
  for (int i = 1; i < 32; i++) signal(i, SIG_IGN);
  close(alive[1]);
  for (int fd = 0; fd < 3; fd++) close(fd);
  if (read(alive[0], &byte, 1) != 1) thaw();
  _exit(0);
}

static bool lock(int file, int patience) {
  for (int spent = 0; flock(file, LOCK_EX | LOCK_NB) != 0; spent += 5, nap(5))
    if (spent > patience) return false;
  return true;
}

static int open_file(const char *path) {
  return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int refuse(const char *step) {
  return say(1, "error\t%d\t%s\t\t%s\n", errno, step, strerror(errno)), 1;
}

static void hold(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM), sigaddset(&signals, SIGINT), sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  struct pollfd polls[2] = {{.fd = 0, .events = POLLIN}, {.fd = signalfd(-1, &signals, SFD_CLOEXEC), .events = POLLIN}};
  poll(polls, 2, LONGEST_MS);
}

int freeze_main(int argc, char **argv) {
  long long pid, ticks;
  if (argc != 4 || !parse_number(argv[2], &pid) || !parse_number(argv[3], &ticks)) return say(2, "usage: amux-box freeze FILE PID TICKS\n"), 2;
  halted = mmap(NULL, sizeof *halted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int file = open_file(argv[1]), first = open_exact((pid_t)pid, (unsigned long long)ticks);
  if (first < 0) return errno = ESRCH, refuse("gone");
  if (halted == MAP_FAILED || file < 0) return refuse("freeze");
  if (!lock(file, LONGEST_MS + 1000)) return refuse("busy");
  char own[64];
  snprintf(own, sizeof own, "%-20d %-20llu\n", (int)getpid(), start_ticks(getpid()));
  if (pwrite(file, own, strlen(own), FREEZE_FILE / 2) < 0) return refuse("freeze");
  signal(SIGPIPE, SIG_IGN);
  group_of((pid_t)pid, &group);
  int alive = watchdog();
  if (alive < 0) return refuse("freeze");
  bool grouped = freeze_group(), done = grouped || halt_all((pid_t)pid, halted);
  int error = errno;
  if (done) say(1, "frozen %s\n", !grouped ? "signals" : group.two ? "cgroup2" : "freezer"), hold();
  thaw();
  write_all(alive, "", 1);
  if (!done) return errno = error, refuse("freeze");
  return say(1, "thawed\n"), 0;
}

int thaw_main(int argc, char **argv) {
  long long pid, ticks;
  if (argc != 4 || !parse_number(argv[2], &pid) || !parse_number(argv[3], &ticks)) return say(2, "usage: amux-box thaw FILE PID TICKS\n"), 2;
  char text[64] = "";
  int file = open_file(argv[1]), freezer;
  unsigned long long freezer_ticks;
  if (file < 0) return refuse("thaw");
  if (flock(file, LOCK_EX | LOCK_NB) != 0 && pread(file, text, sizeof text - 1, FREEZE_FILE / 2) > 0 && sscanf(text, "%d %llu", &freezer, &freezer_ticks) == 2) {
    int fd = open_exact(freezer, freezer_ticks);
    if (fd >= 0) box_pidfd_kill(fd, SIGTERM), close(fd);
    lock(file, 2000);
  }
  int first = open_exact((pid_t)pid, (unsigned long long)ticks);
  if (first >= 0 && group_of((pid_t)pid, &group)) group_freeze(&group, false);
  return 0;
}
