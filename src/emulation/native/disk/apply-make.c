#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "../common/failure.h"
#include "apply.h"
#include "attrs.h"
#include "fault.h"

static bool make_file(struct apply *apply, const char *name, const struct entry *entry) {
  int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const struct object *object = object_of(apply->plan->then, entry);
  if (entry->flags & IS_UNKNOWN) {
    errno = EILSEQ;
    close(fd);
    return false;
  }
  bool done = step("content") && (!object || content_give(apply->store, object, fd));
  int error = errno;
  close(fd);
  errno = error;
  return done;
}

static bool make_kind(struct apply *apply, const char *name, const struct entry *entry) {
  size_t length;
  switch (entry->mode & S_IFMT) {
    case S_IFREG: return make_file(apply, name, entry);
    case S_IFLNK: return symlink(index_blob(apply->plan->then, entry->target, &length), name) == 0;
    default: return mknod(name, (entry->mode & S_IFMT) | 0600, makedev(entry->device >> 20, entry->device & 0xfffff)) == 0;
  }
}

static bool make_anew(struct apply *apply, const struct entry *entry) {
  const char *name = apply->temporary;
  bool done = make_kind(apply, name, entry);
  if (!done && errno == EEXIST) done = unlinkat(AT_FDCWD, name, 0) == 0 && make_kind(apply, name, entry);
  return done && give_metadata(name, apply->plan->then, entry);
}

static bool make_link(struct apply *apply, uint32_t entry, uint32_t leader) {
  const struct index *then = apply->plan->then;
  if (!go_to(apply, &apply->lead, then->entries[leader].parent)) return false;
  int dir = cursor_fd(&apply->lead);
  if (!go_to(apply, &apply->then, then->entries[entry].parent)) return false;
  const char *name = name_of(then, leader);
  if (!step("link")) return false;
  if (linkat(dir, name, AT_FDCWD, apply->temporary, 0) == 0) return true;
  return errno == EEXIST && unlinkat(AT_FDCWD, apply->temporary, 0) == 0 && linkat(dir, name, AT_FDCWD, apply->temporary, 0) == 0;
}

static bool make_directory(const char *name) {
  struct stat stat;
  if (mkdir(name, 0700) == 0) return true;
  /* One that could not go because of what is in it. */
  return errno == EEXIST && lstat(name, &stat) == 0 && (S_ISDIR(stat.st_mode) || (errno = EEXIST, false));
}

bool make_one(struct apply *apply, uint32_t entry) {
  const struct plan *plan = apply->plan;
  const struct index *then = plan->then;
  const struct entry *wanted = &then->entries[entry];
  const char *name = name_of(then, entry);
  uint32_t parent = plan->now_of[wanted->parent], old = plan->now_of[entry];
  if (!go_to(apply, &apply->then, wanted->parent) || (parent && !open_up(apply, parent - 1))) return false;
  if (!step("make")) return apply_failed(apply, then, entry);
  if (is_directory(wanted)) return make_directory(name) || apply_failed(apply, then, entry);
  uint32_t first = plan->first_asked[leader_of(then, entry)];
  bool replaces = old && plan->now_act[old - 1] != ACT_REMOVE;
  bool done = first && first - 1 != entry ? make_link(apply, entry, first - 1) : make_anew(apply, wanted);
  done = done && (!replaces || loosen(name, &plan->now->entries[old - 1])) && unchanged_since(apply, name, replaces ? old - 1 : NONE);
  done = done && step("rename") && rename(apply->temporary, name) == 0;
  int error = errno;
  /* Renaming one name of a file over another of its names does nothing. */
  if (!done || wanted->link || first != entry + 1) unlinkat(AT_FDCWD, apply->temporary, 0);
  errno = error;
  return done || apply_failed(apply, then, entry);
}

bool meta_one(struct apply *apply, uint32_t entry) {
  const struct index *then = apply->plan->then;
  const struct entry *wanted = &then->entries[entry];
  const char *name = name_of(then, entry);
  if (!go_to(apply, &apply->then, wanted->parent)) return false;
  bool done = step("meta") && loosen(name, &apply->plan->now->entries[apply->plan->now_of[entry] - 1]) && give_metadata(name, then, wanted);
  return done || apply_failed(apply, then, entry);
}

static bool finish_directory(struct apply *apply, uint32_t entry) {
  const struct plan *plan = apply->plan;
  uint32_t now = plan->now_of[entry];
  bool asked = plan->then_asked[entry];
  if (plan->then_act[entry] == ACT_KEEP && !(now && apply->touched[now - 1])) return true;
  const struct entry *wanted = &plan->then->entries[entry], *old = now ? &plan->now->entries[now - 1] : NULL;
  bool kept = !asked || plan->then_act[entry] == ACT_KEEP;
  if (!go_to(apply, &apply->then, entry)) return false;
  bool done = step("directory");
  if (kept) {
    done = done && give_time(".", old) && (!(old->flags & KEPT_FLAGS) || give_flags(".", old->flags));
  } else {
    bool flagged = (wanted->flags | (old ? old->flags : 0)) & KEPT_FLAGS;
    done = done && (!old || loosen(".", old)) && give_metadata(".", plan->then, wanted) && (!flagged || give_flags(".", wanted->flags));
  }
  return done || apply_failed(apply, plan->then, entry);
}

/* Directories last: their times change with what is in them, and an immutable one lets nothing in. */
bool finish_tree(struct apply *apply, const struct tree *now, const struct tree *then) {
  const struct plan *plan = apply->plan;
  for (uint32_t i = then->root; i < then->end; i++) {
    const struct entry *wanted = &plan->then->entries[i];
    uint32_t old = plan->now_of[i];
    unsigned had = old && plan->then_act[i] == ACT_META ? plan->now->entries[old - 1].flags & KEPT_FLAGS : 0;
    if (is_directory(wanted) || !plan->then_act[i] || !((wanted->flags & KEPT_FLAGS) | had)) continue;
    if (!go_to(apply, &apply->then, wanted->parent)) return false;
    if (!give_flags(name_of(plan->then, i), wanted->flags)) return apply_failed(apply, plan->then, i);
  }
  for (uint32_t i = then->end; i-- > then->root;)
    if (is_directory(&plan->then->entries[i]) && !finish_directory(apply, i)) return false;
  for (uint32_t i = now->end; i-- > now->root;) {
    const struct entry *old = &plan->now->entries[i];
    if (!apply->touched[i] || plan->then_of[i] || plan->now_act[i] == ACT_REMOVE) continue;
    if (!go_to(apply, &apply->now, i)) return false;
    if (!give_time(".", old) || ((old->flags & KEPT_FLAGS) && !give_flags(".", old->flags))) return apply_failed(apply, plan->now, i);
  }
  return true;
}
