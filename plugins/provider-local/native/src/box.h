/* amux-box: makes and enters the namespaces of a computer. Static, single-threaded, no dependency but libc. */
#ifndef BOX_H
#define BOX_H
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
/* Lines of fields: the same as amux's own tools speak. */
#include "text.h"

/* ---- linux.c: system calls and constants that an old libc does not know ---- */
#define BOX_AT_EMPTY_PATH 0x1000
#define BOX_AT_RECURSIVE 0x8000
#define BOX_OPEN_TREE_CLONE 1
#define BOX_MOVE_F_EMPTY_PATH 0x00000004
#define BOX_MOVE_T_SYMLINKS 0x00000010
#define BOX_ATTR_RDONLY 0x1
#define BOX_ATTR_NOSUID 0x2
#define BOX_ATTR_NODEV 0x4
#define BOX_ATTR_NOEXEC 0x8
#define BOX_RESOLVE_BENEATH 0x08
#define BOX_RESOLVE_NO_SYMLINKS 0x04

int box_open_tree(int dirfd, const char *path, unsigned flags);
int box_move_mount(int from, int to_dirfd, const char *to, unsigned flags);
int box_mount_attr(int fd, uint64_t set, bool recursive);
int box_open_beneath(int dirfd, const char *path, int flags);
int box_pidfd_open(pid_t pid);
int box_pidfd_kill(int pidfd, int signal);
/* Every descriptor from `first` up is closed by the next exec. */
void box_cloexec_from(int first);

/* ---- proc.c ---- */
/* Clock ticks after boot at which a process started; 0 when it is gone or a zombie. With the pid it names one process for good. */
unsigned long long start_ticks(pid_t pid);
bool boot_id(char out[40]);
/* A pidfd of exactly that process, -1 when it is gone. */
int open_exact(pid_t pid, unsigned long long ticks);

/* ---- lock.c ---- */
/* Opened and locked; -1 with EWOULDBLOCK when somebody else holds it. What died with its last holder is gone then. */
int open_lock(const char *path);
/* What a keeper that was killed left dying: the lock is free at once, its processes are gone only a moment later. */
void end_leftover(int lock);

/* ---- cgroup.c ---- */
enum { GROUP_PATH = 2000 };
struct cgroup {
  char path[GROUP_PATH];
  bool two;
};
/* Made anew with that process in it. False: this machine or user has none to make. */
bool group_make(const char *name, pid_t first, struct cgroup *group);
/* The one that was made for the computer of that process. */
bool group_of(pid_t pid, struct cgroup *group);
bool group_take(const struct cgroup *group, pid_t pid);
/* Who writes `0` to it goes in. */
int group_door(const struct cgroup *group);
/* Asks for it; frozen it is only when it says so. */
bool group_freeze(const struct cgroup *group, bool freeze);
bool group_is_frozen(const struct cgroup *group);
/* Empty and one of ours, or nothing happens. */
void group_remove(const char *path);
void nap(long milliseconds);

/* ---- halt.c ---- */
enum { MOST_HALTED = 65536 };
struct halted {
  size_t count;
  struct {
    pid_t pid;
    unsigned long long ticks;
  } list[MOST_HALTED];
};
bool halt_all(pid_t first, struct halted *halted);
/* Children first. What had stopped before is not in the list. */
void go_on(const struct halted *halted);

/* ---- freeze.c ---- */
enum { FREEZE_FILE = 4096 };

/* ---- net.c ---- */
bool raise_loopback(void);
/* In a network of one's own nobody is in the way: ordinary users may ping and listen on any port, as far as the kernel has that. */
void ease_network(void);

/* ---- keep.c ---- */
int do_await(char **field);

/* ---- harden.c ---- */
/* Keeps only these capabilities (names without `cap_`, separated by commas), in every set. */
bool keep_caps(const char *names);
/* Adds these to what an ordinary user's program has after its exec, as far as the caller has them. */
bool pass_caps(const char *names);
/* Closes what namespaces leave open: key rings, the kernel log, abstract sockets of the machine. */
bool deny_syscalls(void);
bool scope_sockets(void);

/* ---- plan.c ---- */
struct step {
  int count;
  char **fields;
};
struct plan {
  struct step *steps;
  size_t count;
};
/* False when the text is not a whole plan, which ends with the line `end`. */
bool parse_plan(char *text, struct plan *plan);
const struct step *find_step(const struct plan *plan, const char *name);
/* Carries the steps out in order; on failure says which on `report` and returns false. Returns true after the last. */
bool run_plan(const struct plan *plan, int report);

/* ---- attend.c ---- */
bool attend_start(const struct plan *plan, pid_t first);
/* Until all are; else the answer that says which one is not. */
bool attend_ready(char *failure, size_t size);
/* Whether it was one of them. */
bool attend_ended(pid_t pid);
/* Starts those again whose time has come; milliseconds until the next one's, -1 for none. */
long attend_again(void);
void attend_end(void);

/* ---- mount.c, hide.c, file.c: the steps; each returns 0 or sets errno ---- */
int do_private(char **field);
int do_overlay(char **field);
int do_root(char **field);
int do_clone(char **field);
int do_foreign(char **field);
int do_into(char **field);
int do_detach(char **field);
int do_pivot(char **field);
int do_attach(char **field);
int do_mount(char **field);
int do_mask(char **field);
int do_readonly(char **field);
int do_seal(char **field);
int do_hide(char **field);
int do_dir(char **field);
int do_file(char **field);
int do_link(char **field);
int do_node(char **field);
/* mkdir -p; what is made gets `mode`. */
int make_dirs(const char *path, mode_t mode);
int make_parents(const char *path);
uint64_t parse_attrs(const char *names);
bool has_word(const char *list, const char *word);

/* ---- the commands ---- */
int keep_main(int argc, char **argv);
int enter_main(int argc, char **argv);
int aside_main(int argc, char **argv);
int attach_main(int argc, char **argv);
int remove_main(int argc, char **argv);
int freeze_main(int argc, char **argv);
int thaw_main(int argc, char **argv);

/* ---- aside.c: enters namespaces of a process. pid, start ticks, their names ---- */
bool join_spaces(char **field);

/* ---- child.c: a program that is watched and reported on, for enter and aside ---- */
struct child {
  const char *user;
  const char *cwd;
  bool tty;
  unsigned short cols, rows;
  char **argv;
  /* A lock that lasts as long as the program, also when who watches it is killed first; 0 for none. */
  int lock;
  /* Into which control group it goes; 0 for none. */
  int door;
};
/* Runs it, talks over descriptor 3, returns the status to exit with. */
int watch_child(const struct child *child);

/* ---- relay.c ---- */
bool open_terminal(int *master, int *terminal, unsigned short cols, unsigned short rows);
/* The program alone holds its streams. */
void release_stdio(void);
/* Obeys the caller until the program ended and its terminal is read; returns its wait status. */
int relay(pid_t pid, int master);

#endif
