/*
 * A point in time in memory: every entry of every tree, with its metadata and the object that holds its content.
 * The children of a directory lie together, sorted by name; directories follow in depth-first order. So the place of two
 * paths in the order depends on their names alone, and two points are compared by walking both in step.
 */
#ifndef DISK_INDEX_H
#define DISK_INDEX_H
#include <stdbool.h>
#include <sys/stat.h>
#include "bytes.h"

enum { NONE = 0xffffffffu };

/* A file's bytes: a range of a pack. `sum` is 0 where they were never read (cloned, sparse). */
struct object {
  uint64_t offset, length, sum;
  uint32_t pack;
};

enum entry_flags {
  IS_IMMUTABLE = 1,
  IS_APPEND = 2,
  IS_NODUMP = 4,
  /* May have changed since without its times showing it. */
  IS_RACY = 8,
  /* Another mount lies there: neither it nor what is in it is ours. */
  IS_FOREIGN = 16,
  /* A file whose content nothing is known of. */
  IS_UNKNOWN = 32,
  KEPT_FLAGS = IS_IMMUTABLE | IS_APPEND | IS_NODUMP,
};

struct entry {
  uint32_t name, parent, mode, uid, gid;
  union {
    /* File: ordinal + 1, 0 for none. Link: its target in blobs. Device: its number. Directory: its first child. */
    uint32_t object, target, device, first;
  };
  union {
    /* Directory: number of children. Else the hard link it is one more name of, + 1. */
    uint32_t count, link;
  };
  /* In blobs, + 1. */
  uint32_t xattrs;
  uint32_t mtime_nanos, flags;
  int64_t mtime;
  uint64_t size, ino;
  /* In nanoseconds. With number, mtime and size it tells whether a file is still the same. */
  int64_t ctime;
};

enum tree_flags { TREE_SHARED = 1, TREE_LAYER = 2 };

struct tree {
  char *name, *at;
  uint32_t flags, root, end;
};

struct index {
  char *id, *meta;
  uint64_t serial;
  /* When it was made, in nanoseconds, and in which boot of the machine. */
  int64_t time;
  unsigned char boot[16];
  uint64_t size;
  struct tree *trees;
  struct entry *entries;
  struct object *objects;
  uint32_t tree_count, tree_room, count, room, object_count, object_room;
  struct bytes names, blobs;
  uint32_t *interned, interned_count, interned_room;
};

void index_free(struct index *index);
struct tree *index_add_tree(struct index *index, const char *name, const char *at, uint32_t flags);
/* A new entry, zeroed but for name and parent. Pointers to entries hold only until the next one. */
uint32_t index_add(struct index *index, const char *name, size_t length, uint32_t parent);
uint32_t index_add_object(struct index *index, const struct object *object);
/* The place of these bytes in blobs, stored once. They are kept with their length before them. */
uint32_t index_intern(struct index *index, const void *data, size_t length);
const char *index_blob(const struct index *index, uint32_t at, size_t *length);

static inline const char *name_of(const struct index *index, uint32_t entry) {
  return index->names.data + index->entries[entry].name;
}
static inline bool is_directory(const struct entry *entry) {
  return S_ISDIR(entry->mode);
}
static inline bool is_whiteout(const struct entry *entry) {
  return S_ISCHR(entry->mode) && entry->device == 0;
}
static inline const struct object *object_of(const struct index *index, const struct entry *entry) {
  return entry->object == 0 ? NULL : &index->objects[entry->object - 1];
}
const struct tree *find_tree(const struct index *index, const char *name);
/* A child by name, NONE when there is none. */
uint32_t find_child(const struct index *index, uint32_t directory, const char *name);
/* `/usr/bin`-like path of an entry as the computer sees it. */
void path_of(const struct index *index, const struct tree *tree, uint32_t entry, struct bytes *path);
/* The tree whose place is the longest that holds this path; what is left of the path goes to *rest. */
const struct tree *tree_at(const struct index *index, const char *path, const char **rest);

/* ---- encode.c, decode.c: the file ---- */
struct bytes index_encode(struct index *index);
enum index_part { ONLY_HEAD, WITH_OBJECTS, WHOLE };
/* False with errno: EILSEQ damaged, ENOTSUP of a newer version. */
bool index_decode(const void *data, size_t length, enum index_part part, struct index *index);

#endif
