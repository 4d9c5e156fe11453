/*
 * Contents go into packs. Small files are gathered in memory and written many at once, each at a multiple of 4 KiB, so
 * that its space can be given back alone; a large file has a pack of its own. Where blocks can be shared nothing is copied.
 */
#ifndef DISK_PACK_H
#define DISK_PACK_H
#include <stdbool.h>
#include "index.h"
#include "linux.h"
#include "store.h"

enum { PACK_BLOCK = 4096, OWN_PACK_FROM = 1 << 20, CLONE_FROM = 1 << 16, GATHER = 4 << 20, HEAP_SIZE = 256 << 20 };

struct packer {
  struct store *store;
  char *buffer;
  /* The shared pack: what is written, what waits in the buffer after it. */
  int fd;
  uint32_t pack;
  uint64_t at;
  size_t gathered;
  uint64_t unflushed;
  uint32_t last, *made, made_count, made_room;
  bool no_clone;
};

bool packer_open(struct packer *packer, struct store *store);
/* A descriptor of a new pack; its number is durable before a point that names it is. */
int packer_begin(struct packer *packer, uint32_t *pack);
/* The bytes of a small file at the end of the buffer; -1 with errno. Less than asked when it is shorter. */
ssize_t packer_stage(struct packer *packer, int fd, size_t size);
const char *packer_staged(const struct packer *packer);
/* Keeps what was staged. */
bool packer_commit(struct packer *packer, size_t length, struct object *object);
/* Any file, from its descriptor, by clone or copy. `length` comes back as what was there. */
bool packer_take(struct packer *packer, int fd, const struct wide_stat *stat, struct object *object);
/* Takes `length` bytes from a stream; `read` fails at an early end. Long runs of zeros become holes. */
bool packer_stream(struct packer *packer, uint64_t length, bool (*read)(char *, size_t), struct object *object);
/* What was gathered can be read back after this. */
bool packer_flush(struct packer *packer);
/* Everything taken is durable after this. */
bool packer_sync(struct packer *packer);
/* Contents that no entry of `index` refers to are given back. */
void packer_trim(struct packer *packer, const struct index *index);
/* Takes everything back. */
void packer_abandon(struct packer *packer);
void packer_close(struct packer *packer);

int pack_open(struct store *store, uint32_t pack, int flags);
void pack_name(uint32_t pack, char name[16]);

/* ---- content.c ---- */
/* Writes all of it; begins with the disk at once. Where the file cannot be written past the page cache it is not. */
bool write_at(int fd, const char *data, size_t length, uint64_t at);
/* Copies a range with its holes; `to` must be empty there. With `blocks`: in whole blocks, through the writer, so not yet when it returns. `sum` may be NULL. Less when the source ends: *copied. */
bool copy_range(int from, uint64_t offset, int to, uint64_t at, uint64_t length, bool blocks, uint64_t *sum, uint64_t *copied);
/* Writes an object's bytes to an empty file, shares them where it can. */
bool content_give(struct store *store, const struct object *object, int to);
/* Whether a file of the object's length holds the same bytes. -1 with errno. */
int content_same(struct store *store, const struct object *object, int fd);
int content_same_memory(struct store *store, const struct object *object, const char *data);
/* A descriptor of a pack; kept open for a while. */
int content_pack(struct store *store, uint32_t pack);
void content_forget(void);
/* Whether two objects hold the same bytes. -1 with errno. */
int content_equal(struct store *store, const struct object *left, const struct object *right);
/* What it takes on the disk, holes left out. */
uint64_t content_space(struct store *store, const struct object *object);
/* Its bytes to a stream. */
bool content_pour(struct store *store, const struct object *object, int to);

#endif
