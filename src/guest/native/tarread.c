/* Reads a tar stream (ustar, pax, GNU long names), of which nothing is trusted. */
#include "tar.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { META_MAX = 1024 * 1024 };
#define SIZE_MOST 9007199254740991LL /* as much as any of those who read it can count */
#define TIME_MOST 8640000000000LL

enum { PATH, LINKPATH, LENGTH, MTIME, KEYS };
static const char *const keys[KEYS] = {"path", "linkpath", "size", "mtime"};
struct pax {
  struct text values[KEYS];
  int given[KEYS], sparse;
};

static uint8_t window[PIECE];
static size_t from, to;
static uint64_t left;
static size_t padding;

static volatile sig_atomic_t stopped;
static sigset_t listening; /* the signals that are let in while it waits */

static void stop(int number) {
  (void)number;
  stopped = 1;
}

void tar_stop_on(int number) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, number);
  sigprocmask(SIG_BLOCK, &blocked, &listening);
  sigdelset(&listening, number);
  sigaction(number, &(struct sigaction){.sa_handler = stop}, NULL);
}

/* Once there is something: a signal just before a read that waits would be heard too late. */
static ssize_t receive(void *into, size_t room) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (;;) {
    int ready = ppoll(&input, 1, NULL, &listening);
    if (stopped) refuse("ERR_TAR", "it was stopped");
    if (ready < 0 && errno == EINTR) continue;
    ssize_t n = read(0, into, room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) failed("read");
    return n;
  }
}

static void more(void) {
  if (from > 0) memmove(window, window + from, to - from);
  to -= from;
  from = 0;
  ssize_t n = receive(window + to, sizeof window - to);
  if (n == 0) refuse("ERR_TAR", "the archive ends early");
  to += (size_t)n;
  passed((size_t)n);
}

/* At most so much, and at least a byte. */
static size_t some(const uint8_t **piece, size_t most) {
  if (from == to) more();
  size_t length = to - from < most ? to - from : most;
  *piece = window + from;
  from += length;
  return length;
}

/* At most a block. */
static const uint8_t *exact(size_t length) {
  while (to - from < length) more();
  from += length;
  return window + from - length;
}

static size_t cut(const uint8_t *field, size_t room) {
  return strnlen((const char *)field, room);
}

static const uint8_t *after_spaces(const uint8_t *at, const uint8_t *end) {
  while (at < end && *at == ' ') at++;
  return at;
}

/* Octal text, or, for what does not fit, a big-endian number after a byte with its top bit set; INT64_MAX and _MIN: beyond. */
static int64_t number(const uint8_t *at, size_t room) {
  const uint8_t *end = at + room;
  if (*at & 0x80) {
    int64_t value = *at == 0xff ? -1 : *at & 0x7f;
    while (++at < end) {
      if (value > INT64_MAX >> 8) return INT64_MAX;
      if (value < INT64_MIN >> 8) return INT64_MIN;
      value = (int64_t)((uint64_t)value << 8) | *at;
    }
    return value;
  }
  int64_t value = 0;
  for (at = after_spaces(at, end); at < end && *at >= '0' && *at <= '7'; at++) value = value * 8 + (*at - '0');
  at = after_spaces(at, end);
  if (at < end && *at) refuse("ERR_TAR", "this is no tar archive, or it is damaged (number)");
  return value;
}

static int is_sound(const uint8_t *header) {
  unsigned sum = 8 * ' ';
  for (int i = 0; i < BLOCK; i++)
    if (i < 148 || i >= 156) sum += header[i];
  return number(header + 148, 8) == sum;
}

static int is_zero(const uint8_t *header) {
  for (int i = 0; i < BLOCK; i++)
    if (header[i]) return 0;
  return 1;
}

static void set(struct pax *pax, int key, const char *value, size_t length) {
  text_set(&pax->values[key], value, length);
  pax->given[key] = 1;
}

static void set_named(struct pax *pax, const char *name, size_t name_length, const char *value, size_t length) {
  static const char sparse[] = "GNU.sparse.";
  for (int key = 0; key < KEYS; key++)
    if (strlen(keys[key]) == name_length && memcmp(name, keys[key], name_length) == 0) set(pax, key, value, length);
  if (name_length >= strlen(sparse) && memcmp(name, sparse, strlen(sparse)) == 0) pax->sparse = 1;
}

static void read_records(const struct text *body, struct pax *pax) {
  for (const char *at = body->data, *end = at + body->length; at < end;) {
    size_t length = 0;
    const char *space = at;
    for (; space < end && *space >= '0' && *space <= '9' && length <= META_MAX; space++) length = length * 10 + (size_t)(*space - '0');
    const char *equals = space < end && *space == ' ' ? memchr(space, '=', (size_t)(end - space)) : NULL;
    if (length == 0 || length > (size_t)(end - at) || !equals || equals >= at + length || at[length - 1] != '\n') refuse("ERR_TAR", "the archive has a damaged extended header");
    const char *value = equals + 1;
    at += length;
    set_named(pax, space + 1, (size_t)(equals - space - 1), value, (size_t)(at - 1 - value));
  }
}

