/* amux-net log DIR [--follow] [--denied] */
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 16384 };

struct reader {
  int fd;
  bool denied;
  char line[LINE];
  size_t have;
};

static bool is_wanted(const struct reader *reader, const char *line) {
  return !reader->denied || strstr(line, "\"event\":\"lookup\"") || strstr(line, "\"event\":\"connect\"");
}

/* Whole lines only. False: nobody reads them. */
static bool copy_lines(struct reader *reader) {
  for (;;) {
    ssize_t got = read(reader->fd, reader->line + reader->have, LINE - 1 - reader->have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    reader->have += (size_t)got;
    reader->line[reader->have] = 0;
    char *start = reader->line;
    for (char *end; (end = memchr(start, '\n', reader->have - (size_t)(start - reader->line))); start = end + 1) {
      *end = 0;
      bool wanted = is_wanted(reader, start);
      *end = '\n';
      if (wanted && !write_all(1, start, (size_t)(end + 1 - start))) return false;
    }
    reader->have -= (size_t)(start - reader->line);
    memmove(reader->line, start, reader->have);
    if (reader->have == LINE - 1) reader->have = 0;
  }
}

static int open_log(const char *name) {
  return open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool is_current(int fd) {
  struct stat open_, current;
  return fd >= 0 && fstat(fd, &open_) == 0 && stat("log", &current) == 0 && open_.st_ino == current.st_ino && open_.st_dev == current.st_dev;
}

/* What the file that was turned away still held, then the one in its place. */
static bool catch_up(struct reader *reader) {
  for (int turns = 0; turns < 3; turns++) {
    bool current = is_current(reader->fd);
    if (reader->fd >= 0 && !copy_lines(reader)) return false;
    if (current) return true;
    int next = open_log("log");
    if (next < 0) return true;
    if (reader->fd >= 0) close(reader->fd);
    reader->fd = next, reader->have = 0;
  }
  return true;
}

static int follow(struct reader *reader, int changes) {
  char waste[8192];
  for (;;) {
    if (!catch_up(reader)) return 0;
    struct pollfd polls[3] = {{.fd = changes, .events = POLLIN}, {.fd = 0, .events = POLLIN}, {.fd = 1, .events = 0}};
    if (poll(polls, 3, -1) < 0 && errno != EINTR) return 1;
    if (polls[2].revents & (POLLERR | POLLHUP)) return 0;
    if (polls[1].revents && read(0, waste, sizeof waste) <= 0) return 0;
    if (polls[0].revents && read(changes, waste, sizeof waste) <= 0) return 1;
  }
}

int log_main(int argc, char **argv) {
  static struct reader reader = {.fd = -1};
  const char *dir = NULL;
  bool follows = false, wrong = false;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--follow") == 0) follows = true;
    else if (strcmp(argv[i], "--denied") == 0) reader.denied = true;
    else if (argv[i][0] != '-' && !dir) dir = argv[i];
    else wrong = true;
  }
  if (!dir || wrong) return say(2, "usage: amux-net log DIR [--follow] [--denied]\n"), 2;
  signal(SIGPIPE, SIG_IGN);
  /* A log that is followed may have no directory yet. */
  if (follows ? !enter_directory(dir) : chdir(dir) != 0 && errno != ENOENT) return say(1, "error\t%d\tdirectory\t%s\t%s\n", errno, dir, strerror(errno)), 1;
  int changes = follows ? inotify_init1(IN_CLOEXEC) : -1;
  if (follows && (changes < 0 || inotify_add_watch(changes, ".", IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)) return say(1, "error\t%d\tfollow\t%s\t%s\n", errno, dir, strerror(errno)), 1;
  reader.fd = open_log("log.1");
  if (reader.fd >= 0 && !copy_lines(&reader)) return 0;
  return follows ? follow(&reader, changes) : (catch_up(&reader), 0);
}
