/* Reads what export wrote, and trusts nothing of it. */
#ifndef DISK_UNTAR_H
#define DISK_UNTAR_H
#include "bytes.h"
#include "tar.h"

enum { LARGEST_EXTENSION = 4 << 20, MOST_XATTRS = 256 };

struct tar_xattr {
  const char *name, *value;
  size_t length;
};

/* One entry: its header and what its extension said of it. */
struct tar_entry {
  char type;
  uint32_t mode, uid, gid, major, minor, flags;
  uint64_t size;
  int64_t mtime;
  uint32_t mtime_nanos;
  const char *path, *link;
  bool socket;
  struct tar_xattr xattrs[MOST_XATTRS];
  uint32_t xattr_count;
  /* The raw records, for those only one entry has. */
  struct bytes extension;
  char name[101], link_name[101];
};

/* False with a failure. */
bool untar_next(struct tar_entry *entry);
/* Exactly so many bytes of content; `untar_skip_padding` after the last. */
bool untar_read(char *to, size_t length);
bool untar_end_content(uint64_t size);
uint64_t untar_sum(void);
/* What follows the last entry. */
void untar_drain(void);
bool untar_bad(const char *what);
/* A record of the extension by key; NULL when there is none. NUL-terminated. */
const char *untar_record(const struct tar_entry *entry, const char *key);

#endif