/* Takes in what only describes the next entry; 0 when it is an entry itself. */
static int take_meta(char flag, int64_t size, struct pax *own, struct pax *global) {
  static struct text body;
  if (flag == 0 || !strchr("xXgLKV", flag)) return 0;
  if (size < 0 || size > META_MAX) refuse("ERR_TAR", "the archive has an extended header that is too large");
  text_set(&body, "", 0);
  while (body.length < (size_t)size) {
    const uint8_t *piece;
    size_t length = some(&piece, (size_t)size - body.length);
    text_add(&body, piece, length);
  }
  exact((size_t)(BLOCK - size % BLOCK) % BLOCK);
  if (flag == 'L') set(own, PATH, body.data, strlen(body.data));
  else if (flag == 'K') set(own, LINKPATH, body.data, strlen(body.data));
  else if (flag != 'V') read_records(&body, flag == 'g' ? global : own);
  return 1;
}

/* Negative: none. */
static int64_t decimal(const char **at) {
  int64_t value = 0;
  const char *begin = *at;
  for (; **at >= '0' && **at <= '9'; ++*at)
    if ((value = value * 10 + (**at - '0')) > SIZE_MOST) return -1;
  return *at == begin ? -1 : value;
}

/* One that is none, or that no clock shows, is the beginning of time. */
static struct timespec time_of(const struct text *text) {
  const char *at = text->data;
  int back = *at == '-';
  at += back;
  struct timespec time = {.tv_sec = decimal(&at)};
  if (time.tv_sec < 0 || time.tv_sec > TIME_MOST) return (struct timespec){0};
  if (*at == '.') {
    at++;
    for (long unit = 100000000; *at >= '0' && *at <= '9'; at++, unit /= 10) time.tv_nsec += (*at - '0') * unit;
  }
  if (*at) return (struct timespec){0};
  if (back) {
    time.tv_sec = -time.tv_sec - (time.tv_nsec > 0);
    time.tv_nsec = time.tv_nsec > 0 ? 1000000000 - time.tv_nsec : 0;
  }
  return time;
}

/* Of the form that the entry has, or 0. */
static char kind_of(char flag, const struct text *name) {
  if (flag == '0' || flag == 0 || flag == '7') return name->length > 0 && name->data[name->length - 1] == '/' ? '5' : '0';
  return flag == '1' || flag == '2' || flag == '5' ? flag : 0;
}

static void refuse_kind(char flag) {
  if (flag == '3') refuse("ERR_TAR", "the archive contains a character device");
  if (flag == '4') refuse("ERR_TAR", "the archive contains a block device");
  if (flag == '6') refuse("ERR_TAR", "the archive contains a named pipe");
  refuse("ERR_TAR_FORM", "the archive stores it in a form that amux does not unpack (a sparse file?)");
}

static void name_of(const uint8_t *header, struct text *name) {
  static const char posix[] = "ustar";
  text_set(name, "", 0);
  if (memcmp(header + 257, posix, sizeof posix) == 0 && header[345]) {
    text_add(name, header + 345, cut(header + 345, 155));
    text_add(name, "/", 1);
  }
  text_add(name, header, cut(header, 100));
}

static const struct text *given(const struct pax *own, const struct pax *global, int key) {
  return own->given[key] ? &own->values[key] : global->given[key] ? &global->values[key] : NULL;
}

static void describe(struct entry *entry, const uint8_t *header, const struct pax *own, const struct pax *global) {
  const struct text *name = given(own, global, PATH), *target = given(own, global, LINKPATH), *size = given(own, global, LENGTH), *mtime = given(own, global, MTIME);
  char flag = (char)header[156];
  if (name) text_set(&entry->name, name->data, name->length);
  else name_of(header, &entry->name);
  if (target) text_set(&entry->target, target->data, target->length);
  else text_set(&entry->target, header + 157, cut(header + 157, 100));
  entry->flag = kind_of(flag, &entry->name);
  subject.name = entry->name.data;
  subject.length = entry->name.length;
  if (!entry->flag || own->sparse || global->sparse) refuse_kind(flag);
  int64_t length = 0;
  if (entry->flag == '0') {
    const char *at = size ? size->data : "";
    length = size ? decimal(&at) : number(header + 124, 12);
    if (*at || length < 0 || length > SIZE_MOST) refuse("ERR_TAR", "the archive gives it an impossible size");
  }
  entry->size = left = (uint64_t)length;
  padding = (BLOCK - left % BLOCK) % BLOCK;
  entry->mode = number(header + 100, 8);
  if (mtime) entry->mtime = time_of(mtime);
  else {
    int64_t seconds = number(header + 136, 12);
    entry->mtime = (struct timespec){.tv_sec = seconds > TIME_MOST || seconds < -TIME_MOST ? 0 : seconds};
  }
}

int tar_next(struct entry *entry) {
  static struct pax own, global;
  memset(own.given, 0, sizeof own.given);
  own.sparse = 0;
  subject.name = NULL;
  for (;;) {
    const uint8_t *header = exact(BLOCK);
    if (is_zero(header)) break;
    if (!is_sound(header)) refuse("ERR_TAR", "this is no tar archive, or it is damaged (checksum)");
    uint8_t kept[BLOCK];
    memcpy(kept, header, BLOCK);
    if (take_meta((char)kept[156], number(kept + 124, 12), &own, &global)) continue;
    describe(entry, kept, &own, &global);
    return 1;
  }
  /* What follows the end is read away, so that the sender is not cut off. */
  while (receive(window, sizeof window) > 0) { /* away */ }
  return 0;
}

size_t tar_body(const uint8_t **piece) {
  if (left == 0) {
    exact(padding);
    padding = 0;
    return 0;
  }
  size_t length = some(piece, left < PIECE ? (size_t)left : PIECE);
  left -= length;
  return length;
}
