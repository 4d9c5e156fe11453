#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "format.h"
#include "index.h"

static const struct object *sorting;

static int compare_objects(const void *left, const void *right) {
  const struct object *a = &sorting[*(const uint32_t *)left], *b = &sorting[*(const uint32_t *)right];
  if (a->pack != b->pack) return a->pack < b->pack ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Sorts the objects, leaves each only once and has the entries name the new ordinals. */
static void tidy_objects(struct index *index) {
  uint32_t count = index->object_count, kept = 0;
  if (count == 0) return;
  uint32_t *order = must(malloc(count * sizeof *order)), *now = must(malloc(count * sizeof *now));
  struct object *objects = must(malloc(count * sizeof *objects));
  for (uint32_t i = 0; i < count; i++) order[i] = i;
  sorting = index->objects;
  qsort(order, count, sizeof *order, compare_objects);
  for (uint32_t i = 0; i < count; i++) {
    const struct object *object = &index->objects[order[i]];
    if (kept == 0 || objects[kept - 1].pack != object->pack || objects[kept - 1].offset != object->offset) objects[kept++] = *object;
    now[order[i]] = kept;
  }
  for (uint32_t i = 0; i < index->count; i++) {
    struct entry *entry = &index->entries[i];
    if (S_ISREG(entry->mode) && entry->object) entry->object = now[entry->object - 1];
  }
  free(index->objects);
  free(order);
  free(now);
  index->objects = objects;
  index->object_count = index->object_room = kept;
}

static void put_about(struct bytes *out, const struct index *index) {
  put_string(out, index->id ? index->id : "");
  put_string(out, index->meta ? index->meta : "{}");
  put_number(out, index->serial);
  put_signed(out, index->time);
  bytes_add(out, index->boot, sizeof index->boot);
  put_number(out, index->size);
  put_number(out, index->count);
  put_number(out, index->object_count);
  put_number(out, index->blobs.used);
  put_number(out, index->tree_count);
  for (uint32_t i = 0; i < index->tree_count; i++) {
    const struct tree *tree = &index->trees[i];
    put_string(out, tree->name);
    put_string(out, tree->at);
    put_number(out, tree->flags);
    put_number(out, tree->end - tree->root);
  }
}

static void put_objects(struct bytes *out, const struct index *index) {
  uint32_t pack = 0;
  uint64_t end = 0;
  for (uint32_t i = 0; i < index->object_count; i++) {
    const struct object *object = &index->objects[i];
    if (object->pack != pack) end = 0;
    put_number(out, object->pack - pack);
    put_number(out, object->offset / PACK_ALIGN - end);
    put_number(out, object->length);
    bytes_add(out, &object->sum, sizeof object->sum);
    pack = object->pack;
    end = (object->offset + object->length + PACK_ALIGN - 1) / PACK_ALIGN;
  }
}

static size_t shared_length(const char *a, const char *b) {
  size_t length = 0;
  while (a[length] && a[length] == b[length]) length++;
  return length;
}

static void put_entries(struct bytes *out, const struct index *index) {
  struct entry before = {0};
  const char *name_before = "";
  uint32_t object = 0;
  for (uint32_t i = 0; i < index->count; i++) {
    const struct entry *entry = &index->entries[i];
    const char *name = name_of(index, i);
    size_t shared = shared_length(name_before, name), length = strlen(name);
    put_number(out, shared);
    put_number(out, length - shared);
    bytes_add(out, name + shared, length - shared);
    put_number(out, entry->mode);
    put_number(out, entry->uid);
    put_number(out, entry->gid);
    put_number(out, entry->flags);
    put_signed(out, entry->mtime - before.mtime);
    put_number(out, entry->mtime_nanos);
    put_signed(out, (int64_t)(entry->ino - before.ino));
    put_signed(out, entry->ctime - before.ctime);
    put_number(out, entry->xattrs);
    if (is_directory(entry)) {
      put_number(out, entry->count);
    } else {
      put_number(out, entry->link ? i + 1 - entry->link : 0);
      if (S_ISREG(entry->mode)) {
        put_number(out, entry->size);
        put_signed(out, entry->object ? (int64_t)entry->object - object : 0 - (int64_t)object);
        object = entry->object;
      } else if (S_ISLNK(entry->mode) || S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) {
        put_number(out, entry->target);
      }
    }
    before = *entry;
    name_before = name;
  }
}

struct bytes index_encode(struct index *index) {
  tidy_objects(index);
  struct point_head head = {.magic = POINT_MAGIC, .version = POINT_VERSION};
  struct bytes out = {0};
  size_t start = sizeof head;
  bytes_room(&out, (size_t)index->count * 64 + index->object_count * 16 + 4096);
  bytes_add(&out, &head, sizeof head);
  for (int part = 0; part < 3; part++) {
    if (part == 0) put_about(&out, index);
    if (part == 1) put_objects(&out, index);
    if (part == 2) {
      bytes_add(&out, index->blobs.data, index->blobs.used);
      put_entries(&out, index);
    }
    head.lengths[part] = out.used - start;
    head.sums[part] = hash_bytes(out.data + start, head.lengths[part], 0);
    start = out.used;
  }
  head.sum = hash_bytes(&head, sizeof head - sizeof head.sum, 0);
  memcpy(out.data, &head, sizeof head);
  return out;
}
