/*
 * What the guest says to the supervisor and its holders, and what they answer. Mirrored in ../sessions/wire.ts.
 *
 * Both ways a sequence of records: one tag byte, a big-endian u32 length, the payload. Numbers are big-endian.
 * A connection to init.sock becomes the connection to a new holder; a holder also listens on its own socket, where a
 * restarted guest sends RESUME. A holder talks to one guest at a time, the newest.
 */
#ifndef AMUX_WIRE_H
#define AMUX_WIRE_H

#define WIRE_HEADER 5
#define WIRE_MAX (16u << 20)

enum {
  /* Guest: what to start, in any order, closed by START. */
  W_ARG = 1,    /* one argument */
  W_ENV = 2,    /* one NAME=value */
  W_CWD = 3,    /* absolute */
  W_USER = 4,   /* u32 uid, u32 gid, u32 further groups */
  W_SIZE = 5,   /* u16 columns, u16 rows: a terminal of this size, u32 group of terminals; later: its new size */
  W_DIR = 6,    /* the session's directory */
  W_SOCKET = 7, /* path of the holder's socket */
  W_NO_STDIN = 8,
  W_START = 9,

  /* Guest, to a living holder. */
  W_RESUME = 10,  /* tell everything again: the first record of a new connection */
  W_INPUT = 11,   /* bytes; no more than WIRE_INPUT beyond what was taken */
  W_END_INPUT = 12,
  W_LIMIT = 13,   /* u8 stream, u64 read up to here, u64 of no use below here */
  W_SIGNAL = 14,  /* u8 signal, to the foreground process group */
  W_KILL = 15,    /* u8 signal to everything it started, u32 milliseconds until SIGKILL */
  W_DISMISS = 16, /* the guest knows all it wants to know */
  W_DOOR = 17,    /* path of a socket for one visitor, past the guest: see door.c */
  W_SHUT = 18,    /* no visitor any more */

  /* Holder. */
  W_STARTED = 64, /* u32 holder, u32 leader */
  W_FAILED = 65,  /* u8 stage, u32 errno */
  W_OUTPUT = 66,  /* u8 stream, u64 offset of the first byte, bytes; they are in the log already */
  W_GREW = 67,    /* u8 stream, u64 end: read the log */
  W_ENDED = 68,   /* u8 stream, u64 end: no more output */
  W_EXIT = 69,    /* u8 1 when by a signal, u8 status or signal */
  W_TAKEN = 70,   /* u64 input bytes taken; all ones: nobody reads any more */
  W_EMPTY = 71,   /* nothing it started is left */
  W_WAITS = 72,   /* its path: the visitor's socket is there, its maker's alone */
  W_DIRECT = 73,  /* u64: a visitor is there; a terminal's output is its own to show from this offset on */
};

/* Where a start failed. */
enum { S_REQUEST = 1, S_FORK, S_SETUP, S_USER, S_CWD, S_EXEC, S_INTERPRETER };

/* Input in flight between guest and holder. */
#define WIRE_INPUT (256u << 10)

#endif
