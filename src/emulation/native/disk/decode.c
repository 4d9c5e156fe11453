#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "format.h"
#include "index.h"

struct counts {
  uint64_t entries, objects, blobs;
  uint32_t *tree_lengths;
};

static bool get_about(struct reader *in, struct index *index, struct counts *counts, uint64_t rest) {
  index->id = get_string(in);
  index->meta = get_string(in);
  index->serial = get_number(in);
  index->time = get_signed(in);
  memcpy(index->boot, get_bytes(in, in->end - in->at < 16 ? 0 : 16), in->end - in->at < 16 ? 0 : 16);
  index->size = get_number(in);
  counts->entries = get_number(in);
  counts->objects = get_number(in);
  counts->blobs = get_number(in);
  uint64_t trees = get_number(in), total = 0;
  if (in->bad || trees > (size_t)(in->end - in->at) || counts->entries > rest || counts->objects > rest || counts->entries >= NONE) return false;
  counts->tree_lengths = must(calloc(trees + 1, sizeof *counts->tree_lengths));
  for (uint64_t i = 0; i < trees && !in->bad; i++) {
    char *name = get_string(in), *at = get_string(in);
    uint64_t flags = get_number(in), length = get_number(in);
    index_add_tree(index, name, at, (uint32_t)flags);
    free(name);
    free(at);
    if (length < 1 || length > counts->entries) return false;
    counts->tree_lengths[i] = (uint32_t)length;
    total += length;
  }
  return !in->bad && in->at == in->end && total == counts->entries;
}

static bool get_objects(struct reader *in, struct index *index, uint64_t count) {
  uint64_t pack = 0, end = 0;
  index->objects = must(malloc((count + 1) * sizeof *index->objects));
  index->object_room = (uint32_t)count;
  for (uint64_t i = 0; i < count && !in->bad; i++) {
    uint64_t more = get_number(in), gap = get_number(in), length = get_number(in), sum;
    if (more) end = 0;
    pack += more;
    memcpy(&sum, get_bytes(in, in->end - in->at < 8 ? 0 : 8), in->end - in->at < 8 ? 0 : 8);
    if (pack > UINT32_MAX || length > INT64_MAX / 2 || gap > INT64_MAX / PACK_ALIGN / 2 || end + gap > INT64_MAX / PACK_ALIGN / 2 || length == 0) return false;
    index->objects[i] = (struct object){.pack = (uint32_t)pack, .offset = (end + gap) * PACK_ALIGN, .length = length, .sum = sum};
    end += gap + (length + PACK_ALIGN - 1) / PACK_ALIGN;
  }
  index->object_count = (uint32_t)count;
  return !in->bad && in->at == in->end;
}

static bool sound_blob(const struct index *index, uint64_t at) {
  if (at + 4 > index->blobs.used) return false;
  size_t length;
  index_blob(index, (uint32_t)at, &length);
  return length < index->blobs.used - at - 4;
}

