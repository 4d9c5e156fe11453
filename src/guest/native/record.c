/* The recorder: runs one program, keeps what it says and how it ended, whoever looks or does not. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long output is waited for that something left behind may still write. */
#define LATE 300
/* How long for the first owner of one that was started to be looked at. */
#define AWAITED 20000

static struct recorder self;

static void refuse(const char *why, const struct failure *failure) __attribute__((noreturn));
static void refuse(const char *why, const struct failure *failure) {
  journal_refused(why, failure->stage, failure->error);
  unlink("start");
  unlink("sock");
  note("amux-init: the program does not start (%s): %s", why, strerror(failure->error));
  int executable = failure->stage == S_EXEC || failure->stage == S_INTERPRETER;
  _exit(!executable ? 1 : failure->error == ENOENT ? 127 : 126);
}

static void take_start(void) {
  size_t length = 0;
  uint8_t *text = (uint8_t *)read_whole("start", &length);
  struct request *request = &self.holder.request;
  struct failure failure = {S_REQUEST, text ? EINVAL : errno};
  if (!text) refuse("start", &failure);
  for (size_t at = 0; at < length;) {
    struct record record = {.tag = text[at], .data = text + at + WIRE_HEADER};
    if (length - at < WIRE_HEADER || (record.length = get32(text + at + 1)) > length - at - WIRE_HEADER) refuse("start", &failure);
    at += WIRE_HEADER + record.length;
    if (record.tag == R_RECORD) self.record = strndup((const char *)record.data, record.length);
    else if (record.tag == R_LOCK) {
      char *path = strndup((const char *)record.data, record.length);
      self.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      failure.error = EAGAIN;
      if (self.lock < 0 || flock(self.lock, LOCK_EX | LOCK_NB) < 0) refuse("name", &failure);
      failure.error = EINVAL;
      free(path);
    } else if (record.tag == R_AWAIT) self.awaited = now_ms() + AWAITED;
    else if (request_take(request, &record) < 0) refuse("start", &failure);
  }
  if (request->argc == 0 || !request->cwd || !self.record) refuse("start", &failure);
  free(text);
}

static void watch_signals(void) {
  static const int watched[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) sigaddset(&set, watched[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTOU, SIGTTIN, SIGTSTP};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
  self.holder.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void seen(uint8_t stream, const uint8_t *data, size_t length) {
  self.active = now_ms();
  view_put(stream, data, length);
}

/* Its files belong to whoever owns the directory, also when another user's program is run, as root. */
static void begin(const char *dir) {
  struct holder *holder = &self.holder;
  struct stat place;
  self.lock = -1;
  if (chdir(dir) < 0 || stat(".", &place) < 0) die("amux-init: cannot enter %s: %s", dir, strerror(errno));
  if (geteuid() == 0) setfsuid(place.st_uid);
  umask(077);
  if (chmod(".", 0700) < 0) note("amux-init: others may look into %s", dir);
  take_start();
  watch_signals();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  holder->link.fd = holder->door.listener = holder->door.visitor = -1;
  holder->request.dir = ".";
  holder->seen = seen;
  holder->listener = sock_listen("sock");
  struct failure failure = {S_SETUP, errno};
  if (holder->listener < 0 || holder->signals < 0) refuse("socket", &failure);
  if (geteuid() == 0) setfsuid(0);
  holder->pid = spawn(&holder->request, &holder->io, &failure);
  if (geteuid() == 0) setfsuid(place.st_uid);
  if (holder->pid < 0) refuse("exec", &failure);
  holder->input.fd = holder->io.holder[0];
  holder->order = (struct order){".", -1, 0, 0};
  for (int i = 0; i < 2; i++) {
    holder->sources[i] = (struct source){.fd = holder->io.holder[i + 1], .stream = (uint8_t)(i + 1), .limit = UINT64_MAX};
    log_init(&holder->sources[i].log, ".", i == 0 ? "out" : "err");
  }
  if (self.awaited) hold_pace(&self);
  self.active = now_ms();
  journal_begin(&self);
  unlink("start"); /* it may hold secrets; now followers know by the record that it began */
}

static int wanted(int i) {
  return !view_holds() && source_wanted(&self.holder, &self.holder.sources[i]);
}

static void leader_ended(int status) {
  struct holder *holder = &self.holder;
  holder->exited = 1;
  holder->by_signal = WIFSIGNALED(status);
  holder->status = holder->by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  if (holder->request.tty) close(holder->io.child[0]);
  for (int i = 0; i < 2; i++)
    if (wanted(i)) source_read(holder, &holder->sources[i]);
  self.ended = now_ms();
  if (self.lock >= 0) close(self.lock); /* its name is free again */
  self.lock = -1;
}

/* How it ended is told once all that the program itself said is kept, also while something that it left behind goes on. */
static void settle(void) {
  struct holder *holder = &self.holder;
  if (!holder->exited || self.settled) return;
  for (int i = 0; i < 2; i++)
    if (holder->sources[i].fd >= 0 && !wanted(i)) return;
  for (int i = 0; i < 2; i++)
    if (holder->sources[i].fd >= 0) source_read(holder, &holder->sources[i]);
  self.settled = 1;
  journal_end(&self);
  peers_ended(&self);
}

static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == self.holder.pid && !self.holder.exited) leader_ended(status);
  if (pid < 0) self.holder.empty = 1;
}

