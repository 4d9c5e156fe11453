/*
 * Attendants: programs of this machine that a computer's network needs, outside of it. They get %PID% as process 1, say on
 * descriptor 3 that they are ready, and end when descriptor 4 reads its end: when the keeper is gone, however it went.
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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8, READY_MS = 10000, END_MS = 3000, SHORTEST_MS = 10, LONGEST_MS = 1000, STEADY_MS = 10000, OUTPUT = 65536 };

static struct attendant {
  const char *name;
  char **argv;
  pid_t pid;
  int ready, output;
  long pause;
  long long since, due;
} all[MOST];
static size_t count;
static int living[2] = {-1, -1};

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/*
 * What they mount and unmount is theirs alone: slirp4netns's sandbox would take every shared mount of this machine away
 * with its old root. Mounts that are made here still arrive there. An ordinary user could not do such harm anyway.
 */
static void own_mounts(void) {
  if (unshare(CLONE_NEWNS) == 0) mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}

static _Noreturn void become(const struct attendant *one, int ready) {
  char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  setsid();
  own_mounts();
  for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  /* Out of the way of the numbers they get. */
  int high[4] = {null, one->output, ready, living[0]};
  for (int i = 0; i < 4; i++) high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, 10);
  dup2(high[0], 0), dup2(high[1], 1), dup2(high[1], 2), dup2(high[2], 3), dup2(high[3], 4);
  box_cloexec_from(5);
  execve(one->argv[0], one->argv, environment);
  say(2, "%s: %s\n", one->argv[0], strerror(errno));
  _exit(127);
}

/* The beginning of what it says, however much a computer makes it say: what is written past the end fails. */
static int open_output(void) {
  int fd = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || (ftruncate(fd, OUTPUT) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)) return fd;
  close(fd);
  return -1;
}

static bool launch(struct attendant *one) {
  int ready[2];
  if (one->output >= 0) close(one->output);
  one->output = open_output();
  if (one->output < 0 || pipe2(ready, O_CLOEXEC) != 0) return false;
  one->since = now(), one->due = 0;
  one->pid = fork();
  if (one->pid == 0) become(one, ready[1]);
  close(ready[1]);
  if (one->ready >= 0) close(one->ready);
  one->ready = ready[0];
  return one->pid > 0;
}

bool attend_start(const struct plan *plan, pid_t first) {
  static char pid[24];
  snprintf(pid, sizeof pid, "%d", (int)first);
  if (pipe2(living, O_CLOEXEC) != 0) return false;
  for (size_t i = 0; i < plan->count; i++) {
    const struct step *step = &plan->steps[i];
    if (strcmp(step->fields[0], "attend") != 0 || step->count < 3) continue;
    if (count == MOST) return errno = E2BIG, false;
    for (char **field = step->fields; *field; field++)
      if (strcmp(*field, "%PID%") == 0) *field = pid;
    all[count] = (struct attendant){.name = step->fields[1], .argv = step->fields + 2, .ready = -1, .output = -1, .pause = SHORTEST_MS};
    if (!launch(&all[count++])) return false;
  }
  return true;
}

/* The last line it wrote, without what would confuse. */
static const char *last_words(const struct attendant *one) {
  static char text[1024];
  off_t size = lseek(one->output, 0, SEEK_CUR), from = size > (off_t)sizeof text - 1 ? size - (off_t)sizeof text + 1 : 0;
  ssize_t length = size > 0 ? pread(one->output, text, (size_t)(size - from), from) : 0;
  while (length > 0 && text[length - 1] == '\n') length--;
  text[length > 0 ? length : 0] = 0;
  char *line = strrchr(text, '\n');
  line = line ? line + 1 : text;
  for (char *at = line; *at; at++)
    if (*at == '\t') *at = ' ';
  return *line ? line : "it ended without a word";
}

bool attend_ready(char *failure, size_t size) {
  long long give = now() + READY_MS;
  for (size_t i = 0; i < count; i++) {
    struct pollfd poll_ = {.fd = all[i].ready, .events = POLLIN};
    char byte;
    long long left = give - now();
    bool told = poll(&poll_, 1, left > 0 ? (int)left : 0) > 0;
    bool ready = told && read(all[i].ready, &byte, 1) == 1;
    close(all[i].ready);
    all[i].ready = -1;
    if (ready) continue;
    snprintf(failure, size, "error\t%d\tattend\t%s\t%s\n", told ? ECHILD : ETIMEDOUT, all[i].name, told ? last_words(&all[i]) : "it does not get ready");
    return false;
  }
  return true;
}

bool attend_ended(pid_t pid) {
  for (size_t i = 0; i < count; i++) {
    struct attendant *one = &all[i];
    if (one->pid != pid) continue;
    if (now() - one->since > STEADY_MS) one->pause = SHORTEST_MS;
    /* One that fails again and again has said why, and must not fill the disk. */
    if (one->pause < LONGEST_MS) say(2, "%s ended and starts anew: %s\n", one->name, last_words(one));
    one->pid = 0, one->due = now() + one->pause;
    one->pause = one->pause * 2 > LONGEST_MS ? LONGEST_MS : one->pause * 2;
    return true;
  }
  return false;
}

long attend_again(void) {
  long next = -1;
  for (size_t i = 0; i < count; i++) {
    struct attendant *one = &all[i];
    if (one->pid > 0) continue;
    long left = (long)(one->due - now());
    if (left <= 0 && launch(one)) continue;
    if (left <= 0) one->pid = 0, one->due = now() + LONGEST_MS, left = LONGEST_MS;
    if (next < 0 || left < next) next = left;
  }
  return next;
}

void attend_end(void) {
  close(living[0]), close(living[1]);
  for (size_t i = 0; i < count; i++)
    if (all[i].pid > 0) kill(all[i].pid, SIGTERM);
  for (size_t i = 0; i < count; i++) {
    if (all[i].pid <= 0) continue;
    int fd = box_pidfd_open(all[i].pid);
    struct pollfd poll_ = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&poll_, 1, END_MS) != 1) kill(all[i].pid, SIGKILL);
    if (fd >= 0) close(fd);
    waitpid(all[i].pid, NULL, 0);
  }
  count = 0;
}
