#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, GROUPS = 256 };

struct identity {
  uid_t uid;
  gid_t gid;
  char name[256], home[4096], shell[256];
};

static void fill(struct identity *who, const struct passwd *entry) {
  who->uid = entry->pw_uid, who->gid = entry->pw_gid;
  snprintf(who->name, sizeof who->name, "%s", entry->pw_name);
  snprintf(who->home, sizeof who->home, "%s", entry->pw_dir);
  snprintf(who->shell, sizeof who->shell, "%s", *entry->pw_shell ? entry->pw_shell : "/bin/sh");
}

/* A name, a uid, uid:gid. */
static bool identify(const char *spec, struct identity *who) {
  char *end;
  *who = (struct identity){.home = "/", .shell = "/bin/sh"};
  const struct passwd *entry = getpwnam(spec);
  if (entry) return fill(who, entry), true;
  unsigned long uid = strtoul(spec, &end, 10);
  if (end == spec || (*end && *end != ':')) return false;
  snprintf(who->name, sizeof who->name, "%lu", uid);
  who->uid = who->gid = (uid_t)uid;
  if ((entry = getpwuid((uid_t)uid))) fill(who, entry);
  if (*end == ':') {
    const char *group = end + 1;
    who->gid = (gid_t)strtoul(group, &end, 10);
    if (end == group || *end) return false;
  }
  return true;
}

static bool become(const struct identity *who) {
  gid_t groups[GROUPS];
  int count = GROUPS;
  if (getgrouplist(who->name, who->gid, groups, &count) < 0) count = 1, groups[0] = who->gid;
  bool grouped = setgroups((size_t)count, groups) == 0;
  /* In a namespace with one user there are no groups to choose. */
  if (who->uid == geteuid() && who->gid == getegid()) return true;
  return grouped && setgid(who->gid) == 0 && setuid(who->uid) == 0;
}

static _Noreturn void give_up(int report, const char *stage, const char *what) {
  say(report, "error\t%d\t%s\t%s\t%s\n", errno, stage, what, strerror(errno));
  _exit(125);
}

static _Noreturn void run(const struct child *child, const struct identity *who, int report, int terminal) {
  if (child->door && !write_all(child->door, "0", 1)) give_up(report, "group", "");
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
  if (terminal >= 0) {
    ioctl(terminal, TIOCSCTTY, 0);
    if (fchown(terminal, who->uid, (gid_t)-1) != 0 && errno != EPERM && errno != EINVAL) give_up(report, "tty", "");
    for (int i = 0; i < 3; i++) dup2(terminal, i);
  }
  if (!become(who)) give_up(report, "user", child->user);
  setenv("HOME", who->home, 0), setenv("USER", who->name, 0), setenv("LOGNAME", who->name, 0), setenv("SHELL", who->shell, 0);
  const char *home = getenv("HOME");
  if (chdir(home ? home : "/") != 0 && chdir("/") != 0) give_up(report, "cwd", "/");
  if (*child->cwd && chdir(child->cwd) != 0) give_up(report, "cwd", child->cwd);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  box_cloexec_from(3);
  if (child->lock) fcntl(child->lock, F_SETFD, 0);
  execvp(child->argv[0], child->argv);
  give_up(report, "exec", child->argv[0]);
}

int watch_child(const struct child *child) {
  struct identity who;
  int failed[2], master = -1, terminal = -1;
  if (!identify(child->user, &who)) return say(CONTROL, "error\t%d\tuser\t%s\tno such user\n", ENOENT, child->user), 125;
  if (pipe2(failed, O_CLOEXEC) != 0) return 125;
  if (child->tty && !open_terminal(&master, &terminal, child->cols, child->rows)) return say(CONTROL, "error\t%d\ttty\t\t%s\n", errno, strerror(errno)), 125;
  signal(SIGPIPE, SIG_IGN);
  pid_t pid = fork();
  if (pid == 0) run(child, &who, failed[1], terminal);
  if (pid < 0) return say(CONTROL, "error\t%d\tfork\t\t%s\n", errno, strerror(errno)), 125;
  close(failed[1]);
  if (terminal >= 0) close(terminal);
  size_t length = 0;
  char *failure = read_all(failed[0], &length);
  if (failure && length > 0) {
    write_all(CONTROL, failure, length);
    waitpid(pid, NULL, 0);
    return 125;
  }
  say(CONTROL, "started %d\n", (int)pid);
  if (master < 0) release_stdio();
  int status = relay(pid, master);
  if (WIFSIGNALED(status)) say(CONTROL, "signal %d\n", WTERMSIG(status));
  else say(CONTROL, "exit %d\n", WEXITSTATUS(status));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
