/*
 * A client's end of a door (door.c): stands between the local terminal and the session's, or pumps what is piped in,
 * past the client and the guest. What it reads of a terminal goes to the log as well. The client hears a little later of
 * what was shown, is asked about keys that may mean something to it, and gets back what could not be passed on.
 */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN, OUT, DOOR = 3, CLIENT };

/* To the client, mirrored in src/terminal/visit.ts. */
enum { V_SHOWN = 1, V_KEYS = 2, V_LEFT = 3, V_OVER = 4 };
/* From it: u8 whether the next keys are to be asked about, whatever they are; the bytes to pass on. */
enum { V_TYPE = 1, V_LEAVE = 2 };
/* Why it is over. */
enum { O_DOOR, O_ASKED, O_INPUT, O_OUTPUT };

#define KEYS 4096
/* A terminal gives 4 KB at a time. Less than that was all. */
#define GATHER 2048
#define SHOWN_AFTER 20
#define SHOWN_LATEST 250
#define SHOWN_EVERY (64u << 10)
#define CLOGGED (1u << 20)
#define PATIENCE 1000
/* In the background nobody says when that ends. */
#define LOOK 300

struct pile {
  uint8_t bytes[256u << 10];
  size_t end, passed, kept;
};

static struct {
  int in, out, program, keyboard; /* a terminal's, not only a stream of bytes */
  uint8_t special[256];
  int asked, follows;
  int64_t look_at, tell_at, late;
  struct link client;
  struct pile keys, screen;
} self;

/* Of the descriptor that the holder sends: -1 where there is none. */
static int receive_descriptor(void) {
  int fd = -1;
  char space[CMSG_SPACE(sizeof fd)], byte;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct pollfd readable = {DOOR, POLLIN, 0};
  if (poll(&readable, 1, PATIENCE) <= 0 || recvmsg(DOOR, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  struct cmsghdr *control = CMSG_FIRSTHDR(&message);
  if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS && control->cmsg_len == CMSG_LEN(sizeof fd)) memcpy(&fd, CMSG_DATA(control), sizeof fd);
  return fd;
}

/* A computer may be hostile: of anything else a read might never return. */
static int is_what_it_says(int fd) {
  struct stat found;
  return self.keyboard ? isatty(fd) : fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode);
}

/* Writes what is behind `*at`, as far as goes. -1: never again. */
static int move(const struct pile *pile, size_t *at, int to) {
  if (*at == pile->end) return 0;
  ssize_t n = write(to, pile->bytes + *at, pile->end - *at);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
  *at += (size_t)n;
  return 0;
}

static void wait_for(int fd) {
  struct pollfd writable = {fd, POLLOUT, 0};
  poll(&writable, 1, PATIENCE);
}

static void over(uint8_t why) {
  struct pile *keys = &self.keys, *screen = &self.screen;
  for (size_t before = ~0ul; before != screen->kept && screen->kept < screen->end;) {
    before = screen->kept;
    wait_for(DOOR);
    if (move(screen, &screen->kept, DOOR) < 0) break;
  }
  if (keys->passed < keys->end) link_put(&self.client, V_LEFT, NULL, 0, keys->bytes + keys->passed, keys->end - keys->passed);
  link_put(&self.client, V_OVER, NULL, 0, &why, 1);
  for (size_t before = 0; before != self.client.out_length && self.client.out_length > 0;) {
    before = self.client.out_length;
    wait_for(CLIENT);
    link_flush(&self.client);
  }
  _exit(0);
}

static void type(void) {
  if (move(&self.keys, &self.keys.passed, self.program) < 0) over(O_DOOR);
}

/* Told once it calms down, and at once when it is much: the client counts it, and knows by it how the terminal stands. */
static void show(void) {
  struct pile *screen = &self.screen;
  size_t before = screen->passed;
  if (move(screen, &screen->passed, self.out) < 0) over(O_OUTPUT);
  if (screen->passed == before) return;
  int64_t now = now_ms();
  link_put(&self.client, V_SHOWN, NULL, 0, screen->bytes + before, screen->passed - before);
  if (!self.tell_at) self.late = now + SHOWN_LATEST;
  self.tell_at = now + SHOWN_AFTER < self.late ? now + SHOWN_AFTER : self.late;
  if (self.client.out_length >= SHOWN_EVERY) self.tell_at = now;
}

static void keep(void) {
  if (move(&self.screen, &self.screen.kept, DOOR) < 0) over(O_DOOR);
}

static void take_output(void) {
  struct pile *screen = &self.screen;
  int ended = 0;
  screen->end = screen->passed = screen->kept = 0;
  while (screen->end < SHOWN_EVERY) {
    ssize_t n = read(self.program, screen->bytes + screen->end, SHOWN_EVERY - screen->end);
    if (n < 0 && errno == EINTR) continue;
    ended = n == 0 || (n < 0 && errno != EAGAIN);
    if (n > 0) screen->end += (size_t)n;
    if (n < GATHER) break;
  }
  if (ended && screen->end == 0) over(O_DOOR);
  show();
  keep();
}

