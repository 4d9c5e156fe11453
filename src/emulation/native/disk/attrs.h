/* The metadata of one entry of the current directory: read into an index, written from one. */
#ifndef DISK_ATTRS_H
#define DISK_ATTRS_H
#include <stdbool.h>
#include "index.h"
#include "linux.h"

void take_stat(struct entry *entry, const struct wide_stat *stat);
/* Its extended attributes into blobs. False with errno. */
bool take_xattrs(const char *name, struct index *index, uint32_t *xattrs);
bool take_target(const char *name, struct index *index, uint32_t *target);

enum difference {
  DIFFERS_TYPE = 1,
  DIFFERS_CONTENT = 2,
  DIFFERS_TARGET = 4,
  DIFFERS_MODE = 8,
  DIFFERS_OWNER = 16,
  DIFFERS_TIME = 32,
  DIFFERS_ATTRIBUTES = 64,
  DIFFERS_METADATA = DIFFERS_MODE | DIFFERS_OWNER | DIFFERS_TIME | DIFFERS_ATTRIBUTES,
};
unsigned differences(const struct index *a, const struct entry *left, const struct index *b, const struct entry *right);
bool same_xattrs(const struct index *a, uint32_t left, const struct index *b, uint32_t right);

/* Calls `each` for every attribute of a blob. */
typedef bool (*xattr_visitor)(void *context, const char *name, const char *value, size_t length);
bool each_xattr(const struct index *index, uint32_t xattrs, xattr_visitor each, void *context);

/* Owner, attributes, mode, time: everything but what `finish_flags` sets. False with errno. */
bool give_metadata(const char *name, const struct index *index, const struct entry *entry);
bool give_time(const char *name, const struct entry *entry);
/* Sets exactly these of immutable, append-only and no-dump. */
bool give_flags(const char *name, unsigned flags);

#endif
