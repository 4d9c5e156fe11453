/*
 * One per session: starts its program, keeps its streams and its end, outlives the guest. Everything the program
 * leaves behind becomes a child of this process.
 */
#include "holder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static struct holder self;

static void refuse(uint8_t stage, int error) {
  uint8_t head[5] = {stage};
  put32(head + 1, (uint32_t)error);
  link_put(&self.link, W_FAILED, head, sizeof head, NULL, 0);
  struct pollfd writable = {self.link.fd, POLLOUT, 0};
  for (link_flush(&self.link); self.link.out_length > 0 && poll(&writable, 1, 1000) > 0;) link_flush(&self.link);
  if (self.request.socket) unlink(self.request.socket);
  _exit(1);
}

static void collect_request(void) {
  struct record record;
  for (;;) {
    struct pollfd readable = {self.link.fd, POLLIN, 0};
    if (poll(&readable, 1, -1) < 0 && errno != EINTR) _exit(1);
    if (link_fill(&self.link) < 0) _exit(0);
    for (int found; (found = link_next(&self.link, &record)) != 0;) {
      if (found < 0) _exit(1);
      link_consume(&self.link, &record);
      if (record.tag == W_START) return;
      if (request_take(&self.request, &record) < 0) refuse(S_REQUEST, EINVAL);
    }
  }
}

static void watch_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_SETMASK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  self.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void begin(void) {
  struct request *request = &self.request;
  if (request->argc == 0 || !request->dir || !request->socket) refuse(S_REQUEST, EINVAL);
  watch_signals();
  self.listener = sock_listen(request->socket);
  if (self.signals < 0 || self.listener < 0) refuse(S_SETUP, errno);
  struct failure failure = {S_FORK, EAGAIN};
  self.pid = spawn(request, &self.io, &failure);
  if (self.pid < 0) refuse(failure.stage, failure.error);
  self.input.fd = self.io.holder[0];
  self.door.listener = self.door.visitor = -1;
  self.order = (struct order){request->dir, -1, 0, 0};
  for (int i = 0; i < 2; i++) {
    self.sources[i] = (struct source){.fd = self.io.holder[i + 1], .stream = (uint8_t)(i + 1), .limit = UINT64_MAX};
    log_init(&self.sources[i].log, request->dir, i == 0 ? "out" : "err");
  }
  uint8_t pids[8];
  put32(pids, (uint32_t)getpid());
  put32(pids + 4, (uint32_t)self.pid);
  link_put(&self.link, W_STARTED, pids, sizeof pids, NULL, 0);
}

static void leader_ended(int status) {
  self.exited = 1;
  self.by_signal = WIFSIGNALED(status);
  self.status = self.by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  if (self.request.tty) close(self.io.child[0]);
  for (int i = 0; i < 2; i++)
    if (source_wanted(&self, &self.sources[i])) source_read(&self, &self.sources[i]);
  control_exit(&self);
  if (self.link.fd < 0) ending_record(&self);
}

static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == self.pid && !self.exited) leader_ended(status);
  if (pid == 0 || self.empty) return;
  self.empty = 1;
  link_put(&self.link, W_EMPTY, NULL, 0, NULL, 0);
}

static void handle_signals(void) {
  struct signalfd_siginfo info;
  while (read(self.signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo != SIGTERM || self.stopping) continue;
    self.stopping = 1;
    ending_begin(&self, SIGTERM, 5000);
    self.hup_at = now_ms() + 250;
  }
  reap();
}

static void round_once(void) {
  struct input *input = &self.input;
  struct source *sources = self.sources;
  struct pollfd polls[7] = {
    {self.link.fd, (short)(POLLIN | (self.link.out_length > 0 ? POLLOUT : 0)), 0},
    {self.listener, POLLIN, 0},
    {self.signals, POLLIN, 0},
    source_poll(&self, &sources[0]),
    source_poll(&self, &sources[1]),
    {self.request.tty && input->length == 0 ? -1 : input->fd, (short)(input->length > 0 ? POLLOUT : 0), 0},
    door_poll(&self),
  };
  if (poll(polls, 7, ending_timeout(&self)) < 0) return;
  for (int i = 0; i < 2; i++)
    if (polls[3 + i].revents && source_wanted(&self, &sources[i]) && !door_later(&self, &polls[3 + i])) source_read(&self, &sources[i]);
  if (polls[6].revents) door_serve(&self);
  if (polls[5].revents & POLLOUT) input_write(&self);
  else if (polls[5].revents & POLLERR) input_close(&self);
  if (polls[2].revents) handle_signals();
  if (polls[0].revents & ~POLLOUT) control_read(&self);
  if (polls[1].revents) control_accept(&self);
  ending_step(&self);
  door_step(&self);
  link_flush(&self.link);
}

void holder_main(int connection) {
  reset_signals();
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  link_open(&self.link, connection);
  collect_request();
  begin();
  control_obey(&self);
  link_flush(&self.link);
  while (!self.dismissed && !(self.stopping && self.empty)) round_once();
  if (self.exited && !self.dismissed) ending_record(&self);
  door_shut(&self); /* its socket must not stay */
  unlink(self.request.socket);
  _exit(0);
}
