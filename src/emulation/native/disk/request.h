/* What the caller wants done to what: trees, entries that are not ours, paths. Read from stdin up to the line `end`. */
#ifndef DISK_REQUEST_H
#define DISK_REQUEST_H
#include <stdbool.h>
#include <stdint.h>

struct request_tree {
  char *name, *path, *at, *base;
  uint32_t flags;
  /* A directory inside another tree's, which may not be there yet. */
  bool inner;
  char **except;
  uint32_t except_count, except_room;
};

struct request {
  struct request_tree *trees;
  char **paths, **outdated;
  /* Points that go after a restore: the draft of the safety point, and what nobody needs any longer. */
  char *processes, *drop;
  uint32_t tree_count, tree_room, path_count, path_room, outdated_count, outdated_room;
};

bool read_request(struct request *request);
const struct request_tree *wanted_tree(const struct request *request, const char *name);
/* Makes the directories of inner trees that are not there; what cannot be made is told when it is opened. */
void make_inner(const struct request *request);
bool is_excepted(const struct request_tree *tree, const char *entry);
/* The next line of stdin without its end; NULL at EOF. Holds until the next call. */
char *next_line(void);

#endif
