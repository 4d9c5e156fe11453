#define _GNU_SOURCE
#include "cursor.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Descriptors are kept for the first levels and for the last ones above the current; between, names are walked again. */
enum { KEPT = 100 };

void cursor_open(struct cursor *cursor, const struct index *index, int root) {
  *cursor = (struct cursor){.index = index, .root = root, .here = NONE};
}

static uint32_t depth_of(const struct index *index, uint32_t directory) {
  uint32_t depth = 0;
  for (; index->entries[directory].parent != directory; directory = index->entries[directory].parent) depth++;
  return depth;
}

static void close_at(struct cursor *cursor, uint32_t level) {
  if (cursor->fds[level] >= 0) close(cursor->fds[level]);
  cursor->fds[level] = -1;
}

/* chain[0] is below the root. Opens what is missing up to `depth`. */
static bool open_chain(struct cursor *cursor, uint32_t depth) {
  uint32_t level = depth;
  while (level > 0 && cursor->fds[level - 1] < 0) level--;
  for (; level < depth; level++) {
    int above = level == 0 ? cursor->root : cursor->fds[level - 1];
    cursor->fds[level] = openat(above, name_of(cursor->index, cursor->chain[level]), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (cursor->fds[level] < 0) return false;
    if (level >= 2 * KEPT) close_at(cursor, level - KEPT);
  }
  return true;
}

bool cursor_go(struct cursor *cursor, uint32_t directory) {
  if (cursor->here == directory) return true;
  uint32_t depth = depth_of(cursor->index, directory), had = cursor->depth, same = 0;
  cursor->chain = grown(cursor->chain, depth + 1, sizeof *cursor->chain, &cursor->room);
  if (depth > cursor->fds_room) cursor->fds = grown(cursor->fds, depth, sizeof *cursor->fds, &cursor->fds_room);
  for (uint32_t at = directory, level = depth; level-- > 0; at = cursor->index->entries[at].parent) {
    if (level < had && cursor->chain[level] == at) {
      same = level + 1;
      break;
    }
    if (level < had) close_at(cursor, level);
    cursor->chain[level] = at;
  }
  for (uint32_t level = depth > same ? depth : same; level < had; level++) close_at(cursor, level);
  for (uint32_t level = same > had ? same : had; level < depth; level++) cursor->fds[level] = -1;
  cursor->depth = depth;
  cursor->here = NONE;
  if (!open_chain(cursor, depth) || fchdir(depth == 0 ? cursor->root : cursor->fds[depth - 1]) != 0) return false;
  cursor->here = directory;
  return true;
}

int cursor_fd(const struct cursor *cursor) {
  return cursor->depth == 0 ? cursor->root : cursor->fds[cursor->depth - 1];
}

void cursor_lost(struct cursor *cursor) {
  cursor->here = NONE;
}

void cursor_close(struct cursor *cursor) {
  for (uint32_t level = 0; level < cursor->depth; level++) close_at(cursor, level);
  if (cursor->root >= 0) close(cursor->root);
  free(cursor->chain);
  free(cursor->fds);
  *cursor = (struct cursor){.root = -1, .here = NONE};
}