static void handle_signals(void) {
  struct signalfd_siginfo info;
  while (read(self.holder.signals, &info, sizeof info) == sizeof info) {
    int number = (int)info.ssi_signo;
    if (number == SIGWINCH) view_resized(&self.holder);
    else if (number != SIGCHLD && !self.holder.exited) control_signal(&self.holder, number);
  }
  reap();
}

static int sooner(int a, int b) { return a < 0 ? b : b < 0 || a < b ? a : b; }

static void round_once(void) {
  struct holder *holder = &self.holder;
  struct input *input = &holder->input;
  struct pollfd polls[8 + PEERS] = {
    {self.count < PEERS ? holder->listener : -1, POLLIN, 0},
    {holder->signals, POLLIN, 0},
    {wanted(0) ? holder->sources[0].fd : -1, POLLIN, 0},
    {wanted(1) ? holder->sources[1].fd : -1, POLLIN, 0},
    {holder->request.tty && input->length == 0 ? -1 : input->fd, (short)(input->length > 0 ? POLLOUT : 0), 0},
    awake_poll(),
  };
  view_poll(polls + 6, input->fd >= 0 && input->length < WIRE_INPUT / 2);
  int count = peers_poll(&self, polls + 8);
  int timeout = sooner(ending_timeout(holder), awake_timeout());
  if (self.ended || view_holds()) timeout = sooner(timeout, 50);
  if (self.awaited && now_ms() > self.awaited) {
    self.awaited = 0;
    for (int i = 0; i < 2; i++) holder->sources[i].limit = UINT64_MAX;
  }
  if (self.count > 0 || self.awaited) timeout = sooner(timeout, 1000);
  if (poll(polls, (nfds_t)(8 + count), timeout) < 0) return;
  for (int i = 0; i < 2; i++)
    if (polls[2 + i].revents && wanted(i)) source_read(holder, &holder->sources[i]);
  if (polls[4].revents & POLLOUT) input_write(holder);
  else if (polls[4].revents & POLLERR) input_close(holder);
  view_serve(holder, polls + 6);
  if (polls[1].revents) handle_signals();
  peers_serve(&self, polls + 8);
  if (polls[0].revents) peers_accept(&self);
  peers_check(&self);
  ending_step(holder);
  settle();
  awake_step(&self);
  peers_tell(&self);
}

/*
 * Something left behind may hold the streams open: what it says is kept too, as long as it lives. A terminal it may hold
 * for ever, and is waited for as long as it says something.
 */
static int over(void) {
  const struct holder *holder = &self.holder;
  if (!self.settled || (holder->kill_at && !holder->empty)) return 0;
  int open = 0, held = 0;
  for (int i = 0; i < 2; i++) {
    open |= holder->sources[i].fd >= 0;
    held |= holder->sources[i].fd >= 0 && !wanted(i);
  }
  if (!open) return 1;
  if (!holder->request.tty) return 0;
  int64_t last = self.active > self.ended ? self.active : self.ended;
  return !holder->empty && !held && now_ms() - last > LATE;
}

int record_command(const char *dir, const char *tasks) {
  begin(dir);
  view_open(self.holder.request.tty);
  awake_begin(tasks, dir);
  while (!over()) round_once();
  peers_exit(&self);
  awake_end();
  view_drain();
  peers_farewell(&self);
  unlink("sock");
  return self.holder.by_signal ? 128 + self.holder.status : self.holder.status;
}
