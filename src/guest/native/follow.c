/*
 * One client's end of a recorded session: prints what its log holds and what comes, each byte once and with a checksum,
 * at the client's pace; then how it ended. What the client says goes to the recorder.
 */
#include "record.h"
#include "segments.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of a program that is about to begin. */
#define PATIENCE 15000
/* Before the client says more: this far beyond where it begins. */
#define WINDOW (256u << 10)
/* How far the program may be ahead of its owner; less than what is kept. */
#define SLACK (4u << 20)
#define PIECE (32u << 10)
#define CLOGGED (256u << 10)

static struct {
  uint8_t role;
  struct link client, out, session;
  struct reading streams[2];
  uint64_t end[2], limit[2];
  int over;   /* nothing more will come */
  int silent; /* it only wants to know how it goes */
  uint8_t *order;
  size_t order_length;
  int64_t order_at;
} self;

static uint32_t crc(const uint8_t *data, size_t length) {
  static uint32_t table[256];
  if (!table[1])
    for (uint32_t i = 0; i < 256; i++) {
      table[i] = i;
      for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
  uint32_t sum = ~0u;
  while (length--) sum = sum >> 8 ^ table[(sum ^ *data++) & 255];
  return ~sum;
}

static int exists(const char *name) {
  struct stat found;
  return stat(name, &found) == 0;
}

/* The recorder may be about to begin. */
static void meet(void) {
  for (int64_t until = now_ms() + PATIENCE; self.role != 'd'; usleep(4000)) {
    int begun = exists("record.json") || !exists("start"), ended = exists("status");
    int fd = ended && self.role == ROLE_ASIDE ? -1 : sock_connect("sock");
    if (fd >= 0) {
      set_nonblocking(fd);
      link_open(&self.session, fd);
      link_put(&self.session, R_ROLE, NULL, 0, &self.role, 1);
      return;
    }
    if (begun || ended || now_ms() > until) break;
  }
  self.over = 1;
}

static void learn_ends(void) {
  for (int i = 0; i < 2; i++) {
    uint64_t end = segments_end(self.streams[i].prefix);
    if (end > self.end[i]) self.end[i] = end;
  }
}

static uint64_t reach(int i) { return self.end[i] < self.limit[i] ? self.end[i] : self.limit[i]; }

static void read_order(void) {
  int64_t now = now_ms();
  if (self.order && now - self.order_at < 100) return;
  free(self.order);
  self.order_length = 0;
  self.order = (uint8_t *)read_whole("order", &self.order_length);
  self.order_at = now;
}

/* Which stream is next, and up to where. */
static int choose(uint64_t *until) {
  int has[2] = {self.streams[0].at < reach(0), self.streams[1].at < reach(1)};
  int next = has[0] ? 0 : 1;
  *until = reach(next);
  if (!has[0] || !has[1]) return next;
  read_order();
  for (size_t at = 0; self.order && at + 16 <= self.order_length; at += 16) {
    uint64_t out = get64(self.order + at), err = get64(self.order + at + 8);
    if (out <= self.streams[0].at && err <= self.streams[1].at) continue;
    next = out > self.streams[0].at ? 0 : 1;
    uint64_t turn = next == 0 ? out : err;
    *until = turn < reach(next) ? turn : reach(next);
    return next;
  }
  return next;
}

static void print_logs(void) {
  static uint8_t piece[PIECE];
  while (self.out.out_length < CLOGGED && (self.streams[0].at < reach(0) || self.streams[1].at < reach(1))) {
    uint64_t until;
    int i = choose(&until);
    uint64_t before = self.streams[i].at;
    size_t n = segments_read(&self.streams[i], until, self.end[i], piece, sizeof piece);
    self.limit[i] += self.streams[i].at - n - before; /* what is not kept takes nobody's time */
    if (n == 0) continue;
    uint8_t head[13] = {(uint8_t)(i + 1)};
    put64(head + 1, self.streams[i].at - n);
    put32(head + 9, crc(piece, n));
    link_put(&self.out, R_DATA, head, sizeof head, piece, n);
  }
}

static void print_end(void) {
  for (int i = 0; i < 2; i++) {
    uint8_t head[9] = {(uint8_t)(i + 1)};
    put64(head + 1, self.end[i]);
    link_put(&self.out, W_ENDED, head, sizeof head, NULL, 0);
  }
  size_t length = 0;
  char *text = read_whole("status", &length);
  const char *none = exists("record.json") ? "{\"status\":\"lost\"}" : "{\"status\":\"nothing\"}";
  if (self.role == 'd') none = "{\"status\":\"running\"}";
  link_put(&self.out, R_STATUS, NULL, 0, text ? text : none, text ? length : strlen(none));
  set_nonblocking(1);
  for (struct pollfd writable = {1, POLLOUT, 0}; self.out.out_length > 0 && poll(&writable, 1, -1) >= 0;) link_flush(&self.out);
  _exit(0);
}

static void end_session(void) {
  link_close(&self.session);
  self.over = 1;
  learn_ends();
}

static void hear_session(void) {
  int state = link_fill(&self.session);
  struct record record;
  while (link_next(&self.session, &record) > 0) {
    link_consume(&self.session, &record);
    if (record.tag == W_GREW && record.length == 9) self.end[record.data[0] == 2] = get64(record.data + 1);
    else if (record.tag == W_EXIT) return end_session();
    else link_put(&self.out, record.tag, NULL, 0, record.data, record.length);
  }
  if (state < 0) end_session();
}

static void hear_client(void) {
  struct record record;
  while (link_next(&self.client, &record) > 0 && self.session.out_length < CLOGGED) {
    link_consume(&self.client, &record);
    if (record.tag == R_LEAVE) _exit(0);
    if (record.tag == W_LIMIT && record.length >= 9) {
      uint64_t *limit = &self.limit[record.data[0] == 2];
      if (get64(record.data + 1) > *limit) *limit = get64(record.data + 1);
      uint8_t head[9] = {record.data[0]};
      put64(head + 1, get64(record.data + 1) + SLACK);
      link_put(&self.session, W_LIMIT, head, sizeof head, NULL, 0);
    } else if (record.tag == R_SYNC && self.session.fd < 0) link_put(&self.out, R_SYNCED, NULL, 0, NULL, 0);
    else link_put(&self.session, record.tag, NULL, 0, record.data, record.length);
  }
}

/* Removed, or a checkpoint was restored that knows nothing of it. */
static int no_such(void) {
  static const char hello[] = "{}", status[] = "{\"status\":\"nothing\"}";
  link_open(&self.out, 1);
  link_put(&self.out, R_HELLO, NULL, 0, hello, sizeof hello - 1);
  link_put(&self.out, R_STATUS, NULL, 0, status, sizeof status - 1);
  link_flush(&self.out);
  return 0;
}

int follow_command(const char *dir, char **options) {
  signal(SIGPIPE, SIG_IGN);
  if (chdir(dir) < 0) return errno == ENOENT ? no_such() : (note("amux-init: cannot enter %s: %s", dir, strerror(errno)), 1);
  self.role = (uint8_t)options[0][0];
  self.silent = self.role == ROLE_ASIDE || options[1][0] == '-';
  for (int i = 0; i < 2; i++) {
    self.streams[i] = (struct reading){.prefix = i == 0 ? "out" : "err", .fd = -1, .at = strtoull(options[1 + i], NULL, 10)};
    self.limit[i] = self.streams[i].at + WINDOW;
  }
  link_open(&self.session, -1);
  link_open(&self.client, 0);
  link_open(&self.out, 1);
  meet();
  if (self.over) learn_ends();
  if (self.over) link_put(&self.out, R_HELLO, NULL, 0, "{}", 2);
  for (int fd = 0; fd < 2; fd++) set_nonblocking(fd);
  for (;;) {
    hear_client();
    if (!self.silent) print_logs();
    int printed = self.silent || (self.streams[0].at >= self.end[0] && self.streams[1].at >= self.end[1]);
    if (self.over && printed) print_end();
    link_flush(&self.out);
    link_flush(&self.session);
    /* What it said is here and can be passed on now: nobody else would wake us. */
    struct record record;
    int said = link_next(&self.client, &record) > 0, goes_on = said && self.session.out_length < CLOGGED;
    int room = self.client.fd >= 0 && (self.client.in_length < CLOGGED || !said);
    struct pollfd polls[3] = {
      {room ? 0 : -1, POLLIN, 0},
      {self.session.fd, (short)(POLLIN | (self.session.out_length > 0 ? POLLOUT : 0)), 0},
      {1, (short)(self.out.out_length > 0 ? POLLOUT : 0), 0},
    };
    if (poll(polls, 3, goes_on ? 0 : -1) < 0) continue;
    if (polls[2].revents & (POLLERR | POLLHUP)) return 0; /* nobody reads any more */
    if (polls[0].revents && link_fill(&self.client) < 0) {
      hear_client();
      self.client.fd = -1;
      if (self.role == ROLE_ASIDE) self.over = 1;
    }
    if (polls[1].revents & ~POLLOUT) hear_session();
  }
}
