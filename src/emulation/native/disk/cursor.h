/*
 * The current directory, led from one directory of a tree to another by names, never by a path: any depth, no link
 * followed, and few descriptors held.
 */
#ifndef DISK_CURSOR_H
#define DISK_CURSOR_H
#include <stdbool.h>
#include "index.h"

struct cursor {
  const struct index *index;
  int root;
  uint32_t *chain, room;
  int *fds;
  uint32_t fds_room, depth;
  uint32_t here;
};

/* Of the tree whose root directory this is; takes the descriptor over. */
void cursor_open(struct cursor *cursor, const struct index *index, int root);
/* Makes it the current directory. False with errno; then the current directory is any. */
bool cursor_go(struct cursor *cursor, uint32_t directory);
/* The descriptor of where it went last. */
int cursor_fd(const struct cursor *cursor);
/* The current directory may have been changed meanwhile: go again. */
void cursor_lost(struct cursor *cursor);
void cursor_close(struct cursor *cursor);

#endif
