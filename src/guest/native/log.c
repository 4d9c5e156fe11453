/* One stream's bytes on disk, in segments named by the offset of their first byte. */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT (4u << 20)
#define KEEP (16u << 20)
#define SEGMENTS ((int)(sizeof((struct log *)0)->starts / sizeof(uint64_t)))

static void name_segment(const struct log *log, uint64_t start, char *path, size_t size) {
  snprintf(path, size, "%s/%s.%020llu", log->dir, log->prefix, (unsigned long long)start);
}

void log_init(struct log *log, const char *dir, const char *prefix) {
  memset(log, 0, sizeof *log);
  log->dir = dir;
  log->prefix = prefix;
  log->fd = -1;
}

static void drop_oldest(struct log *log) {
  char path[4200];
  name_segment(log, log->starts[0], path, sizeof path);
  unlink(path);
  log->count--;
  memmove(log->starts, log->starts + 1, sizeof *log->starts * (size_t)log->count);
}

/* The oldest goes once what follows it is enough, or once nobody can want it. */
void log_prune(struct log *log) {
  while (log->count > 1) {
    uint64_t next = log->starts[1];
    if (log->count < SEGMENTS && log->end - next < KEEP && next > log->floor) return;
    drop_oldest(log);
  }
}

static int open_segment(struct log *log) {
  char path[4200];
  name_segment(log, log->end, path, sizeof path);
  log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log->fd < 0) return -1;
  log->starts[log->count++] = log->end;
  log_prune(log);
  return 0;
}

/* A segment never has a hole: after a failure the next byte that can be kept begins a new one. */
static void give_up(struct log *log) {
  close(log->fd);
  log->fd = -1;
  if (log->starts[log->count - 1] != log->end) return;
  char path[4200];
  name_segment(log, log->end, path, sizeof path);
  unlink(path);
  log->count--;
}

int log_append(struct log *log, const uint8_t *data, size_t length) {
  while (length > 0) {
    if (log->fd >= 0 && log->end - log->starts[log->count - 1] >= SEGMENT) {
      close(log->fd);
      log->fd = -1;
    }
    ssize_t n = log->fd < 0 && open_segment(log) < 0 ? -1 : write(log->fd, data, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      if (log->fd >= 0) give_up(log);
      log->end += length;
      return -1;
    }
    log->end += (uint64_t)n;
    data += n;
    length -= (size_t)n;
  }
  return 0;
}