static int is_special(const struct pile *keys) {
  for (size_t i = 0; i < keys->end; i++)
    if (self.special[keys->bytes[i]]) return 1;
  return self.follows;
}

static void take_keys(void) {
  struct pile *keys = &self.keys;
  ssize_t n = read(self.in, keys->bytes, self.keyboard ? KEYS : sizeof keys->bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0 && errno == EIO && tcgetpgrp(self.in) > 0 && tcgetpgrp(self.in) != getpgrp()) {
    self.look_at = now_ms() + LOOK;
    return;
  }
  keys->passed = keys->end = 0;
  if (n <= 0) over(O_INPUT);
  keys->end = (size_t)n;
  if (!self.keyboard || !is_special(keys)) return type();
  link_put(&self.client, V_KEYS, NULL, 0, keys->bytes, keys->end);
  link_flush(&self.client);
  keys->end = 0;
  self.asked = 1;
}

static void hear_client(void) {
  struct pile *keys = &self.keys;
  struct record record;
  if (link_fill(&self.client) < 0) over(O_ASKED);
  while (link_next(&self.client, &record) > 0) {
    link_consume(&self.client, &record);
    if (record.tag == V_LEAVE) over(O_ASKED);
    if (record.tag != V_TYPE || record.length < 1 || record.length - 1 > sizeof keys->bytes) continue;
    self.asked = 0;
    self.follows = record.data[0];
    keys->passed = 0;
    keys->end = record.length - 1;
    memcpy(keys->bytes, record.data + 1, keys->end);
    type();
  }
}

/* The holder wants to read for itself again. */
static void hear_door(void) {
  char byte;
  ssize_t n = read(DOOR, &byte, 1);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) over(O_DOOR);
}

/* Of our own, so that to read and write it without waiting is nobody else's affair. */
static int open_terminal(int fd) {
  const char *path = fd == IN ? "/proc/self/fd/0" : "/proc/self/fd/1";
  int own = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  return own < 0 ? fd : own;
}

/* What is due already waits for room, not for a time. */
static int timeout(int64_t now) {
  int64_t at = self.look_at;
  if (self.tell_at > now && (!at || self.tell_at < at)) at = self.tell_at;
  return at == 0 ? -1 : at > now ? (int)(at - now) : 0;
}

static void round_once(void) {
  const struct pile *keys = &self.keys, *screen = &self.screen;
  int64_t now = now_ms();
  int types = keys->passed < keys->end, shows = screen->passed < screen->end, keeps = screen->kept < screen->end;
  int may_read = !types && !self.asked && !self.look_at;
  int may_show = self.keyboard && !shows && !keeps && self.client.out_length < CLOGGED;
  int tells = self.client.out_length > 0 && self.tell_at <= now;
  struct pollfd polls[] = {
    {may_read ? self.in : -1, POLLIN, 0},
    {shows ? self.out : -1, POLLOUT, 0},
    {may_show || types || !self.keyboard ? self.program : -1, (short)((may_show ? POLLIN : 0) | (types ? POLLOUT : 0)), 0},
    {DOOR, (short)(POLLIN | (keeps ? POLLOUT : 0)), 0},
    {CLIENT, (short)(POLLIN | (tells ? POLLOUT : 0)), 0},
  };
  if (poll(polls, 5, timeout(now)) < 0) return;
  if (may_show && polls[2].revents & ~POLLOUT) take_output();
  if (types && polls[2].revents & ~POLLIN) type();
  if (polls[0].revents) take_keys();
  if (polls[1].revents) show();
  if (keeps && polls[3].revents & POLLOUT) keep();
  if (polls[3].revents & ~POLLOUT) hear_door();
  if (polls[4].revents & ~POLLOUT) hear_client();
  if (!self.keyboard && polls[2].revents & POLLERR) over(O_DOOR);
  now = now_ms();
  if (self.look_at && now >= self.look_at) self.look_at = 0;
  if (self.tell_at <= now) link_flush(&self.client);
  if (self.client.out_length == 0) self.tell_at = 0;
}

int visit_command(const char *kind, char **bytes) {
  static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
  self.keyboard = strcmp(kind, "keys") == 0;
  for (; *bytes; bytes++) self.special[(uint8_t)atoi(*bytes)] = 1;
  self.program = receive_descriptor();
  if (self.program < 0 || !is_what_it_says(self.program)) return BUSY;
  set_nonblocking(self.program);
  self.in = self.keyboard ? open_terminal(IN) : IN;
  self.out = self.keyboard ? open_terminal(OUT) : OUT;
  int room = CLOGGED;
  setsockopt(DOOR, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  set_nonblocking(DOOR);
  set_nonblocking(CLIENT);
  link_open(&self.client, CLIENT);
  for (;;) round_once();
}
