#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../common/failure.h"
#include "apply.h"
#include "fault.h"
#include "intent.h"

enum { SETTLED_NANOS = 60000000 };

bool look_now(struct store *store, const struct request *request, const struct index *known, const struct index *hint, bool compare, struct index *now) {
  struct packer packer;
  if (!packer_open(&packer, store)) return false;
  struct look look = {.store = store, .request = request, .only_look = true, .only_trust = !compare, .packer = &packer, .known = known, .hint = hint, .tries = 1};
  bool done = walk(&look, now);
  packer_close(&packer);
  return done;
}

static int64_t last_change;

bool converge(struct store *store, const struct request *request, const struct intent *intent, const struct index *now, const struct index *then, const struct index *safety) {
  struct scope scope = {request, intent->paths, intent->path_count, safety, intent->skip_shared, intent->temporary};
  struct plan plan;
  bool done = plan_make(&plan, now, then, &scope) && apply_plan(store, request, &plan, intent->temporary);
  last_change = now_nanos();
  plan_free(&plan);
  return done;
}

/* Files that were written from an object are known to hold it: their times are the target's, and nobody else was there. */
static void adopt(struct index *now, const struct index *then, uint32_t left, uint32_t right, bool shared, uint32_t *map) {
  const struct entry *old = &then->entries[right];
  struct entry *entry = &now->entries[left];
  if (!S_ISREG(entry->mode) || !(entry->flags & IS_UNKNOWN) || !S_ISREG(old->mode) || old->flags & IS_UNKNOWN) return;
  if (entry->size != old->size || entry->mtime != old->mtime || entry->mtime_nanos != old->mtime_nanos) return;
  entry->flags &= ~(uint32_t)IS_UNKNOWN;
  if (shared) entry->flags |= IS_RACY;
  if (!old->object) return;
  if (!map[old->object - 1]) map[old->object - 1] = index_add_object(now, &then->objects[old->object - 1]);
  entry->object = map[old->object - 1];
}

static void adopt_tree(struct index *now, const struct index *then, const struct tree *tree, uint32_t *map) {
  const struct tree *old = find_tree(then, tree->name);
  if (!old) return;
  uint32_t *twin = must(calloc(tree->end - tree->root + 1, sizeof *twin));
  twin[0] = old->root + 1;
  /* A parent lies before its children. */
  for (uint32_t i = tree->root; i < tree->end; i++) {
    uint32_t right = twin[i - tree->root];
    if (!right) continue;
    adopt(now, then, i, right - 1, tree->flags & TREE_SHARED, map);
    if (!is_directory(&now->entries[i]) || !is_directory(&then->entries[right - 1])) continue;
    for (uint32_t child = now->entries[i].first; child < now->entries[i].first + now->entries[i].count; child++) {
      uint32_t found = find_child(then, right - 1, name_of(now, child));
      twin[child - tree->root] = found == NONE ? 0 : found + 1;
    }
  }
  free(twin);
}

static bool sync_trees(const struct request *request) {
  bool done = true;
  for (uint32_t i = 0; done && i < request->tree_count; i++) {
    int fd = open(request->trees[i].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    done = (fd >= 0 && syncfs(fd) == 0) || fail("restore", request->trees[i].name);
    if (fd >= 0) close(fd);
  }
  return done;
}

static void write_identities(struct store *store, const struct request *request, const struct index *before, const struct index *then) {
  struct index now;
  /* When the last change lies this far back, no time can be that of a later one too. */
  int64_t since = now_nanos() - last_change;
  if (since < SETTLED_NANOS) nanosleep(&(struct timespec){0, since < 0 ? SETTLED_NANOS : SETTLED_NANOS - since}, NULL);
  if (!look_now(store, request, before, NULL, false, &now)) {
    forget_failure();
    return;
  }
  uint32_t *map = must(calloc(then->object_count + 1, sizeof *map));
  for (uint32_t i = 0; i < now.tree_count; i++) adopt_tree(&now, then, &now.trees[i], map);
  free(map);
  live_write(store, &now, false);
  index_free(&now);
}

bool settle(struct store *store, const struct request *request, const struct index *now, const struct index *then) {
  if (!sync_trees(request) || !step("settle")) return fail("restore", store->path);
  write_identities(store, request, now, then);
  return say_done() && intent_remove(store);
}

void drop_point(struct store *store, const struct intent *intent) {
  uint64_t freed;
  char *drop = intent->drop;
  if (!drop || faccessat(store->points, drop, F_OK, 0) != 0) return;
  /* It stays listed then, and can be removed by hand. */
  if (!remove_points(store, &drop, 1, &freed)) forget_failure();
}

bool go_back(struct store *store, const struct request *request, const struct intent *intent, const struct index *safety) {
  struct index is = {0};
  put_failure_aside();
  bool back = look_now(store, request, safety, NULL, true, &is) && converge(store, request, intent, &is, safety, safety);
  if (back && intent->mark) unlink(intent->mark);
  back = back && settle(store, request, &is, safety);
  index_free(&is);
  if (!back) {
    rename_failure("half");
    return false;
  }
  uint64_t freed;
  char *id = intent->safety;
  remove_points(store, &id, 1, &freed);
  take_failure_back();
  return true;
}
