/* Reading a log from aside, in the working directory. */
#ifndef AMUX_SEGMENTS_H
#define AMUX_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

struct reading {
  const char *prefix;
  int fd; /* -1: none is open */
  uint64_t at, start;
};

/*
 * Bytes below `until`, moving `at` behind them. Over what was not kept it jumps, also beyond `until`, never beyond `end`,
 * where the log ends. 0: there are none.
 */
size_t segments_read(struct reading *reading, uint64_t until, uint64_t end, uint8_t *to, size_t room);
uint64_t segments_end(const char *prefix);

#endif
