/*
 * A session where no guest can be: the service's own session runs the recorder, which runs the program.
 *
 * Its directory, made by the client with `start` in it (records of wire.h and R_RECORD, R_LOCK):
 *   record.json  what R_RECORD said       life    pid, recorder, boot     status  how it ended, or why it never began
 *   out.*, err.* order                    as a holder's                   sock    where followers come
 * On the socket, and on a follower's standard input and output, go records as in wire.h.
 */
#ifndef AMUX_RECORD_H
#define AMUX_RECORD_H

#include "holder.h"

#include <poll.h>

enum {
  R_RECORD = 32, /* JSON, kept as it is */
  R_LOCK = 33,   /* a file that only one living session may hold: its name is taken */
  R_ROLE = 34,   /* u8: the first record of a connection */
  R_SYNC = 35,   /* answer once everything before was obeyed */
  R_LEAVE = 36,  /* to a follower: go */
  R_AWAIT = 37,  /* its owner comes: until then it does not run far ahead */

  R_HELLO = 96,    /* JSON: what is true now */
  R_SYNCED = 97,
  R_DISOWNED = 98, /* another one is the owner now */
  R_DATA = 99,     /* u8 stream, u64 offset, u32 CRC of the bytes, bytes */
  R_STATUS = 100,  /* JSON: how it ended; the last record */
  R_EXITED = 101,  /* the same, when the program ended: what it left behind may still talk */
};

enum { ROLE_OWNER = 'o', ROLE_VIEWER = 'v', ROLE_ASIDE = 'a' };

struct peer {
  struct link link;
  uint8_t role; /* 0: it did not say */
  int64_t heard;
};

#define PEERS 64

struct recorder {
  struct holder holder;
  struct peer peers[PEERS];
  int count, lock, settled; /* settled: how it ended is on disk */
  int64_t awaited; /* until when its first owner is waited for; 0: it is not */
  char *record, status[200];
  int64_t active, ended; /* when something last came or went, when the program ended; 0: not */
  uint64_t told[2];
  int told_end[2];
};

/* peers.c */
void peers_accept(struct recorder *recorder);
void hold_pace(struct recorder *recorder);
int peers_poll(struct recorder *recorder, struct pollfd *polls);
void peers_serve(struct recorder *recorder, const struct pollfd *polls);
void peers_tell(struct recorder *recorder);
void peers_exit(struct recorder *recorder);
void peers_ended(struct recorder *recorder);
void peers_farewell(struct recorder *recorder);
void peers_check(struct recorder *recorder);

/* view.c: whoever looks at the service's own session */
void view_open(int tty);
int view_holds(void); /* the program has to wait for it */
void view_put(uint8_t stream, const uint8_t *data, size_t length);
int view_poll(struct pollfd *polls, int room);
void view_serve(struct holder *holder, const struct pollfd *polls);
void view_resized(struct holder *holder);
void view_drain(void);

/* journal.c: its files */
void journal_begin(const struct recorder *recorder);
void journal_end(struct recorder *recorder);
void journal_refused(const char *why, int stage, int error);
int journal_hello(const struct recorder *recorder, char *text, size_t size);
void boot_name(char *text, size_t size);

/* awake.c: a task of the service keeps the computer from sleeping while the session works */
void awake_begin(const char *socket, const char *dir);
void awake_step(const struct recorder *recorder);
struct pollfd awake_poll(void);
int awake_timeout(void);
void awake_end(void);

#endif
