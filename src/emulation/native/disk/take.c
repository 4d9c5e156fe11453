#define _GNU_SOURCE
#include "take.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../common/failure.h"
#include "attrs.h"
#include "content-of.h"

/* Times on disk are coarse: what changed this shortly before a look may change again unseen. */
enum { RACY_NANOS = 50000000 };

bool taking_failed(struct taking *taking, uint32_t entry) {
  struct bytes path = {0};
  int error = errno;
  path_of(taking->out, &taking->out->trees[taking->out->tree_count - 1], entry, &path);
  fail_as(error, "read", path.data, NULL);
  bytes_free(&path);
  return false;
}

static void set_twins(struct taking *taking, uint32_t entry, const struct twins *twins) {
  taking->twins = grown(taking->twins, (size_t)entry + 1, sizeof *taking->twins, &taking->twins_room);
  taking->twins[entry] = *twins;
}

static bool same_identity(const struct entry *old, const struct entry *now) {
  return old->ino == now->ino && old->ctime == now->ctime && old->mtime == now->mtime && old->mtime_nanos == now->mtime_nanos && old->size == now->size &&
         (old->mode & S_IFMT) == (now->mode & S_IFMT);
}

/* The entry of `known` with this number: at the same path, or moved. */
static uint32_t same_number(struct taking *taking, const struct entry *now, uint32_t twin) {
  const struct index *known = taking->look->known;
  if (!known || (twin != NONE && known->entries[twin].ino == now->ino)) return twin;
  const struct tree *tree = taking->by_ino_made ? NULL : find_tree(known, taking->tree->name);
  for (uint32_t i = tree ? tree->root : 0; tree && i < tree->end; i++) inomap_put(&taking->by_ino, known, i);
  taking->by_ino_made = true;
  return inomap_get(&taking->by_ino, known, now->ino);
}

/* The entry of `known` that this still is. */
static uint32_t still(struct taking *taking, const struct entry *now, uint32_t twin) {
  const struct index *known = taking->look->known;
  if (twin == NONE || !same_identity(&known->entries[twin], now) || !trusted(known, &known->entries[twin])) return NONE;
  return mapped_has(&taking->look->mapped, now->ino) ? NONE : twin;
}

static void reuse(struct taking *taking, uint32_t self, uint32_t twin) {
  const struct index *known = taking->look->known;
  const struct entry *old = &known->entries[twin];
  struct entry *entry = &taking->out->entries[self];
  size_t length;
  const char *data;
  if (old->xattrs) {
    data = index_blob(known, old->xattrs - 1, &length);
    entry->xattrs = index_intern(taking->out, data, length) + 1;
  }
  if (S_ISLNK(entry->mode)) {
    data = index_blob(known, old->target, &length);
    entry->target = index_intern(taking->out, data, length);
  }
  if (S_ISREG(entry->mode) && old->object) entry->object = object_here(taking->out, known, &taking->known_objects, old->object);
}

/* One more name of a file that is there already. */
static bool take_link(struct taking *taking, uint32_t self, const struct wide_stat *stat) {
  if (stat->links < 2) return false;
  struct index *out = taking->out;
  uint32_t leader = inomap_get(&taking->links, out, stat->ino);
  if (leader == NONE || (out->entries[leader].mode & S_IFMT) != (stat->mode & S_IFMT)) return false;
  struct entry *entry = &out->entries[self], own = *entry;
  *entry = out->entries[leader];
  entry->name = own.name;
  entry->parent = own.parent;
  entry->link = leader + 1;
  return true;
}

