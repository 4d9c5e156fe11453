/* What packing and unpacking share: the tar format, and how a failure is told. */
#ifndef TAR_H
#define TAR_H

#include "amux.h"

#include <sys/stat.h>
#include <time.h>

enum { BLOCK = 512, SMALL = 64 * 1024, PIECE = 256 * 1024 };

/* A string of bytes, any of them; a zero byte follows. */
struct text {
  char *data;
  size_t length, room;
};
void text_set(struct text *text, const void *data, size_t length);
void text_add(struct text *text, const void *data, size_t length);

/*
 * tarfault.c: records on standard error, their fields each ended by a zero byte. A failure is `e` (of an entry) or `p` (of
 * a place on this machine), why, which, in words; the process ends with it. `s`, an entry, why: it was left out. `b`, how
 * many bytes of the archive have passed, now and then.
 */
struct tar_subject {
  const char *name; /* NULL: the archive as a whole */
  size_t length;
  int is_place;
  void (*clean)(void); /* before it ends */
};
extern struct tar_subject subject;
void refuse(const char *why, const char *words) __attribute__((noreturn));
void failed(const char *call) __attribute__((noreturn)); /* why is `#` and errno */
void left_out(const char *why);
void passed(size_t bytes);

/* tarwrite.c: the stream that is made, on standard output */
struct head {
  char flag; /* '0' file, '1' hard link, '2' link, '5' directory */
  const struct text *name, *target;
  uint64_t size;
  mode_t mode;
  struct timespec mtime;
};
void tape_head(const struct head *head);
void tape_content(const void *data, size_t length);
void tape_pad(uint64_t size);
void tape_flush(void); /* what is small waits for more */
void tape_send(const void *data, size_t length);

/* tarread.c: the stream that is read, from standard input */
struct entry {
  char flag;
  struct text name, target;
  uint64_t size;
  int64_t mode;
  struct timespec mtime;
};
int tar_next(struct entry *entry); /* 0: that was the last; a body is to be read to its end before */
size_t tar_body(const uint8_t **piece); /* 0: its end */
void tar_stop_on(int signal); /* from then on that is a failure to read */

/* steps.c: directories below one that are entered step by step and held open, so that no link on the way is ever followed */
struct level {
  char *name;
  int fd, made; /* made by us: nothing is in it that is not ours */
};
struct steps {
  struct level *levels;
  int count, room;
  void (*adopt)(int fd); /* of a directory that is made; NULL: none is */
};
void steps_begin(struct steps *steps, int root, void (*adopt)(int fd));
const struct level *steps_enter(struct steps *steps, char *const *names, int count);

/* names.c */
/* In pieces of a copy, good until the next call with the same one. */
struct names {
  struct text copy;
  char **all;
  int count, room;
};
int is_text(const struct text *name); /* UTF-8 */
void split_or_refuse(struct names *names, const struct text *from, const char *what);

/* closing.c */
void close_later(const struct names *names, const struct entry *entry);
void close_directories(struct steps *steps, mode_t mask, int with_times);

int pack_command(int whole);
int unpack_command(const char *directory, char **words);

#endif
