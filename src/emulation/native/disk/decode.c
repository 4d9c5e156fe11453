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

struct decoding {
  struct reader *in;
  struct index *index;
  struct entry before;
  char name[LONGEST_NAME + 1];
  size_t length;
  int64_t object;
  /* Directories whose children are still to come; the next on top. */
  uint32_t *stack, depth, room;
};

static bool is_sound_link(const struct index *index, const struct tree *tree, const struct entry *entry) {
  if (is_directory(entry) || !entry->link) return true;
  const struct entry *leader = &index->entries[entry->link - 1];
  return entry->link - 1 >= tree->root && !is_directory(leader) && !leader->link && (leader->mode & S_IFMT) == (entry->mode & S_IFMT);
}

static bool get_entry(struct decoding *on, const struct tree *tree, uint32_t parent) {
  struct index *index = on->index;
  struct reader *in = on->in;
  bool root = parent == NONE;
  if (index->count == tree->end || !get_name(in, on->name, &on->length) || (on->length == 0) != root) return false;
  uint32_t self = index_add(index, on->name, on->length, root ? index->count : parent);
  struct entry *entry = &index->entries[self];
  entry->mode = (uint32_t)get_number(in);
  entry->uid = (uint32_t)get_number(in);
  entry->gid = (uint32_t)get_number(in);
  entry->flags = (uint32_t)get_number(in);
  entry->mtime = on->before.mtime + get_signed(in);
  entry->mtime_nanos = (uint32_t)get_number(in);
  entry->ino = on->before.ino + (uint64_t)get_signed(in);
  entry->ctime = on->before.ctime + get_signed(in);
  entry->xattrs = (uint32_t)get_number(in);
  if (!get_kind(in, index, entry, self, &on->object) || in->bad) return false;
  if (entry->xattrs && !sound_blob(index, entry->xattrs - 1)) return false;
  on->before = *entry;
  return (!root || is_directory(entry)) && is_sound_link(index, tree, entry);
}

/* The children of one directory, sorted; those that are directories wait on the stack. */
static bool get_children(struct decoding *on, const struct tree *tree, uint32_t parent) {
  struct index *index = on->index;
  uint32_t first = index->count, count = index->entries[parent].count;
  index->entries[parent].first = first;
  for (uint32_t i = 0; i < count; i++) {
    if (!get_entry(on, tree, parent)) return false;
    if (i > 0 && strcmp(name_of(index, first + i - 1), name_of(index, first + i)) >= 0) return false;
  }
  for (uint32_t i = first + count; i-- > first;) {
    if (!is_directory(&index->entries[i])) continue;
    on->stack = grown(on->stack, on->depth + 1, sizeof *on->stack, &on->room);
    on->stack[on->depth++] = i;
  }
  return true;
}

static bool get_tree(struct decoding *on, struct tree *tree, uint32_t length) {
  tree->root = on->index->count;
  tree->end = tree->root + length;
  if (!get_entry(on, tree, NONE)) return false;
  on->depth = 0;
  for (uint32_t directory = tree->root;; directory = on->stack[--on->depth]) {
    if (!get_children(on, tree, directory)) return false;
    if (on->depth == 0) return on->index->count == tree->end;
  }
}

static bool get_entries(struct reader *in, struct index *index, const struct counts *counts) {
  struct decoding on = {.in = in, .index = index};
  bool sound = true;
  index->entries = must(malloc((counts->entries + 1) * sizeof *index->entries));
  index->room = (uint32_t)counts->entries;
  for (uint32_t t = 0; t < index->tree_count && sound; t++) sound = get_tree(&on, &index->trees[t], counts->tree_lengths[t]);
  free(on.stack);
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
