/* What a later pass copied again is given back before a point is announced. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "pack.h"

static int by_place(const void *left, const void *right) {
  const struct object *a = left, *b = right;
  if (a->pack != b->pack) return a->pack < b->pack ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The ranges of one new pack that `count` objects, sorted, leave unused. */
static void trim_one(struct packer *packer, uint32_t *made, const struct object *objects, uint32_t count) {
  char name[16];
  if (count == 0) {
    pack_name(*made, name);
    if (*made == packer->pack && packer->fd >= 0) {
      close(packer->fd);
      packer->fd = -1;
      packer->gathered = 0;
    }
    unlinkat(packer->store->packs, name, 0);
    *made = 0;
    return;
  }
  if (objects[0].length >= OWN_PACK_FROM) return;
  int fd = pack_open(packer->store, *made, O_RDWR);
  uint64_t end = 0;
  for (uint32_t i = 0; fd >= 0 && i < count; i++) {
    if (objects[i].offset > end) fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)end, (off_t)(objects[i].offset - end));
    end = (objects[i].offset + objects[i].length + PACK_BLOCK - 1) / PACK_BLOCK * PACK_BLOCK;
  }
  if (fd >= 0 && lseek(fd, 0, SEEK_END) > (off_t)end && ftruncate(fd, (off_t)end) == 0 && *made == packer->pack) packer->at = end;
  if (fd >= 0) close(fd);
}

void packer_trim(struct packer *packer, const struct index *index) {
  /* What is still on its way would come after the holes. */
  if (packer->made_count == 0 || !packer_flush(packer)) return;
  uint32_t first = packer->made[0], count = 0;
  struct object *objects = must(malloc((index->object_count + 1) * sizeof *objects));
  for (uint32_t i = 0; i < index->object_count; i++)
    if (index->objects[i].pack >= first) objects[count++] = index->objects[i];
  qsort(objects, count, sizeof *objects, by_place);
  for (uint32_t i = 0, at = 0; i < packer->made_count; i++) {
    uint32_t start = at;
    while (at < count && objects[at].pack == packer->made[i]) at++;
    trim_one(packer, &packer->made[i], objects + start, at - start);
  }
  free(objects);
}
