/*
 * The store: a directory of its own, 0700.
 *   lock          flock: exclusive for whoever changes the store or the trees
 *   next          the last numbers given out; none is ever used again
 *   points/ID     one file each (format.h); `.new-` and `.del-` are points that come and go
 *   packs/N       contents
 *   live          a point's file with the newest known identity of every file: only a cache
 *   intent        what a restore is about to do
 */
#ifndef DISK_STORE_H
#define DISK_STORE_H
#include <stdbool.h>
#include <stdint.h>
#include "index.h"

struct store {
  const char *path;
  int root, points, packs, lock;
  uint64_t device, ino;
};

struct numbers {
  uint64_t v, automatic, pack, serial;
};

enum lock_kind { LOCK_SHARED_WAY, LOCK_EXCLUSIVE_WAY };
/* `create`: made when missing; else a missing one is ENOENT. */
bool store_open(struct store *store, const char *path, bool create);
bool store_lock(struct store *store, enum lock_kind kind, long wait_seconds);

/* ---- sealed.c: small texts that are replaced as a whole ---- */
bool sealed_write(struct store *store, const char *name, const char *text);
/* NULL with errno, ENOENT when there is none; damage is recorded as a failure. */
char *sealed_read(struct store *store, const char *name);
bool numbers_read(struct store *store, struct numbers *numbers);
bool numbers_write(struct store *store, const struct numbers *numbers);

/* ---- points.c ---- */
struct point_list {
  char **ids;
  struct index *points;
  uint64_t *file_sizes;
  uint32_t count, room;
};
/* Every point, by age, oldest first, so far decoded. */
bool points_load(struct store *store, enum index_part part, struct point_list *list);
/* All but these, which are not even looked at. */
bool points_load_but(struct store *store, enum index_part part, char *const *ids, uint32_t count, struct point_list *list);
void points_free(struct point_list *list);
bool point_load(struct store *store, const char *id, enum index_part part, struct index *index);
bool point_peek(struct store *store, const char *name, struct index *index, uint64_t *size);
bool is_point_id(const char *id);
/* Writes and publishes it: gives it its id (`v` or `auto`) and number, all durable. Contents must be so already. */
bool point_publish(struct store *store, const char *kind, struct index *index, uint64_t last_pack);
/* The newest known identities: `live`, else those of the newest point. Empty when there is nothing. */
void live_load(struct store *store, struct index *live);
bool live_write(struct store *store, struct index *live, bool durable);

/* ---- sweep.c ---- */
/* Takes away what killed processes left: half points, points half removed, packs that were never announced. */
bool sweep(struct store *store);
/* Also packs nobody refers to. */
bool sweep_all(struct store *store, bool *found);
/* What was freed goes to *freed. The points are renamed away already or are so here. */
bool remove_points(struct store *store, char **ids, uint32_t count, uint64_t *freed);
/* Bytes that the deletion of each point alone gives back. */
void costs_of(struct store *store, const struct point_list *list, uint64_t *costs);

int sync_dir(int fd);

#endif
