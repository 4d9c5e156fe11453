/* Which trees of an archive are taken in, where they go, and what of them is not let in. */
#ifndef DISK_RULES_H
#define DISK_RULES_H
#include "tool.h"
#include "untar.h"

struct rule {
  /* A tree of the archive; the directory in it that is taken, "" for all of it. */
  const char *from, *sub;
  /* What it becomes. */
  const char *name, *at;
  uint32_t flags;
  /* As a layer it hides whatever lies below. */
  bool opaque;
};

struct rules {
  struct rule *all;
  uint32_t count, room;
  /* Nothing that gives power over the machine: device files, setuid programs outside a system. */
  bool portable;
  /* Whose files become whose. */
  bool owned, all_owners;
  uint32_t uid, gid, new_uid, new_gid;
};

/* The words after the first: `FROM SUB NAME AT FLAGS`, tabs between. False with a failure. */
bool rules_read(struct rules *rules, const struct options *options);
const struct rule *rule_for(const struct rules *rules, const char *tree);
/* A layer that stays one: what it holds is a system's, whose owners are its own. */
bool is_system(const struct rule *rule, bool from_layer);
/* Changes an entry to what is let in of it; false with a failure when it is refused. */
bool rules_apply(const struct rules *rules, const struct rule *rule, bool from_layer, bool root, struct tar_entry *entry);

#endif
