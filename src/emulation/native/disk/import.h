/* An archive on its way in: what of it is taken, and as which tree. */
#ifndef DISK_IMPORT_H
#define DISK_IMPORT_H
#include "pack.h"
#include "rules.h"

struct importing {
  struct store store;
  struct packer packer;
  struct index index;
  struct tar_entry entry;
  /* Directories whose children may still come; the one whose come now. */
  uint32_t *stack, depth, room, current;
  struct bytes current_path, wanted_trees;
  uint32_t trees_left, trees_seen;
  uint64_t entries, bytes, most;
  struct rules rules;
  /* Of the tree that comes now, NULL when it is left out; `begun` once its first directory was taken. */
  const struct rule *rule;
  struct rule same;
  bool from_layer, begun;
  /* `trees/NAME`, and the directory in it that is taken. */
  struct bytes prefix;
};

/* Whether it is taken; *root when it is what its tree begins with. False with a failure, or without. */
bool is_wanted(struct importing *on, const char *path, bool *root);
bool is_below(const char *path, const struct bytes *prefix);
/* Read and forgotten. */
bool pass_over(struct importing *on);

#endif
