/* Which objects are held by whom. */
#ifndef DISK_OBJECTS_H
#define DISK_OBJECTS_H
#include "index.h"

enum { HELD_BY_MANY = 0xfffffffeu };

struct holders {
  uint64_t *keys;
  uint32_t *values, count, room;
};

/* The holder of an object, `holder` for a new one; a pointer to change it through. */
uint32_t *holder_of(struct holders *holders, const struct object *object, uint32_t holder);
/* NONE when nobody holds it. */
uint32_t held_by(const struct holders *holders, const struct object *object);
void holders_free(struct holders *holders);

#endif
