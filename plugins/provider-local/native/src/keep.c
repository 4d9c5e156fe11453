/*
 * amux-box keep LOCK LOG   (plan on stdin, answers on stdout)
 *
 * Becomes the keeper of a computer: takes its lock, says `locked`, reads the plan, carries it out in new namespaces and
 * says `ok KEEPER PID1`, or `error …`. From then on it holds the lock for as long as the computer runs. Killing it ends
 * the computer like a power cut; SIGTERM asks for an orderly end first.
 */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_SECONDS = 14, RECORD = 160 };

static int lock_fd;
static struct cgroup group;

/* Always the same length, over what was there: that works on a full disk too. */
static bool put_record(const char *text) {
  char line[RECORD + 1];
  snprintf(line, sizeof line, "%-*s\n", RECORD - 1, text);
  return pwrite(lock_fd, line, RECORD, 0) == RECORD;
}

static bool take_lock(const char *path) {
  lock_fd = open_lock(path);
  if (lock_fd >= 0 && put_record("")) return true;
  if (lock_fd < 0 && errno == EWOULDBLOCK) say(1, "busy\n");
  else say(1, "error\t%d\tlock\t%s\t%s\n", errno, path, strerror(errno));
  return false;
}

static bool write_map(pid_t pid, const char *file, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool done = write_all(fd, text, strlen(text));
  close(fd);
  return done;
}

/* inside uid, outside uid, inside gid, outside gid */
static bool map_ids(pid_t pid, char **field) {
  char uid[64], gid[64];
  snprintf(uid, sizeof uid, "%s %s 1", field[0], field[1]);
  snprintf(gid, sizeof gid, "%s %s 1", field[2], field[3]);
  return write_map(pid, "uid_map", uid) && write_map(pid, "setgroups", "deny") && write_map(pid, "gid_map", gid);
}

static int attended = -1;

/* The last thing before its init: what it must not be without is there. */
int do_await(char **field) {
  char byte;
  (void)field;
  return read(attended, &byte, 1) == 1 ? 0 : (errno = ECANCELED, -1);
}

static void unblock(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
}

/* Process 1 of the computer, until it executes its init. */
static _Noreturn void be_first(const struct plan *plan, int go, int report, int alive, int up) {
  char byte;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (read(go, &byte, 1) != 1) _exit(1);
  /* Its own control group, in which it is by now, is the root of what it sees. */
  if (unshare(CLONE_NEWCGROUP) != 0) say(report, "error\t%d\tnamespaces\tcgroup\t%s\n", errno, strerror(errno)), _exit(1);
  if (find_step(plan, "net") && !raise_loopback()) say(report, "error\t%d\tnet\tlo\t%s\n", errno, strerror(errno)), _exit(1);
  if (find_step(plan, "net")) ease_network();
  write_all(up, "", 1);
  close(up);
  setsid();
  unblock();
  struct pollfd gone = {.fd = alive, .events = 0};
  if (poll(&gone, 1, 0) != 0) _exit(1);
  if (run_plan(plan, report)) say(report, "error\t%d\texec\t\tnothing to execute\n", EINVAL);
  _exit(1);
}

/* Where there can be one: its name, and the file that says where it is, should nobody be left to remove it. */
static void take_group(const struct plan *plan, pid_t pid) {
  const struct step *step = find_step(plan, "group");
  char text[FREEZE_FILE / 2] = "";
  int fd = step ? open(step->fields[2], O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
  if (fd < 0) return;
  if (pread(fd, text, sizeof text - 1, 0) > 0) text[strcspn(text, "\n")] = 0, group_remove(text);
  memset(text, ' ', sizeof text);
  text[sizeof text - 1] = '\n';
  if (group_make(step->fields[1], pid, &group)) text[snprintf(text, sizeof text - 1, "%s", group.path)] = '\n';
  /* On a full disk nobody will know later: an empty group is no harm. */
  (void)!pwrite(fd, text, sizeof text, 0);
  close(fd);
}

static pid_t start(const struct plan *plan, int answers, int *report, int *attend) {
  const struct step *map = find_step(plan, "map");
  int go[2], answer[2], alive[2], up[2], ready[2];
  int *pipes[] = {go, answer, alive, up, ready};
  for (int i = 0; i < 5; i++)
    if (pipe2(pipes[i], O_CLOEXEC) != 0) return -1;
  unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | (map ? CLONE_NEWUSER : 0) | (find_step(plan, "net") ? CLONE_NEWNET : 0);
  pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    close(go[1]), close(answer[0]), close(alive[1]), close(up[0]), close(ready[1]);
    attended = ready[0];
    be_first(plan, go[0], answer[1], alive[0], up[1]);
  }
  if (pid < 0) return say(answers, "error\t%d\tnamespaces\t\t%s\n", errno, strerror(errno)), -1;
  /* The write end of `alive` stays open in this process alone, for as long as it lives. */
  close(go[0]), close(answer[1]), close(alive[0]), close(up[1]), close(ready[0]);
  if (map && !map_ids(pid, map->fields + 1)) {
    say(answers, "error\t%d\tmap\t\t%s\n", errno, strerror(errno));
    kill(pid, SIGKILL);
    return -1;
  }
  take_group(plan, pid);
  write_all(go[1], "", 1);
  close(go[1]);
  /* Whoever serves its network finds loopback there. */
  char byte;
  bool is_up = read(up[0], &byte, 1) == 1;
  close(up[0]);
  if (is_up && !attend_start(plan, pid)) return say(answers, "error\t%d\tattend\t\t%s\n", errno, strerror(errno)), kill(pid, SIGKILL), -1;
  *report = answer[0], *attend = ready[1];
  return pid;
}

