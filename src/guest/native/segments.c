/* Reading a log from aside, while it is written and pruned. */
#include "segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The segment that holds `at`, else the first behind it; 0 where there is none. */
static int find(const struct reading *reading, uint64_t at, uint64_t *start) {
  DIR *dir = opendir(".");
  uint64_t below = UINT64_MAX, above = UINT64_MAX;
  size_t length = strlen(reading->prefix);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    if (strncmp(entry->d_name, reading->prefix, length) != 0 || entry->d_name[length] != '.') continue;
    uint64_t begins = strtoull(entry->d_name + length + 1, NULL, 10);
    if (begins <= at && (below == UINT64_MAX || begins > below)) below = begins;
    if (begins > at && begins < above) above = begins;
  }
  if (dir) closedir(dir);
  struct stat size;
  char name[64];
  if (below != UINT64_MAX) {
    snprintf(name, sizeof name, "%s.%020llu", reading->prefix, (unsigned long long)below);
    if (stat(name, &size) == 0 && at < below + (uint64_t)size.st_size) return *start = below, 1;
  }
  return *start = above, above != UINT64_MAX;
}

static void leave(struct reading *reading) {
  if (reading->fd >= 0) close(reading->fd);
  reading->fd = -1;
}

size_t segments_read(struct reading *reading, uint64_t until, uint64_t end, uint8_t *to, size_t room) {
  while (reading->at < until) {
    uint64_t left = until - reading->at;
    ssize_t n = reading->fd < 0 ? 0 : pread(reading->fd, to, left < room ? (size_t)left : room, (off_t)(reading->at - reading->start));
    if (n > 0) return reading->at += (uint64_t)n, (size_t)n;
    leave(reading);
    if (!find(reading, reading->at, &reading->start) || reading->start >= end) {
      reading->at = end; /* it was not kept */
      return 0;
    }
    if (reading->at < reading->start) reading->at = reading->start;
    char name[64];
    snprintf(name, sizeof name, "%s.%020llu", reading->prefix, (unsigned long long)reading->start);
    reading->fd = open(name, O_RDONLY | O_CLOEXEC); /* pruned meanwhile: the next one is looked for */
  }
  return 0;
}

uint64_t segments_end(const char *prefix) {
  DIR *dir = opendir(".");
  uint64_t end = 0;
  size_t length = strlen(prefix);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    struct stat size;
    if (strncmp(entry->d_name, prefix, length) != 0 || entry->d_name[length] != '.' || stat(entry->d_name, &size) < 0) continue;
    uint64_t ends = strtoull(entry->d_name + length + 1, NULL, 10) + (uint64_t)size.st_size;
    if (ends > end) end = ends;
  }
  if (dir) closedir(dir);
  return end;
}
