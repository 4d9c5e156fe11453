#define _GNU_SOURCE
#include "index.h"
#include <stdlib.h>
#include <string.h>

void index_free(struct index *index) {
  for (uint32_t i = 0; i < index->tree_count; i++) {
    free(index->trees[i].name);
    free(index->trees[i].at);
  }
  free(index->id);
  free(index->meta);
  free(index->trees);
  free(index->entries);
  free(index->objects);
  free(index->interned);
  bytes_free(&index->names);
  bytes_free(&index->blobs);
  *index = (struct index){0};
}

struct tree *index_add_tree(struct index *index, const char *name, const char *at, uint32_t flags) {
  index->trees = grown(index->trees, index->tree_count + 1, sizeof *index->trees, &index->tree_room);
  struct tree *tree = &index->trees[index->tree_count++];
  *tree = (struct tree){.name = must(strdup(name)), .at = must(strdup(at)), .flags = flags, .root = index->count, .end = index->count};
  return tree;
}

uint32_t index_add(struct index *index, const char *name, size_t length, uint32_t parent) {
  index->entries = grown(index->entries, (size_t)index->count + 1, sizeof *index->entries, &index->room);
  if (index->names.used + length > UINT32_MAX - 1) must(NULL);
  index->entries[index->count] = (struct entry){.name = (uint32_t)index->names.used, .parent = parent};
  bytes_add(&index->names, name, length);
  bytes_add(&index->names, "", 1);
  return index->count++;
}

uint32_t index_add_object(struct index *index, const struct object *object) {
  index->objects = grown(index->objects, (size_t)index->object_count + 1, sizeof *index->objects, &index->object_room);
  index->objects[index->object_count++] = *object;
  return index->object_count;
}

static void place(struct index *index, uint32_t blob) {
  size_t length;
  const char *data = index_blob(index, blob, &length);
  uint32_t slot = (uint32_t)hash_bytes(data, length, 0) & (index->interned_room - 1);
  while (index->interned[slot]) slot = (slot + 1) & (index->interned_room - 1);
  index->interned[slot] = blob + 1;
}

static void widen(struct index *index) {
  uint32_t *old = index->interned, count = index->interned_room;
  index->interned_room = count ? count * 2 : 1024;
  index->interned = must(calloc(index->interned_room, sizeof *index->interned));
  for (uint32_t i = 0; i < count; i++)
    if (old[i]) place(index, old[i] - 1);
  free(old);
}

uint32_t index_intern(struct index *index, const void *data, size_t length) {
  if (index->interned_count * 2 >= index->interned_room) widen(index);
  uint32_t slot = (uint32_t)hash_bytes(data, length, 0) & (index->interned_room - 1);
  for (; index->interned[slot]; slot = (slot + 1) & (index->interned_room - 1)) {
    size_t have;
    const char *blob = index_blob(index, index->interned[slot] - 1, &have);
    if (have == length && memcmp(blob, data, length) == 0) return index->interned[slot] - 1;
  }
  if (index->blobs.used + length > UINT32_MAX - 8) must(NULL);
  uint32_t at = (uint32_t)index->blobs.used, head = (uint32_t)length;
  bytes_add(&index->blobs, &head, sizeof head);
  bytes_add(&index->blobs, data, length);
  bytes_add(&index->blobs, "", 1);
  index->interned[slot] = at + 1;
  index->interned_count++;
  return at;
}

const char *index_blob(const struct index *index, uint32_t at, size_t *length) {
  uint32_t head;
  memcpy(&head, index->blobs.data + at, sizeof head);
  *length = head;
  return index->blobs.data + at + sizeof head;
}

const struct tree *find_tree(const struct index *index, const char *name) {
  for (uint32_t i = 0; i < index->tree_count; i++)
    if (strcmp(index->trees[i].name, name) == 0) return &index->trees[i];
  return NULL;
}

uint32_t find_child(const struct index *index, uint32_t directory, const char *name) {
  const struct entry *parent = &index->entries[directory];
  if (!is_directory(parent)) return NONE;
  uint32_t low = parent->first, high = parent->first + parent->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = strcmp(name_of(index, middle), name);
    if (order == 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return NONE;
}

void path_of(const struct index *index, const struct tree *tree, uint32_t entry, struct bytes *path) {
  uint32_t depth = 0;
  path->used = 0;
  bytes_add(path, tree->at, strcmp(tree->at, "/") == 0 ? 0 : strlen(tree->at));
  size_t length = path->used;
  for (uint32_t at = entry; at != tree->root; at = index->entries[at].parent, depth++) length += strlen(name_of(index, at)) + 1;
  bytes_room(path, length - path->used + 2);
  char *end = path->data + length;
  *end = 0;
  for (uint32_t at = entry; at != tree->root; at = index->entries[at].parent) {
    size_t own = strlen(name_of(index, at));
    memcpy(end -= own, name_of(index, at), own);
    *--end = '/';
  }
  path->used = length;
  if (length == 0) {
    bytes_add(path, "/", 2);
    path->used = 1;
  }
}

const struct tree *tree_at(const struct index *index, const char *path, const char **rest) {
  const struct tree *best = NULL;
  size_t best_length = 0;
  for (uint32_t i = 0; i < index->tree_count; i++) {
    const char *at = index->trees[i].at;
    size_t length = strcmp(at, "/") == 0 ? 0 : strlen(at);
    if (strncmp(path, at, length) != 0 || (path[length] != '/' && path[length] != 0)) continue;
    if (best && length < best_length) continue;
    best = &index->trees[i];
    best_length = length;
  }
  if (best) *rest = path[best_length] == '/' ? path + best_length + 1 : path + best_length;
  return best;
}
