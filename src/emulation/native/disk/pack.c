#define _GNU_SOURCE
#include "pack.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../common/failure.h"
#include "fault.h"
#include "writer.h"

void pack_name(uint32_t pack, char name[16]) {
  snprintf(name, 16, "%" PRIu32, pack);
}

int pack_open(struct store *store, uint32_t pack, int flags) {
  char name[16];
  pack_name(pack, name);
  return openat(store->packs, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

bool packer_open(struct packer *packer, struct store *store) {
  struct numbers numbers;
  *packer = (struct packer){.store = store, .fd = -1};
  if (!numbers_read(store, &numbers)) return false;
  packer->last = (uint32_t)numbers.pack;
  packer->buffer = writer_buffer();
  return true;
}

int packer_begin(struct packer *packer, uint32_t *pack) {
  if (!step("pack-create")) return -1;
  /* Past the page cache: what is copied is not read again soon, and the sync in the end finds nothing left to write. */
  int fd = pack_open(packer->store, packer->last + 1, O_RDWR | O_CREAT | O_EXCL | O_DIRECT);
  if (fd < 0 && errno == EINVAL) fd = pack_open(packer->store, packer->last + 1, O_RDWR | O_CREAT);
  if (fd < 0) return -1;
  *pack = ++packer->last;
  packer->made = grown(packer->made, packer->made_count + 1, sizeof *packer->made, &packer->made_room);
  packer->made[packer->made_count++] = *pack;
  return fd;
}

static bool write_gathered(struct packer *packer) {
  if (packer->gathered == 0) return true;
  if (!step("pack-write")) return false;
  bool done = writer_put(packer->fd, packer->buffer, packer->gathered, packer->at);
  int error = errno;
  packer->buffer = writer_buffer();
  packer->at += packer->gathered;
  packer->gathered = 0;
  errno = error;
  return done;
}

bool packer_flush(struct packer *packer) {
  return (write_gathered(packer) && writer_wait()) || fail("content", packer->store->path);
}

static bool end_heap(struct packer *packer) {
  if (packer->fd < 0) return true;
  /* It may end in a hole. */
  bool written = write_gathered(packer);
  int error = errno;
  bool closed = writer_close(packer->fd, packer->at);
  packer->fd = -1;
  if (!written) errno = error;
  return written && closed;
}

static bool need_heap(struct packer *packer) {
  if (packer->fd >= 0 && packer->at + packer->gathered >= HEAP_SIZE && !end_heap(packer)) return false;
  if (packer->fd < 0) {
    packer->at = 0;
    packer->fd = packer_begin(packer, &packer->pack);
  }
  return packer->fd >= 0;
}

const char *packer_staged(const struct packer *packer) {
  return packer->buffer + packer->gathered;
}

ssize_t packer_stage(struct packer *packer, int fd, size_t size) {
  char *to = packer->buffer + packer->gathered;
  size_t got = 0;
  while (got < size) {
    ssize_t more = read(fd, to + got, size - got);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return -1;
    if (more == 0) break;
    got += (size_t)more;
  }
  return (ssize_t)got;
}

static uint64_t aligned(uint64_t length) {
  return (length + PACK_BLOCK - 1) / PACK_BLOCK * PACK_BLOCK;
}

bool packer_commit(struct packer *packer, size_t length, struct object *object) {
  const char *from = packer->buffer + packer->gathered;
  if (packer->fd >= 0 && packer->at + packer->gathered >= HEAP_SIZE) {
    if (!end_heap(packer)) return false;
    /* The buffer went to the writer, which only reads it. */
    memmove(packer->buffer, from, length);
    from = packer->buffer;
  }
  if (!need_heap(packer)) return false;
  *object = (struct object){.pack = packer->pack, .offset = packer->at + packer->gathered, .length = length, .sum = hash_bytes(from, length, 0)};
  memset(packer->buffer + packer->gathered + length, 0, aligned(length) - length);
  packer->gathered += aligned(length);
  return packer->gathered < GATHER || write_gathered(packer);
}

static bool cannot_share(int error) {
  return error == EXDEV || error == EOPNOTSUPP || error == ENOTTY || error == EINVAL;
}

static bool take_large(struct packer *packer, int fd, uint64_t size, struct object *object) {
  uint32_t pack;
  int to = packer_begin(packer, &pack);
  if (to < 0) return false;
  uint64_t sum = 0, copied = size;
  bool done = !packer->no_clone && clone_file(to, fd) == 0;
  if (done) {
    struct stat stat;
    done = fstat(to, &stat) == 0;
    if (done) copied = (uint64_t)stat.st_size;
  } else if (packer->no_clone || cannot_share(errno)) {
    packer->no_clone = true;
    done = step("pack-write") && copy_range(fd, 0, to, 0, size, true, &sum, &copied);
  }
  int error = errno;
  *object = (struct object){.pack = pack, .length = copied, .sum = sum};
  bool closed = writer_close(to, copied);
  if (!done) errno = error;
  return done && closed;
}

/* Between the small and the large: shares blocks with the heap, or keeps the holes of a sparse one. */
static bool take_into_heap(struct packer *packer, int fd, uint64_t size, bool clone, struct object *object) {
  if (!write_gathered(packer) || !need_heap(packer) || !writer_wait()) return false;
  uint64_t copied = size;
  if (clone) {
    if (clone_range(packer->fd, packer->at, fd, 0, 0) != 0) return false;
    off_t end = lseek(packer->fd, 0, SEEK_END);
    if (end < 0) return false;
    copied = (uint64_t)end > packer->at ? (uint64_t)end - packer->at : 0;
  } else if (!copy_range(fd, 0, packer->fd, packer->at, size, true, NULL, &copied)) {
    return false;
  }
  *object = (struct object){.pack = packer->pack, .offset = packer->at, .length = copied};
  packer->at += aligned(copied);
  return true;
}

bool packer_take(struct packer *packer, int fd, const struct wide_stat *stat, struct object *object) {
  if (stat->size >= OWN_PACK_FROM) return take_large(packer, fd, stat->size, object);
  if (stat->size >= CLONE_FROM && !packer->no_clone) {
    if (take_into_heap(packer, fd, stat->size, true, object)) return true;
    if (!cannot_share(errno)) return false;
    packer->no_clone = true;
  }
  if (stat->size > stat->blocks * 512 + PACK_BLOCK) return take_into_heap(packer, fd, stat->size, false, object);
  ssize_t got = packer_stage(packer, fd, stat->size);
  if (got < 0) return false;
  if (got > 0) return packer_commit(packer, (size_t)got, object);
  *object = (struct object){0};
  return true;
}

bool packer_sync(struct packer *packer) {
  if (!end_heap(packer) || !writer_wait()) return fail("content", packer->store->path);
  for (uint32_t i = 0; i < packer->made_count; i++) {
    if (packer->made[i] == 0) continue;
    int fd = pack_open(packer->store, packer->made[i], O_RDONLY);
    bool done = fd >= 0 && step("pack-sync") && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    if (!done) return fail("content", packer->store->path);
  }
  return packer->made_count == 0 || sync_dir(packer->store->packs) == 0 || fail("content", packer->store->path);
}

void packer_abandon(struct packer *packer) {
  char name[16];
  writer_wait();
  if (packer->fd >= 0) close(packer->fd);
  packer->fd = -1;
  packer->gathered = 0;
  content_forget();
  for (uint32_t i = 0; i < packer->made_count; i++) {
    pack_name(packer->made[i], name);
    if (packer->made[i]) unlinkat(packer->store->packs, name, 0);
  }
  packer->made_count = 0;
}

void packer_close(struct packer *packer) {
  if (packer->fd >= 0) close(packer->fd);
  writer_return(packer->buffer);
  free(packer->made);
  *packer = (struct packer){.fd = -1};
}
