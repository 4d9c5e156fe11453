#define _GNU_SOURCE
#include "tar.h"
#include <string.h>
#include "bytes.h"

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "tar header");

uint64_t tar_sum(uint64_t sum, const void *blocks, size_t length) {
  for (size_t at = 0; at < length; at += TAR_BLOCK) sum = hash_bytes((const char *)blocks + at, TAR_BLOCK, sum);
  return sum;
}

/* Where an overlay's copies came from means nothing on another disk. */
bool is_portable_xattr(const char *name) {
  if (strncmp(name, "trusted.overlay.", 16) == 0) return strcmp(name + 16, "opaque") == 0;
  return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0 || strncmp(name, "security.", 9) == 0 || strncmp(name, "system.posix_acl_", 17) == 0;
}
