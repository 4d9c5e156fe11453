/* The content of one file: recognised, compared, or copied into a pack. */
#ifndef DISK_CONTENT_OF_H
#define DISK_CONTENT_OF_H
#include "take.h"

/* False with errno; ENOENT and the like when it is not there any more. */
bool take_content(struct taking *taking, uint32_t self, const char *name, struct wide_stat *stat, const struct twins *twins);
/* The ordinal in `to` of an object of `from`; `map` remembers. */
uint32_t object_here(struct index *to, const struct index *from, uint32_t **map, uint32_t ordinal);
/* A device number as stat has it. */
uint64_t gnu_dev(uint32_t major, uint32_t minor);

#endif
