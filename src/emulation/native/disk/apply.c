#define _GNU_SOURCE
#include "apply.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "attrs.h"
#include "fault.h"

bool apply_failed(struct apply *apply, const struct index *index, uint32_t entry) {
  struct bytes path = {0};
  int error = errno;
  const struct tree *tree = find_tree(index, apply->tree->name);
  path_of(index, tree, entry, &path);
  fail_as(error, "restore", path.data, error == ESTALE ? "it changed on this machine meanwhile" : NULL);
  bytes_free(&path);
  return false;
}

bool go_to(struct apply *apply, struct cursor *cursor, uint32_t directory) {
  /* There is one current directory, and three cursors lead it. */
  static struct cursor *last;
  if (last != cursor) cursor_lost(cursor);
  last = cursor;
  return cursor_go(cursor, directory) || apply_failed(apply, cursor->index, directory);
}

bool loosen(const char *name, const struct entry *now) {
  unsigned tight = IS_IMMUTABLE | IS_APPEND;
  return !(now->flags & tight) || !(S_ISREG(now->mode) || is_directory(now)) || give_flags(name, now->flags & ~tight);
}

/* The current directory is about to change. */
bool open_up(struct apply *apply, uint32_t now_directory) {
  if (apply->touched[now_directory]) return true;
  apply->touched[now_directory] = 1;
  return loosen(".", &apply->plan->now->entries[now_directory]) || apply_failed(apply, apply->plan->now, now_directory);
}

bool unchanged_since(struct apply *apply, const char *name, uint32_t now) {
  if (!(apply->tree->flags & TREE_SHARED)) return true;
  struct wide_stat stat;
  bool there = wide_stat(AT_FDCWD, name, &stat) == 0;
  if (!there) return true;
  const struct entry *old = now == NONE ? NULL : &apply->plan->now->entries[now];
  struct entry is = {0};
  take_stat(&is, &stat);
  if (old && is.ino == old->ino && is.mtime == old->mtime && is.mtime_nanos == old->mtime_nanos && is.size == old->size) return true;
  errno = ESTALE;
  return false;
}

static bool remove_one(struct apply *apply, uint32_t entry) {
  const struct index *now = apply->plan->now;
  const struct entry *old = &now->entries[entry];
  const char *name = name_of(now, entry);
  if (!go_to(apply, &apply->now, old->parent) || !open_up(apply, old->parent)) return false;
  if (!step("unlink")) return apply_failed(apply, now, entry);
  if (is_directory(old)) {
    if (unlinkat(AT_FDCWD, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    if (errno == EPERM && loosen(name, old) && unlinkat(AT_FDCWD, name, AT_REMOVEDIR) == 0) return true;
    /* What is in it is not ours. */
    return errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY || apply_failed(apply, now, entry);
  }
  bool done = loosen(name, old) && unchanged_since(apply, name, entry) && (unlinkat(AT_FDCWD, name, 0) == 0 || errno == ENOENT);
  return done || apply_failed(apply, now, entry);
}

static bool apply_tree(struct apply *apply, const struct tree *now, const struct tree *then) {
  const struct plan *plan = apply->plan;
  for (uint32_t i = now->end; i-- > now->root;)
    if (plan->now_act[i] == ACT_REMOVE && !remove_one(apply, i)) return false;
  for (uint32_t i = then->root; i < then->end; i++)
    if (plan->then_act[i] == ACT_MAKE && !make_one(apply, i)) return false;
  for (uint32_t i = then->root; i < then->end; i++)
    if (plan->then_act[i] == ACT_META && !is_directory(&plan->then->entries[i]) && !meta_one(apply, i)) return false;
  return finish_tree(apply, now, then);
}

static bool has_work(const struct plan *plan, const struct tree *now, const struct tree *then) {
  for (uint32_t i = now->root; i < now->end; i++)
    if (plan->now_act[i]) return true;
  for (uint32_t i = then->root; i < then->end; i++)
    if (plan->then_act[i]) return true;
  return false;
}

static int open_root(const struct request_tree *tree) {
  return open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool apply_plan(struct store *store, const struct request *request, const struct plan *plan, const char *temporary) {
  struct apply apply = {.store = store, .request = request, .plan = plan, .temporary = temporary};
  apply.touched = must(calloc(plan->now->count + 1, 1));
  bool done = true;
  umask(0);
  for (uint32_t i = 0; done && i < plan->then->tree_count; i++) {
    const struct tree *then = &plan->then->trees[i], *now = find_tree(plan->now, then->name);
    apply.tree = wanted_tree(request, then->name);
    if (!now || !apply.tree || !has_work(plan, now, then)) continue;
    int roots[3] = {open_root(apply.tree), open_root(apply.tree), open_root(apply.tree)};
    cursor_open(&apply.now, plan->now, roots[0]);
    cursor_open(&apply.then, plan->then, roots[1]);
    cursor_open(&apply.lead, plan->then, roots[2]);
    done = roots[2] >= 0 ? apply_tree(&apply, now, then) : fail("restore", apply.tree->name);
    cursor_close(&apply.now);
    cursor_close(&apply.then);
    cursor_close(&apply.lead);
  }
  free(apply.touched);
  content_forget();
  return done;
}
