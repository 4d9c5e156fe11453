/*
 * One point as a pax archive: `amux-checkpoint.json`, whose own header names the trees for import; `trees/NAME/…` in the
 * order of the index; `amux-end` with a count and a checksum over every block before it.
 */
#ifndef DISK_TAR_H
#define DISK_TAR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK = 512, TAR_FORMAT = 1 };
#define TAR_FIRST "amux-checkpoint.json"
#define TAR_TREES "trees/"
#define TAR_LAST "amux-end"
/* What plain tar has no word for. */
#define TAR_KIND "AMUX.kind"
#define TAR_FLAGS "AMUX.flags"
#define TAR_TREE "AMUX.tree"
#define TAR_XATTR "SCHILY.xattr."

struct tar_header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[8], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};

/* The checksum goes on block by block, each with the sum so far as its seed. */
uint64_t tar_sum(uint64_t sum, const void *blocks, size_t length);
bool is_portable_xattr(const char *name);

#endif
