#define _GNU_SOURCE
#include "content-of.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "../common/failure.h"
#include "attrs.h"
#include "fault.h"

uint64_t gnu_dev(uint32_t major, uint32_t minor) {
  return makedev(major, minor);
}

uint32_t object_here(struct index *to, const struct index *from, uint32_t **map, uint32_t ordinal) {
  if (!*map) *map = must(calloc(from->object_count, sizeof **map));
  uint32_t *here = &(*map)[ordinal - 1];
  if (!*here) *here = index_add_object(to, &from->objects[ordinal - 1]);
  return *here;
}

/* Contents that this file may still or again have: worth a comparison before anything is stored. */
struct candidate {
  const struct index *index;
  uint32_t **map;
  uint32_t ordinal;
};

static int add(struct candidate *list, int count, const struct index *index, uint32_t **map, uint32_t entry, uint64_t size) {
  if (!index || entry == NONE) return count;
  const struct entry *old = &index->entries[entry];
  if (!S_ISREG(old->mode) || old->flags & IS_UNKNOWN || !old->object || old->size != size) return count;
  list[count] = (struct candidate){index, map, old->object};
  return count + 1;
}

static int candidates(struct taking *taking, const struct wide_stat *stat, const struct twins *twins, struct candidate *list) {
  const struct index *known = taking->look->known, *hint = taking->look->hint;
  int count = add(list, 0, known, &taking->known_objects, twins->known, stat->size);
  uint32_t moved = known ? inomap_get(&taking->by_ino, known, stat->ino) : NONE;
  if (moved != twins->known) count = add(list, count, known, &taking->known_objects, moved, stat->size);
  return add(list, count, hint, &taking->hint_objects, twins->hint, stat->size);
}

/* 1: *ordinal has the object in `out`. 0: none of them. -1: errno. */
static int recognise(struct taking *taking, const struct candidate *list, int count, int fd, const char *data, uint32_t *ordinal) {
  for (int i = 0; i < count; i++) {
    const struct object *object = &list[i].index->objects[list[i].ordinal - 1];
    int same = data ? content_same_memory(taking->look->store, object, data) : content_same(taking->look->store, object, fd);
    if (same < 0 && errno != EILSEQ) return -1;
    if (same <= 0) continue;
    *ordinal = object_here(taking->out, list[i].index, list[i].map, list[i].ordinal);
    return 1;
  }
  return 0;
}

static bool unchanged(const struct wide_stat *before, const struct wide_stat *after) {
  return before->ino == after->ino && before->size == after->size && before->ctime.seconds == after->ctime.seconds && before->ctime.nanos == after->ctime.nanos;
}

/* Reads it once. What was there goes to *length, its object to *ordinal (NONE when it is not to be stored). */
static bool read_once(struct taking *taking, int fd, const struct wide_stat *stat, const struct twins *twins, uint64_t *length, uint32_t *ordinal) {
  struct packer *packer = taking->look->packer;
  struct candidate list[3];
  int count = candidates(taking, stat, twins, list), same = 0;
  bool dry = taking->look->only_look, stage = stat->size < OWN_PACK_FROM && count > 0;
  *length = stat->size;
  *ordinal = NONE;
  if (stage) {
    ssize_t got = packer_stage(packer, fd, stat->size);
    if (got < 0) return false;
    if ((uint64_t)got == stat->size) same = recognise(taking, list, count, fd, packer_staged(packer), ordinal);
  } else if (count > 0) {
    same = recognise(taking, list, count, fd, NULL, ordinal);
  }
  if (same != 0 || dry) return same >= 0;
  struct object object;
  if (lseek(fd, 0, SEEK_SET) != 0 || !packer_take(packer, fd, stat, &object)) return false;
  *length = object.length;
  *ordinal = object.length > 0 ? index_add_object(taking->out, &object) : 0;
  taking->look->bytes += object.length;
  taking->look->files++;
  return true;
}

/* A full store is no fault of the file that was to go there. */
static bool content_failed(struct taking *taking, uint32_t self) {
  bool full = errno == ENOSPC || errno == EDQUOT || errno == EROFS || errno == EFBIG;
  return full ? fail("content", taking->look->store->path) : taking_failed(taking, self);
}

bool take_content(struct taking *taking, uint32_t self, const char *name, struct wide_stat *stat, const struct twins *twins) {
  struct entry *entry = &taking->out->entries[self];
  if (taking->look->only_trust) {
    entry->flags |= IS_UNKNOWN;
    return true;
  }
  for (int left = taking->look->tries;; left--) {
    struct wide_stat after;
    uint64_t length;
    uint32_t ordinal;
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
    if (fd < 0 && errno == EPERM) fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    if (left < taking->look->tries && wide_stat(fd, "", stat) == 0) {
      uint32_t xattrs = entry->xattrs;
      take_stat(entry, stat);
      entry->xattrs = xattrs;
      entry->flags |= IS_RACY;
    }
    bool done = step("read") && read_once(taking, fd, stat, twins, &length, &ordinal) && wide_stat(fd, "", &after) == 0;
    int error = errno;
    close(fd);
    errno = error;
    if (!done) return content_failed(taking, self);
    bool steady = unchanged(stat, &after) && length == stat->size;
    if (!steady && left > 1) continue;
    if (!steady) entry->flags |= IS_RACY;
    if (ordinal == NONE) entry->flags |= IS_UNKNOWN;
    else entry->object = ordinal;
    if (ordinal != NONE) entry->size = length;
    return true;
  }
}