/* Until process 1 has ended. */
static void watch(pid_t pid, const sigset_t *signals) {
  for (;;) {
    long next = attend_again();
    struct timespec limit = {next / 1000, next % 1000 * 1000000};
    int signal = next < 0 ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &limit);
    if (signal < 0) continue;
    /* Frozen it could not obey. */
    if (*group.path && signal != SIGCHLD) group_freeze(&group, false);
    if (signal == SIGTERM) {
      kill(pid, SIGTERM);
      alarm(GRACE_SECONDS);
    }
    if (signal == SIGALRM) kill(pid, SIGKILL);
    int status = 0;
    pid_t ended = 0;
    while (signal == SIGCHLD && ended != pid && (ended = waitpid(-1, &status, WNOHANG)) > 0)
      if (ended != pid) attend_ended(ended);
    if (ended != pid) continue;
    say(2, "ended: %s %d\n", WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return;
  }
}

static bool record(pid_t pid) {
  char boot[40];
  if (!boot_id(boot)) return false;
  char text[RECORD];
  snprintf(text, sizeof text, "%s %d %llu %d %llu", boot, (int)getpid(), start_ticks(getpid()), (int)pid, start_ticks(pid));
  return put_record(text);
}

/* What went wrong with process 1, unless it only waited for attendants: they fail when it is gone, too. */
static bool answer_failure(int answers, const char *failure, size_t length, const char *attendant) {
  if (*attendant && (!failure || length == 0 || strstr(failure, "\tawait\t"))) return say(answers, "%s", attendant), true;
  if (failure && length == 0) return false;
  if (failure) write_all(answers, failure, length);
  return true;
}

static int keep(char **argv) {
  struct plan plan;
  if (!take_lock(argv[1])) return 1;
  say(1, "locked\n");
  char *text = read_all(0, NULL);
  if (!text || !parse_plan(text, &plan)) return say(1, "error\t%d\tplan\t\tincomplete\n", EINVAL), 1;
  int log = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600), null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (log < 0 || null < 0) return say(1, "error\t%d\tlog\t%s\t%s\n", errno, argv[2], strerror(errno)), 1;
  int answers = fcntl(1, F_DUPFD_CLOEXEC, 3), report = -1;
  dup2(null, 0), dup2(log, 1), dup2(log, 2);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM), sigaddset(&signals, SIGCHLD), sigaddset(&signals, SIGALRM);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  signal(SIGHUP, SIG_IGN), signal(SIGINT, SIG_IGN), signal(SIGPIPE, SIG_IGN);
  int attend = -1;
  pid_t pid = start(&plan, answers, &report, &attend);
  if (pid < 0) return attend_end(), 1;
  char attendant[1280] = "";
  if (attend_ready(attendant, sizeof attendant)) write_all(attend, "", 1);
  close(attend);
  size_t length = 0;
  char *failure = read_all(report, &length);
  if (answer_failure(answers, failure, length, attendant) || !record(pid)) {
    kill(pid, SIGKILL);
    attend_end();
    waitpid(pid, NULL, 0);
    group_remove(group.path);
    return 1;
  }
  say(answers, "ok %d %d\n", (int)getpid(), (int)pid);
  close(answers);
  watch(pid, &signals);
  attend_end();
  group_remove(group.path);
  return put_record("") ? 0 : 1;
}

int keep_main(int argc, char **argv) {
  if (argc != 3) return say(2, "usage: amux-box keep LOCK LOG < PLAN\n"), 2;
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  umask(022);
  box_cloexec_from(3);
  /* Away from the caller's terminal and process group; the pipes are let go once it runs. */
  setsid();
  if (chdir("/") != 0) return 1;
  return keep(argv);
}