static bool get_name(struct reader *in, char *name, size_t *length) {
  uint64_t shared = get_number(in), more = get_number(in);
  if (in->bad || shared > *length || more > LONGEST_NAME || shared + more > LONGEST_NAME) return false;
  memcpy(name + shared, get_bytes(in, more), in->bad ? 0 : more);
  *length = shared + more;
  name[*length] = 0;
  return !in->bad && strlen(name) == *length && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool get_kind(struct reader *in, struct index *index, struct entry *entry, uint32_t self, int64_t *object) {
  if (is_directory(entry)) {
    uint64_t count = get_number(in);
    entry->count = (uint32_t)count;
    return count < NONE;
  }
  uint64_t back = get_number(in);
  if (back > self) return false;
  entry->link = back ? self - (uint32_t)back + 1 : 0;
  if (S_ISREG(entry->mode)) {
    entry->size = get_number(in);
    *object += get_signed(in);
    if (*object < 0 || *object > index->object_count) return false;
    entry->object = (uint32_t)*object;
    bool unknown = entry->flags & (IS_UNKNOWN | IS_FOREIGN);
    return unknown || (entry->size == 0 ? !entry->object : entry->object && index->objects[entry->object - 1].length == entry->size);
  }
  if (S_ISLNK(entry->mode) || S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) {
    uint64_t value = get_number(in);
    if (S_ISLNK(entry->mode) && !sound_blob(index, value)) return false;
    entry->target = (uint32_t)value;
    return value <= UINT32_MAX;
  }
  return S_ISFIFO(entry->mode) || S_ISSOCK(entry->mode);
}

static bool get_entries(struct reader *in, struct index *index, const struct counts *counts) {
  struct {
    uint32_t *dirs, used, room;
  } stack = {0};
  struct entry before = {0};
  char name[LONGEST_NAME + 1] = "";
  size_t length = 0;
  int64_t object = 0;
  bool sound = true;
  index->entries = must(malloc((counts->entries + 1) * sizeof *index->entries));
  index->room = (uint32_t)counts->entries;
  for (uint32_t t = 0; t < index->tree_count && sound; t++) {
    struct tree *tree = &index->trees[t];
    tree->root = index->count;
    tree->end = tree->root + counts->tree_lengths[t];
    uint32_t parent = NONE, left = 1;
    while (sound && left > 0) {
      uint32_t first = index->count, stacked = stack.used;
      for (uint32_t i = 0; i < left && sound; i++) {
        sound = index->count < tree->end && get_name(in, name, &length) && (length == 0) == (parent == NONE);
        if (!sound) break;
        if (i > 0 && strcmp(name_of(index, index->count - 1), name) >= 0) sound = false;
        uint32_t self = index_add(index, name, length, parent == NONE ? index->count : parent);
        struct entry *entry = &index->entries[self];
        entry->mode = (uint32_t)get_number(in);
        entry->uid = (uint32_t)get_number(in);
        entry->gid = (uint32_t)get_number(in);
        entry->flags = (uint32_t)get_number(in);
        entry->mtime = before.mtime + get_signed(in);
        entry->mtime_nanos = (uint32_t)get_number(in);
        entry->ino = before.ino + (uint64_t)get_signed(in);
        entry->ctime = before.ctime + get_signed(in);
        entry->xattrs = (uint32_t)get_number(in);
        sound = sound && get_kind(in, index, entry, self, &object) && !in->bad && (!entry->xattrs || sound_blob(index, entry->xattrs - 1));
        sound = sound && (parent != NONE || is_directory(entry)) && (is_directory(entry) || !entry->link || entry->link - 1 >= tree->root);
        if (sound && !is_directory(entry) && entry->link) {
          const struct entry *leader = &index->entries[entry->link - 1];
          sound = !is_directory(leader) && !leader->link && (leader->mode & S_IFMT) == (entry->mode & S_IFMT);
        }
        before = *entry;
        if (!is_directory(entry)) continue;
        stack.dirs = grown(stack.dirs, stack.used + 1, sizeof *stack.dirs, &stack.room);
        stack.dirs[stack.used++] = self;
      }
      /* The first directory is to be on top. */
      for (uint32_t i = stacked, j = stack.used; i + 1 < j; i++) {
        uint32_t swap = stack.dirs[i];
        stack.dirs[i] = stack.dirs[--j];
        stack.dirs[j] = swap;
      }
      if (parent != NONE) index->entries[parent].first = first;
      for (left = 0; stack.used > 0 && left == 0;) {
        parent = stack.dirs[--stack.used];
        left = index->entries[parent].count;
        index->entries[parent].first = index->count;
      }
    }
    sound = sound && index->count == tree->end;
  }
  free(stack.dirs);
  return sound && in->at == in->end;
}

bool index_decode(const void *data, size_t length, enum index_part part, struct index *index) {
  *index = (struct index){0};
  struct point_head head;
  struct counts counts = {0};
  bool sound = length >= sizeof head;
  if (sound) {
    memcpy(&head, data, sizeof head);
    sound = memcmp(head.magic, POINT_MAGIC, sizeof head.magic) == 0 && head.sum == hash_bytes(&head, sizeof head - sizeof head.sum, 0);
  }
  if (sound && head.version != POINT_VERSION) {
    errno = ENOTSUP;
    return false;
  }
  uint64_t rest = length - sizeof head;
  for (int i = 0; i < 3 && sound; i++) {
    sound = head.lengths[i] <= rest;
    rest -= head.lengths[i];
  }
  sound = sound && rest == 0;
  const unsigned char *at = (const unsigned char *)data + sizeof head;
  for (int i = 0; i <= (int)part && sound; i++) {
    sound = hash_bytes(at, head.lengths[i], 0) == head.sums[i];
    struct reader in = {at, at + head.lengths[i], false};
    if (sound && i == 0) sound = get_about(&in, index, &counts, length);
    if (sound && i == 1) sound = get_objects(&in, index, counts.objects);
    if (sound && i == 2) {
      const char *blobs = get_bytes(&in, counts.blobs);
      if (in.bad) sound = false;
      else bytes_add(&index->blobs, blobs, counts.blobs);
      sound = sound && get_entries(&in, index, &counts);
    }
    at += head.lengths[i];
  }
  if (part < WHOLE) index->count = (uint32_t)counts.entries;
  free(counts.tree_lengths);
  if (sound) return true;
  index_free(index);
  errno = EILSEQ;
  return false;
}
