/* What a restore does: the present and the target compared, nothing read but the two indexes. */
#ifndef DISK_PLAN_H
#define DISK_PLAN_H
#include "index.h"
#include "request.h"

enum { ACT_KEEP, ACT_META, ACT_MAKE, ACT_REMOVE };

struct plan {
  const struct index *now, *then;
  /* By entry: what happens to it; whether it is asked for; its counterpart + 1. */
  uint8_t *now_act, *then_act, *then_asked;
  uint32_t *then_of, *now_of;
  /* By entry that leads a group of hard links: the first of the group that is asked for, + 1. */
  uint32_t *first_asked;
  uint32_t changed;
};

struct scope {
  const struct request *request;
  char **paths;
  uint32_t path_count;
  /* Only trees that this one covers too. */
  const struct index *within;
  bool skip_shared;
  /* Left-overs of this name go away wherever they are. */
  const char *temporary;
};

/* False when a path cannot be restored alone. */
bool plan_make(struct plan *plan, const struct index *now, const struct index *then, const struct scope *scope);
void plan_free(struct plan *plan);
/* The tree of the target that takes part. */
bool takes_part(const struct scope *scope, const struct index *now, const struct tree *then);

static inline uint32_t leader_of(const struct index *index, uint32_t entry) {
  return index->entries[entry].link ? index->entries[entry].link - 1 : entry;
}

#endif
