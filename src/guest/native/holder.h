/* One session: what its holder knows. */
#ifndef AMUX_HOLDER_H
#define AMUX_HOLDER_H

#include "amux.h"

#include <poll.h>

struct source {
  int fd; /* -1: ended */
  uint8_t stream;
  uint64_t limit; /* read no further */
  int broken;     /* the log could not keep something: the guest must get the bytes themselves */
  struct log log;
};

struct input {
  int fd; /* -1: nobody reads */
  int ending;
  uint64_t taken, told;
  size_t start, length;
  uint8_t bytes[WIRE_INPUT];
};

/* A client's program that came past the guest. */
struct door {
  int listener, visitor; /* -1: nobody is awaited, nobody is there */
  char *path;            /* NULL: none is wanted */
  int64_t look_at;       /* what a terminal's visitor read is taken then; 0: it has read nothing */
  int64_t look_by;
  int amount;            /* of that, when it was looked at last */
  uint64_t seen;         /* how far it was taken the time before */
  int64_t leave_by;      /* it was asked to go; 0: it was not */
};

struct holder {
  struct link link;
  struct door door;
  int listener, signals;
  struct request request;
  struct stdio io;
  pid_t pid;
  int exited, by_signal, status;
  int empty, dismissed, stopping;
  struct source sources[2];
  struct input input;
  struct order order;
  int64_t lonely_since;         /* the guest is gone since; 0: it is here */
  int64_t hup_at, kill_at;      /* 0: no such plan */
  void (*seen)(uint8_t stream, const uint8_t *data, size_t length); /* NULL, or who looks at the output too */
};

/* streams.c */
void source_read(struct holder *holder, struct source *source);
int source_wanted(const struct holder *holder, const struct source *source);
void source_tell(struct holder *holder, struct source *source);
void input_keep(struct holder *holder, const uint8_t *data, size_t length); /* input_write follows */
void input_add(struct holder *holder, const uint8_t *data, size_t length);
void input_write(struct holder *holder);
void input_tell(struct holder *holder);
void input_close(struct holder *holder);

struct pollfd source_poll(const struct holder *holder, const struct source *source);

/* door.c */
void door_open(struct holder *holder, const struct record *record);
void door_shut(struct holder *holder);
struct pollfd door_poll(const struct holder *holder);
void door_serve(struct holder *holder);
int door_later(struct holder *holder, const struct pollfd *found); /* 1: a visitor's news, which can wait */
void door_step(struct holder *holder);
int door_left(struct holder *holder); /* 1: what ended was a visit, not the output */

/* control.c */
void control_read(struct holder *holder);
void control_obey(struct holder *holder);
void control_accept(struct holder *holder);
void control_exit(struct holder *holder);
void control_lost(struct holder *holder);
void control_signal(struct holder *holder, int number); /* to its foreground process group */

/* ending.c */
void ending_begin(struct holder *holder, int signal, int64_t grace);
void ending_step(struct holder *holder);
int ending_timeout(const struct holder *holder);
void ending_record(struct holder *holder);

#endif