static bool read_rest(struct taking *taking, uint32_t self, const char *name, struct wide_stat *stat, const struct twins *twins, bool *vanished) {
  struct index *out = taking->out;
  uint32_t xattrs = 0, target = 0;
  bool done = take_xattrs(name, out, &xattrs) && (!S_ISLNK(stat->mode) || take_target(name, out, &target));
  out->entries[self].xattrs = xattrs;
  if (done && S_ISLNK(stat->mode)) out->entries[self].target = target;
  if (done && S_ISREG(stat->mode) && stat->size > 0) done = take_content(taking, self, name, stat, twins);
  *vanished = !done && !has_failed() && (errno == ENOENT || errno == ELOOP || (errno == EINVAL && S_ISLNK(stat->mode)));
  return done || *vanished;
}

static bool is_store(const struct taking *taking, const struct wide_stat *stat) {
  const struct store *store = taking->look->store;
  return stat->ino == store->ino && gnu_dev(stat->dev_major, stat->dev_minor) == store->device;
}

static void drop_last(struct index *index) {
  index->count--;
  index->names.used = index->entries[index->count].name;
}

bool take_entry(struct taking *taking, uint32_t directory, const char *name, const struct twins *twins) {
  struct wide_stat stat;
  struct index *out = taking->out;
  if (taking->look->progress && !taking->look->progress(taking->look)) return false;
  if (wide_stat(AT_FDCWD, name, &stat) != 0) return errno == ENOENT || taking_failed(taking, directory);
  if (S_ISDIR(stat.mode) && is_store(taking, &stat)) return true;
  uint32_t self = index_add(out, name, strlen(name), directory);
  struct entry *entry = &out->entries[self];
  take_stat(entry, &stat);
  set_twins(taking, self, twins);
  if (stat.mount != taking->mount) {
    entry->flags |= IS_FOREIGN | (S_ISREG(stat.mode) ? IS_UNKNOWN : 0);
    if (S_ISLNK(stat.mode)) entry->target = index_intern(out, "", 0);
    return true;
  }
  bool directory_itself = S_ISDIR(stat.mode);
  if (!directory_itself && take_link(taking, self, &stat)) return true;
  if (entry->ctime >= taking->racy_from || mapped_has(&taking->look->mapped, stat.ino)) entry->flags |= IS_RACY;
  uint32_t twin = same_number(taking, entry, twins->known);
  /* What is in a directory that moved is looked for where it was. */
  if (directory_itself && twins->known == NONE && twin != NONE && is_directory(&taking->look->known->entries[twin])) taking->twins[self].known = twin;
  twin = still(taking, entry, twin);
  bool vanished = false;
  if (twin != NONE) {
    entry->flags &= ~(uint32_t)IS_RACY;
    reuse(taking, self, twin);
  } else if (!read_rest(taking, self, name, &stat, twins, &vanished)) {
    return taking_failed(taking, self);
  }
  if (vanished) drop_last(out);
  else if (!directory_itself && stat.links > 1) inomap_put(&taking->links, out, self);
  if (!vanished && S_ISREG(stat.mode)) out->size += out->entries[self].size;
  return true;
}

bool take_root(struct taking *taking, int root) {
  struct wide_stat stat;
  struct index *out = taking->out;
  const struct look *look = taking->look;
  const struct tree *known = look->known ? find_tree(look->known, taking->tree->name) : NULL, *hint = look->hint ? find_tree(look->hint, taking->tree->name) : NULL;
  taking->root = index_add(out, "", 0, out->count);
  set_twins(taking, taking->root, &(struct twins){known ? known->root : NONE, hint ? hint->root : NONE});
  taking->racy_from = out->time - RACY_NANOS;
  uint32_t xattrs;
  if (wide_stat(root, "", &stat) != 0 || fchdir(root) != 0 || !take_xattrs(".", out, &xattrs)) return taking_failed(taking, taking->root);
  struct entry *entry = &out->entries[taking->root];
  take_stat(entry, &stat);
  entry->xattrs = xattrs;
  taking->mount = stat.mount;
  return true;
}

void taking_close(struct taking *taking) {
  free(taking->twins);
  free(taking->known_objects);
  free(taking->hint_objects);
  free(taking->links.slots);
  free(taking->by_ino.slots);
}
