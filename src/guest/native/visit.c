/*
 * A client's end of a door (door.c): stands between the local terminal and the session's, or pumps what is piped in,
 * past the client and the guest. What it reads of a terminal goes to the screen and to the log. The client hears a
 * little later of what was shown, is asked about keys that may mean something to it, and gets back what could not be
 * passed on.
 */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { IN, OUT, DOOR = 3, CLIENT };

/* To the client, mirrored in src/terminal/visit.ts. */
enum { V_SHOWN = 1, V_KEYS = 2, V_LEFT = 3, V_OVER = 4 /* u8 why, u8 whether keys are still with the client */ };
/* From it: u8 whether the next keys are to be asked about, whatever they are; the bytes to pass on. */
enum { V_TYPE = 1, V_LEAVE = 2 };
/* Why it is over. */
enum { O_DOOR, O_ASKED, O_INPUT, O_OUTPUT };

/* At once. A terminal gives 4 KB. */
#define KEYS 4096
#define SHOWN_AFTER 20
#define SHOWN_LATEST 250
#define SHOWN_EVERY (64u << 10)
#define CLOGGED (1u << 20)
#define PATIENCE 1000
/* In the background nobody says when that ends. */
#define LOOK 300
/*
 * In microseconds: soon after a key its echo, and the next key, are waited for awake, since to be woken takes as long as
 * all the rest; of a processor that somebody types at, a hundredth.
 */
#define AWAKE 1000
#define TYPING 20000
/* No echo. */
#define MUCH 1024

struct pile {
  uint8_t *bytes;
  size_t end, passed;
};

static struct {
  int in, out, program, keyboard; /* a terminal's, not only a stream of bytes */
  uint8_t special[256];
  int asked, follows, full, room, awake, much, guarded, used;
  int64_t look_at, tell_at, late, typed_at;
  struct link client;
  struct pile keys, screen;
} self;

static uint8_t key_space[1u << 20], screen_space[32u << 10];

/* Others can have a descriptor of theirs wait although it must not: a clock breaks that off while it is in use. */
static volatile sig_atomic_t ticked;
static void tick(int number) { ticked = number; }

static void set_clock(int seconds) {
  struct itimerval every = {{seconds, 0}, {seconds, 0}};
  setitimer(ITIMER_REAL, &every, NULL);
  self.guarded = seconds;
}

static int guarded(int fd) {
  if (fd != self.program) return fd;
  self.used = 1;
  if (!self.guarded) set_clock(1);
  return fd;
}

/* Writes what is there, as far as goes. -1: never again. */
static int move(struct pile *pile, int to) {
  if (pile->passed == pile->end) return 0;
  ssize_t n = write(guarded(to), pile->bytes + pile->passed, pile->end - pile->passed);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
  pile->passed += (size_t)n;
  return 0;
}

static void wait_for(int fd) {
  struct pollfd writable = {fd, POLLOUT, 0};
  poll(&writable, 1, PATIENCE);
}

static void over(uint8_t why) {
  uint8_t last[2] = {why, (uint8_t)self.asked};
  struct pile *keys = &self.keys;
  if (keys->passed < keys->end) link_put(&self.client, V_LEFT, NULL, 0, keys->bytes + keys->passed, keys->end - keys->passed);
  link_put(&self.client, V_OVER, NULL, 0, last, sizeof last);
  for (size_t before = 0; before != self.client.out_length && self.client.out_length > 0;) {
    before = self.client.out_length;
    wait_for(CLIENT);
    link_flush(&self.client);
  }
  _exit(0);
}

static void type(void) {
  struct pile *keys = &self.keys;
  if (move(keys, self.program) < 0) over(O_DOOR);
  if (keys->passed == keys->end) keys->passed = keys->end = 0;
}

static void add_keys(const uint8_t *bytes, size_t length) {
  struct pile *keys = &self.keys;
  if (keys->end + length > sizeof key_space) {
    memmove(keys->bytes, keys->bytes + keys->passed, keys->end - keys->passed);
    keys->end -= keys->passed;
    keys->passed = 0;
  }
  if (keys->end + length > sizeof key_space) over(O_DOOR);
  if (bytes) memcpy(keys->bytes + keys->end, bytes, length);
  keys->end += length;
}

/* Told once it calms down, and at once when it is much: the client counts it, and knows by it how the terminal stands. */
static void show(void) {
  struct pile *screen = &self.screen;
  size_t before = screen->passed;
  if (move(screen, self.out) < 0) over(O_OUTPUT);
  if (screen->passed == before) return;
  int64_t now = now_ms();
  link_put(&self.client, V_SHOWN, NULL, 0, screen->bytes + before, screen->passed - before);
  if (!self.tell_at) self.late = now + SHOWN_LATEST;
  self.tell_at = now + SHOWN_AFTER < self.late ? now + SHOWN_AFTER : self.late;
  if (self.client.out_length >= SHOWN_EVERY) self.tell_at = now;
}

static void keep(const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(DOOR, bytes, length);
    if (n < 0 && errno != EAGAIN && errno != EINTR) over(O_DOOR);
    if (n < 0) wait_for(DOOR);
    else bytes += n, length -= (size_t)n;
  }
}

/* Nothing is read that the log has no room for: what is a quarter full takes it all. */
static void take_output(void) {
  struct pile *screen = &self.screen;
  ssize_t n = read(guarded(self.program), screen->bytes, sizeof screen_space);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) over(O_DOOR);
  screen->end = (size_t)n;
  screen->passed = 0;
  self.much = n >= MUCH;
  /* A terminal that is not ours alone may have us wait. */
  if (self.out != OUT) show();
  keep(screen->bytes, screen->end);
  if (self.out == OUT) show();
  int queued = 0;
  self.full = ioctl(DOOR, TIOCOUTQ, &queued) == 0 && queued > self.room / 4;
}

