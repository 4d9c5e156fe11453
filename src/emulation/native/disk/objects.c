#define _GNU_SOURCE
#include "objects.h"
#include <stdlib.h>

/* A pack that several objects share ends long before 2^32 blocks. */
static uint64_t key_of(const struct object *object) {
  return (uint64_t)object->pack << 32 | (uint32_t)(object->offset / 4096);
}

static uint32_t slot_of(const struct holders *holders, uint64_t key) {
  uint32_t slot = (uint32_t)mix(key) & (holders->room - 1);
  while (holders->keys[slot] && holders->keys[slot] != key) slot = (slot + 1) & (holders->room - 1);
  return slot;
}

static void widen(struct holders *holders) {
  struct holders old = *holders;
  holders->room = old.room ? old.room * 2 : 4096;
  holders->keys = must(calloc(holders->room, sizeof *holders->keys));
  holders->values = must(calloc(holders->room, sizeof *holders->values));
  for (uint32_t i = 0; i < old.room; i++) {
    if (!old.keys[i]) continue;
    uint32_t slot = slot_of(holders, old.keys[i]);
    holders->keys[slot] = old.keys[i];
    holders->values[slot] = old.values[i];
  }
  free(old.keys);
  free(old.values);
}

uint32_t *holder_of(struct holders *holders, const struct object *object, uint32_t holder) {
  if (holders->count * 2 >= holders->room) widen(holders);
  uint64_t key = key_of(object);
  uint32_t slot = slot_of(holders, key);
  if (!holders->keys[slot]) {
    holders->keys[slot] = key;
    holders->values[slot] = holder;
    holders->count++;
  }
  return &holders->values[slot];
}

uint32_t held_by(const struct holders *holders, const struct object *object) {
  if (holders->room == 0) return NONE;
  uint32_t slot = slot_of(holders, key_of(object));
  return holders->keys[slot] ? holders->values[slot] : NONE;
}

void holders_free(struct holders *holders) {
  free(holders->keys);
  free(holders->values);
  *holders = (struct holders){0};
}
