/* Carries a plan out. Whatever it was interrupted in, a plan made anew from what is there then leads to the same end. */
#ifndef DISK_APPLY_H
#define DISK_APPLY_H
#include "cursor.h"
#include "plan.h"
#include "pack.h"

struct apply {
  struct store *store;
  const struct request *request;
  const struct plan *plan;
  const char *temporary;
  /* Directories of the present in which something changed. */
  uint8_t *touched;
  const struct request_tree *tree;
  struct cursor now, then, lead;
};

/* False with a failure of step `restore`. */
bool apply_plan(struct store *store, const struct request *request, const struct plan *plan, const char *temporary);
/* Whether the file system has room for what the plan writes. */
bool has_room(struct store *store, const struct request *request, const struct plan *plan);

/* ---- apply-make.c, apply-finish.c ---- */
bool go_to(struct apply *apply, struct cursor *cursor, uint32_t directory);
bool open_up(struct apply *apply, uint32_t now_directory);
bool loosen(const char *name, const struct entry *now);
bool apply_failed(struct apply *apply, const struct index *index, uint32_t entry);
/* A file that this machine's user changed after it was looked at is not written over. */
bool unchanged_since(struct apply *apply, const char *name, uint32_t now);
bool make_one(struct apply *apply, uint32_t then);
bool meta_one(struct apply *apply, uint32_t then);
bool finish_tree(struct apply *apply, const struct tree *now, const struct tree *then);

#endif
