/*
 * Runs the guest, again and again; makes a holder for everyone who asks; reaps whatever is left to it. Works as the
 * first process of a computer and as an ordinary one.
 */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_LIFE 10000
#define SHORTEST_BREAK 100
#define LONGEST_BREAK 5000
/* How long each step of stopping may take: the guest, the holders with their programs, what is left. */
#define GUEST_GOES 1000
#define HOLDERS_GO 8000
#define ALL_GO 12000

static struct {
  struct place *place;
  int listener, signals;
  pid_t guest, self;
  int64_t born, due, pause, stopping;
  int holders_told;
} init;

static void guest_process(void) {
  char **argv = command_read(init.place);
  if (!argv) die("amux-init: no command for the guest");
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != init.self) _exit(0);
  reset_signals();
  /* Whatever the computer's environment wants of Node is for its programs. A small young generation keeps it small after a storm. */
  setenv("NODE_OPTIONS", "--max-semi-space-size=8", 1);
  setenv("MALLOC_ARENA_MAX", "2", 1);
  int null = open("/dev/null", O_RDONLY);
  if (null > 0) dup2(null, 0);
  close_from(3);
  execvp(argv[0], argv);
  die("amux-init: cannot run %s: %s", argv[0], strerror(errno));
}

static void guest_start(void) {
  init.born = now_ms();
  init.due = 0;
  init.guest = fork();
  if (init.guest == 0) guest_process();
  if (init.guest > 0) return;
  init.guest = 0;
  init.due = now_ms() + LONGEST_BREAK;
}

static void guest_ended(int status) {
  int64_t now = now_ms(), lived = now - init.born;
  init.guest = 0;
  if (init.stopping) return;
  int asked = WIFEXITED(status) && WEXITSTATUS(status) == 0 && lived > 1000;
  if (asked || lived > LONG_LIFE) init.pause = 0;
  init.due = now + init.pause;
  if (!asked) {
    const char *how = WIFSIGNALED(status) ? "signal" : "status";
    int value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    note("amux-init: the guest ended (%s %d), again in %d ms", how, value, (int)init.pause);
  }
  init.pause = init.pause == 0 ? SHORTEST_BREAK : init.pause * 2 > LONGEST_BREAK ? LONGEST_BREAK : init.pause * 2;
}

/* A connection that is closed with something unread loses our answer too: wait for the guest to go first. */
static void holder_refuse(int fd, int error) {
  uint8_t answer[WIRE_HEADER + 5] = {W_FAILED}, ignored[4096];
  put32(answer + 1, 5);
  answer[WIRE_HEADER] = S_FORK;
  put32(answer + WIRE_HEADER + 1, (uint32_t)error);
  send(fd, answer, sizeof answer, MSG_NOSIGNAL);
  struct pollfd readable = {fd, POLLIN, 0};
  for (int64_t until = now_ms() + 200; now_ms() < until && poll(&readable, 1, 50) >= 0;)
    if (readable.revents && recv(fd, ignored, sizeof ignored, MSG_DONTWAIT) <= 0) return;
}

static void holder_start(void) {
  int fd = sock_accept(init.listener);
  if (fd < 0) return;
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != init.self) _exit(0);
    fd = dup2(fd, 3);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    close_from(4);
    holder_main(fd);
  }
  if (pid < 0) holder_refuse(fd, errno);
  close(fd);
}

static int reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == init.guest) guest_ended(status);
  return pid < 0;
}

static void handle_signals(void) {
  struct signalfd_siginfo info;
  while (read(init.signals, &info, sizeof info) == sizeof info) {
    /* Another command for the guest. SIGTERM would tell it that everything ends. */
    if (info.ssi_signo == SIGHUP && init.guest > 0) kill(init.guest, SIGINT), init.born = 0;
    if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT) continue;
    if (init.stopping) continue;
    init.stopping = now_ms();
    if (init.guest > 0) kill(init.guest, SIGTERM);
  }
}

/* First the guest, so that it can say what it had; then the holders end their programs; then nobody is spared. */
static void stop_step(void) {
  int64_t past = now_ms() - init.stopping;
  if (!init.holders_told && (init.guest == 0 || past > GUEST_GOES)) {
    init.holders_told = 1;
    tree_signal_children(init.self, SIGTERM);
  }
  if (past > HOLDERS_GO) tree_signal(init.self, SIGKILL);
}

static void finish(void) {
  unlink(path_of(init.place->run, "init.sock"));
  unlink(path_of(init.place->run, "guest.sock"));
  _exit(0);
}

static int timeout(void) {
  if (init.stopping) return 50;
  if (init.guest > 0) return -1;
  int64_t left = init.due - now_ms();
  return left > 0 ? (int)left : 0;
}

static void prepare(struct place *place) {
  init.place = place;
  init.self = getpid();
  if (chdir("/") < 0) note("amux-init: cannot leave the directory");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_SETMASK, &set, NULL);
  init.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  uint64_t id = 0;
  char text[24];
  if (getrandom(&id, sizeof id, 0) < 0) id = (uint64_t)now_ms();
  snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
  setenv("AMUX_INIT", text, 1);
  snprintf(text, sizeof text, "%d\n", (int)init.self);
  if (ftruncate(place->lock, 0) < 0 || pwrite(place->lock, text, strlen(text), 0) < 0) note("amux-init: cannot say my id");
  char *path = path_of(place->run, "init.sock");
  init.listener = sock_listen(path);
  if (init.listener < 0) die("amux-init: cannot listen on %s: %s", path, strerror(errno));
}

void supervise(struct place *place) {
  prepare(place);
  for (;;) {
    if (!init.guest && !init.stopping && now_ms() >= init.due) guest_start();
    struct pollfd polls[2] = {{init.signals, POLLIN, 0}, {init.stopping ? -1 : init.listener, POLLIN, 0}};
    poll(polls, 2, timeout());
    handle_signals();
    int alone = reap();
    if (init.stopping && (alone || now_ms() - init.stopping > ALL_GO)) finish();
    if (init.stopping) stop_step();
    else if (polls[1].revents) holder_start();
  }
}
