/* What a restore set out to do, on disk before its first change and until after its last. */
#ifndef DISK_INTENT_H
#define DISK_INTENT_H
#include "plan.h"
#include "tool.h"

struct intent {
  char *id, *safety, *drop, *mark, *temporary;
  char **paths;
  uint32_t path_count, path_room;
  bool skip_shared;
};

bool intent_write(struct store *store, const struct intent *intent);
/* False when there is none or it is damaged (then a failure is recorded). */
bool intent_read(struct store *store, struct intent *intent);
bool intent_remove(struct store *store);

/* Makes the trees as `then` has them, from whatever they are like. Adds nothing to the store. */
bool converge(struct store *store, const struct request *request, const struct intent *intent, const struct index *now, const struct index *then, const struct index *safety);
/* The trees as they are, without storing anything. With `compare`: contents are read where that tells what they are. */
bool look_now(struct store *store, const struct request *request, const struct index *known, const struct index *hint, bool compare, struct index *now);
/* With AMUX_DONE, a file: `done` is in it when nothing is left to do. */
bool say_done(void);
/* After the last change: all of it durable, identities known, the intent gone. */
bool settle(struct store *store, const struct request *request, const struct index *now, const struct index *then);
/* Something failed halfway: back to what was, and the safety point goes too. The failure stays; `half` when even that fails. */
bool go_back(struct store *store, const struct request *request, const struct intent *intent, const struct index *safety);
void drop_point(struct store *store, const struct intent *intent);
bool make_mark(const char *mark);
/* What is at / was kept whole, or as a layer over something: one is not put back in place of the other. Not asked for where only paths are. */
bool system_fits(const struct request *request, const struct index *then);
/* `,"missing":[…]` when trees of the target are not there. */
void add_missing(struct bytes *out, const struct request *request, const struct index *then, bool skip_shared);

#endif
