#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "walk.h"

/* What a power cut may have taken back although its time was on disk: data is written within half a minute. */
#define UNSETTLED_NANOS 120000000000ll

int64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const unsigned char *this_boot(void) {
  static unsigned char boot[16];
  static bool known;
  if (known) return boot;
  known = true;
  char text[40] = "";
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  uint64_t halves[2] = {got > 0 ? hash_bytes(text, (size_t)got, 1) : 0, got > 0 ? hash_bytes(text, (size_t)got, 2) : 0};
  memcpy(boot, halves, sizeof boot);
  return boot;
}

void stamp(struct index *index) {
  index->time = now_nanos();
  memcpy(index->boot, this_boot(), sizeof index->boot);
}

bool trusted(const struct index *known, const struct entry *entry) {
  if (entry->flags & (IS_RACY | IS_UNKNOWN | IS_FOREIGN)) return false;
  return memcmp(known->boot, this_boot(), sizeof known->boot) == 0 || entry->ctime < known->time - UNSETTLED_NANOS;
}
