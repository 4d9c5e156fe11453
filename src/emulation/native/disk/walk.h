/* Looks at every tree and makes an index of it; what is unchanged since an earlier index is not read again. */
#ifndef DISK_WALK_H
#define DISK_WALK_H
#include <signal.h>
#include "index.h"
#include "pack.h"
#include "request.h"

/* Inode numbers of files that some process has mapped so that it can write them without a trace in their times. */
struct mapped {
  uint64_t *inos;
  uint32_t count, room;
  /* There are processes that cannot be looked at. */
  bool hidden;
};
void mapped_look(const char *processes, struct mapped *mapped);
bool mapped_has(const struct mapped *mapped, uint64_t ino);

/* Entries by inode number. */
struct inomap {
  uint32_t *slots, count, room;
};
void inomap_put(struct inomap *map, const struct index *index, uint32_t entry);
uint32_t inomap_get(const struct inomap *map, const struct index *index, uint64_t ino);

struct look {
  struct store *store;
  const struct request *request;
  bool skip_shared;
  /* Nothing is written: a content that is not known stays so. */
  bool only_look;
  /* Only identities count: no content is read at all. */
  bool only_trust;
  struct packer *packer;
  /* Identities that are believed; contents that are compared before anything is stored again. */
  const struct index *known, *hint;
  struct mapped mapped;
  /* How often a file that changes while it is read is read. */
  int tries;
  /* Called now and then; false stops it. */
  bool (*progress)(struct look *);
  uint64_t bytes, files;
};

bool walk(struct look *look, struct index *out);
bool index_copy_tree(struct index *to, const struct index *from, const struct tree *tree);
/* When and in which boot. */
void stamp(struct index *index);
int64_t now_nanos(void);
/* Whether what was true of this entry then is still told by its identity. */
bool trusted(const struct index *known, const struct entry *entry);

#endif
