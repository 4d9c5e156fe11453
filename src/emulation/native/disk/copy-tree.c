#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "content-of.h"

/* A whole tree of one index at the end of another. */
bool index_copy_tree(struct index *to, const struct index *from, const struct tree *tree) {
  uint32_t *objects = NULL, start = to->count, shift = start - tree->root;
  index_add_tree(to, tree->name, tree->at, tree->flags);
  for (uint32_t i = tree->root; i < tree->end; i++) {
    const struct entry *old = &from->entries[i];
    const char *name = name_of(from, i), *data;
    size_t length;
    uint32_t self = index_add(to, name, strlen(name), old->parent + shift);
    struct entry *entry = &to->entries[self];
    uint32_t new_name = entry->name;
    *entry = *old;
    entry->name = new_name;
    entry->parent = old->parent + shift;
    if (old->xattrs) {
      data = index_blob(from, old->xattrs - 1, &length);
      entry->xattrs = index_intern(to, data, length) + 1;
    }
    if (is_directory(old)) {
      entry->first = old->first + shift;
      continue;
    }
    if (old->link) entry->link = old->link + shift;
    if (S_ISREG(old->mode) && old->object) entry->object = object_here(to, from, &objects, old->object);
    if (S_ISLNK(old->mode)) {
      data = index_blob(from, old->target, &length);
      entry->target = index_intern(to, data, length);
    }
  }
  to->trees[to->tree_count - 1].end = to->count;
  free(objects);
  return true;
}
