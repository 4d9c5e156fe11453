/* One entry of a directory, from the disk into an index. */
#ifndef DISK_TAKE_H
#define DISK_TAKE_H
#include "walk.h"

/* The same path in other indexes. */
struct twins {
  uint32_t known, hint;
};

struct taking {
  struct look *look;
  struct index *out;
  const struct request_tree *tree;
  uint32_t root;
  uint64_t mount;
  int64_t racy_from;
  /* By entry of `out`. */
  struct twins *twins;
  uint32_t twins_room;
  /* Ordinals of objects of `known` and `hint` here. */
  uint32_t *known_objects, *hint_objects;
  struct inomap links, by_ino;
  bool by_ino_made;
};

bool take_root(struct taking *taking, int root);
/* Of the current directory. True also when it vanished. */
bool take_entry(struct taking *taking, uint32_t directory, const char *name, const struct twins *twins);
bool taking_failed(struct taking *taking, uint32_t entry);
void taking_close(struct taking *taking);

#endif
