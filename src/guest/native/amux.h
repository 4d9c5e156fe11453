/* What the parts of amux-init share. */
#ifndef AMUX_H
#define AMUX_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire.h"

/* util.c */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Of a program beside a computer: the first line on standard error says whether it began. Returns BUSY. */
#define BUSY 75 /* EX_TEMPFAIL */
int step_failed(const char *step, const char *subject);
int64_t now_us(void);
int64_t now_ms(void);
int write_all(int fd, const void *data, size_t length);
void close_from(int first);
void *grow(void *block, size_t size);
char *copy_of(const char *string);
void raise_file_limit(void); /* as far as it goes: of directories one is held open a level */
char *path_of(const char *directory, const char *name);
void reset_signals(void);
void set_nonblocking(int fd);
void write_file(const char *path, const char *text);
char *read_all(int fd, size_t *length); /* ended by a zero byte that does not count; NULL: it cannot be read */
char *read_whole(const char *path, size_t *length);
static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }
static inline uint64_t get64(const uint8_t *p) { return (uint64_t)get32(p) << 32 | get32(p + 4); }
void put32(uint8_t *p, uint32_t value);
void put64(uint8_t *p, uint64_t value);

/* sock.c: unix sockets of which only the same user and root may be a peer */
int sock_listen(const char *path);
int sock_accept(int listener);
int sock_connect(const char *path);

/* link.c: a buffered connection that carries records */
struct link {
  int fd; /* -1: nobody there */
  uint8_t *in, *out;
  size_t in_start, in_length, in_size, out_start, out_length, out_size;
};
struct record {
  uint8_t tag;
  uint32_t length;
  const uint8_t *data;
};
void link_open(struct link *link, int fd);
void link_close(struct link *link);
int link_fill(struct link *link);                       /* -1: it is gone */
int link_next(struct link *link, struct record *record); /* 1: one is there, until link_consume; -1: nonsense */
void link_consume(struct link *link, const struct record *record);
char *record_text(const struct record *record); /* its payload, a zero byte behind it */
void link_put(struct link *link, uint8_t tag, const void *head, size_t head_length, const void *data, size_t length);
void link_flush(struct link *link);

/* request.c: what to start */
struct request {
  char **argv, **env;
  int argc, envc;
  char *cwd, *dir, *socket;
  int has_user, tty, no_stdin;
  uint32_t uid, gid;
  gid_t *groups;
  int group_count;
  uint16_t cols, rows;
  gid_t tty_group; /* -1: none */
};
int request_take(struct request *request, const struct record *record); /* -1: nonsense */

/* spawn.c */
struct failure {
  uint8_t stage;
  int32_t error;
};
struct stdio {
  int child[3];  /* what the program gets */
  int holder[3]; /* our ends: stdin to write, stdout and stderr to read; -1: none */
};
pid_t spawn(const struct request *request, struct stdio *io, struct failure *failure);

/* exec.c: never returns; reports on descriptor 3 */
void exec_program(const struct request *request, const struct stdio *io, int report) __attribute__((noreturn));

/* pty.c */
int pty_open(const struct request *request, struct stdio *io);
void pty_resize(int master, uint16_t cols, uint16_t rows);

/* log.c: one stream's bytes on disk, in segments named by the offset of their first byte */
struct log {
  const char *dir, *prefix;
  int fd, count;
  uint64_t end, floor;
  uint64_t starts[16];
};
void log_init(struct log *log, const char *dir, const char *prefix);
int log_append(struct log *log, const uint8_t *data, size_t length); /* -1: not all of it could be kept; the offset advances all the same */
void log_prune(struct log *log);

/* order.c: in which order two streams were written */
struct order {
  const char *dir;
  int fd, last;
  off_t size;
};
void order_note(struct order *order, int stream, uint64_t out_end, uint64_t err_end);

/* tree.c: everything that descends from a process */
void tree_signal(pid_t root, int signal);
void tree_signal_children(pid_t root, int signal);
int tree_has_group(pid_t root, pid_t group);
uint64_t tree_ticks(pid_t root); /* processor time used so far, in clock ticks */

/* holder.c: one per session */
void holder_main(int connection) __attribute__((noreturn));

/* place.c: where the guest lives, by its configuration */
struct place {
  char *config, *store, *run;
  int lock;
};
void place_read(struct place *place, const char *config);
int place_lock(struct place *place); /* 0 when it is ours now */
pid_t place_owner(struct place *place);
char *config_string(const char *json, const char *key);

/* command.c: the guest's command line, in a file so that it can be changed under a running supervisor */
int command_write(struct place *place, char **argv); /* 1 when it changed */
char **command_read(struct place *place);

/* supervise.c, start.c, bridge.c */
void supervise(struct place *place) __attribute__((noreturn));
int start_command(struct place *place, char **guest);
int stop_command(struct place *place);
int bridge_command(const char *socket);

/* container.c, folders.c, show.c: on a container engine */
int first_command(const char *lock, const char *boot, const char *mark, const char *socket); /* NULL: by signal alone */
int beside_command(char **words);
int signal_command(const char *mark, const char *number);
int shift_command(const char *from, const char *to);
int root_command(const char *mountinfo);
int reach_command(const char *directory);
int show_command(const char *directory, const char *at);
int clear_command(const char *directory);

/* received.c: a terminal's master side, or the writing end of a pipe; -1: none came */
int receive_program(int from, int terminal);

/* visit.c: a client's end of a session's door, see door.c */
int visit_command(const char *kind, char **bytes);

/* record.c, follow.c, records.c: a session without a guest, see record.h */
int record_command(const char *dir, const char *tasks);
int follow_command(const char *dir, char **options);
int records_command(const char *root);

#endif