static int is_special(const uint8_t *keys, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (self.special[keys[i]]) return 1;
  return self.follows;
}

static void take_keys(void) {
  uint8_t bytes[KEYS];
  ssize_t n = read(self.in, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0 && errno == EIO && tcgetpgrp(self.in) > 0 && tcgetpgrp(self.in) != getpgrp()) {
    self.look_at = now_ms() + LOOK;
    return;
  }
  if (n <= 0) over(O_INPUT);
  self.typed_at = now_us();
  if (!is_special(bytes, (size_t)n)) return add_keys(bytes, (size_t)n), type();
  link_put(&self.client, V_KEYS, NULL, 0, bytes, (size_t)n);
  link_flush(&self.client);
  self.asked = 1;
}

static void take_input(void) {
  ssize_t n = read(self.in, self.keys.bytes, sizeof key_space / 4);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) over(O_INPUT);
  add_keys(NULL, (size_t)n);
  type();
}

static void hear_client(void) {
  struct record record;
  if (link_fill(&self.client) < 0) over(O_ASKED);
  while (link_next(&self.client, &record) > 0) {
    link_consume(&self.client, &record);
    if (record.tag != V_TYPE || record.length < 1) over(O_ASKED);
    self.asked = 0;
    self.follows = record.data[0];
    add_keys(record.data + 1, record.length - 1);
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

static int await(struct pollfd *polls, nfds_t count, int64_t now) {
  int found = 0;
  for (int64_t until = now_us() + AWAKE; self.awake && !found && now_us() < until; sched_yield()) found = poll(polls, count, 0);
  if (!found) found = poll(polls, count, timeout(now));
  self.awake = found > 0 && !self.much && now_us() - self.typed_at < TYPING;
  if (!ticked) return found;
  ticked = 0;
  if (!self.used) set_clock(0);
  self.used = 0;
  return found;
}

static void round_once(void) {
  const struct pile *keys = &self.keys, *screen = &self.screen;
  int64_t now = now_ms();
  int types = keys->passed < keys->end, shows = screen->passed < screen->end;
  int has_room = self.keyboard ? sizeof key_space - (keys->end - keys->passed) > 2 * KEYS : !types;
  int may_read = has_room && !self.asked && !self.look_at;
  int may_show = self.keyboard && !shows && !self.full && self.client.out_length < CLOGGED;
  int tells = self.client.out_length > 0 && self.tell_at <= now;
  struct pollfd polls[] = {
    {DOOR, (short)(POLLIN | (self.full ? POLLOUT : 0)), 0},
    {CLIENT, (short)(POLLIN | (tells ? POLLOUT : 0)), 0},
    {may_show || types || !self.keyboard ? self.program : -1, (short)((may_show ? POLLIN : 0) | (types ? POLLOUT : 0)), 0},
    {may_read ? self.in : -1, POLLIN, 0},
    {shows ? self.out : -1, POLLOUT, 0},
  };
  if (await(polls, 5, now) < 0) return;
  /* Whether anything here is still ours comes first. */
  if (polls[0].revents & ~POLLOUT) hear_door();
  if (polls[1].revents & ~POLLOUT) hear_client();
  if (polls[0].revents & POLLOUT) self.full = 0;
  if (may_show && polls[2].revents & ~POLLOUT) take_output();
  if (types && polls[2].revents & POLLOUT) type();
  else if (types && polls[2].revents & (POLLHUP | POLLERR)) self.keys.passed = self.keys.end = 0; /* nobody is there to read it */
  if (!self.keyboard && polls[2].revents & POLLERR) over(O_DOOR);
  if (polls[3].revents) self.keyboard ? take_keys() : take_input();
  if (polls[4].revents) show();
  now = now_ms();
  if (self.look_at && now >= self.look_at) self.look_at = 0;
  if (self.tell_at <= now) link_flush(&self.client);
  if (self.client.out_length == 0) self.tell_at = 0;
}

static void prepare(const char *kind, char **bytes) {
  /* A keyboard's must never be stopped in the middle; what is piped in stands still with the job. */
  static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
  self.keyboard = strcmp(kind, "keys") == 0;
  for (size_t i = 0; i < (self.keyboard ? 8u : 5u); i++) signal(ignored[i], SIG_IGN);
  struct sigaction ticking = {.sa_handler = tick};
  sigaction(SIGALRM, &ticking, NULL);
  for (; *bytes; bytes++) self.special[(uint8_t)atoi(*bytes)] = 1;
  self.keys.bytes = key_space;
  self.screen.bytes = screen_space;
  link_open(&self.client, CLIENT);
  set_nonblocking(CLIENT);
}

int visit_command(const char *kind, char **bytes) {
  prepare(kind, bytes);
  self.program = receive_program(DOOR, self.keyboard);
  if (self.program < 0) over(O_DOOR);
  set_nonblocking(self.program);
  self.in = self.keyboard ? open_terminal(IN) : IN;
  self.out = self.keyboard ? open_terminal(OUT) : OUT;
  socklen_t size = sizeof self.room;
  self.room = CLOGGED;
  setsockopt(DOOR, SOL_SOCKET, SO_SNDBUF, &self.room, size);
  getsockopt(DOOR, SOL_SOCKET, SO_SNDBUF, &self.room, &size);
  set_nonblocking(DOOR);
  for (;;) round_once();
}
