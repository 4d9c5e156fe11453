#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../common/text.h"
#include "pack.h"
#include "writer.h"

enum { CHUNK = 4 << 20, EARLY = 1 << 20, OPEN_PACKS = 8 };

static char *chunk(int which) {
  static char *chunks[2];
  if (!chunks[which]) chunks[which] = must(aligned_alloc(PACK_BLOCK, CHUNK));
  return chunks[which];
}

static struct {
  int fd;
  uint32_t pack;
} open_packs[OPEN_PACKS];
static unsigned next_pack;

int content_pack(struct store *store, uint32_t pack) {
  for (unsigned i = 0; i < OPEN_PACKS; i++)
    if (open_packs[i].pack == pack && open_packs[i].fd > 0) return open_packs[i].fd;
  int fd = pack_open(store, pack, O_RDONLY);
  if (fd < 0) {
    /* An index names it, so its absence is damage. */
    if (errno == ENOENT) errno = EILSEQ;
    return -1;
  }
  if (open_packs[next_pack].fd > 0) close(open_packs[next_pack].fd);
  open_packs[next_pack].fd = fd;
  open_packs[next_pack].pack = pack;
  next_pack = (next_pack + 1) % OPEN_PACKS;
  return fd;
}

void content_forget(void) {
  for (unsigned i = 0; i < OPEN_PACKS; i++) {
    if (open_packs[i].fd > 0) close(open_packs[i].fd);
    open_packs[i].fd = 0;
  }
}

/* Reads until it has all, or the end. */
static ssize_t pull(int fd, char *to, size_t length, uint64_t offset) {
  size_t got = 0;
  while (got < length) {
    ssize_t more = pread(fd, to + got, length - got, (off_t)(offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return -1;
    if (more == 0) break;
    got += (size_t)more;
  }
  return (ssize_t)got;
}

bool write_at(int fd, const char *data, size_t length, uint64_t at) {
  for (size_t done = 0; done < length;) {
    ssize_t more = pwrite(fd, data + done, length - done, (off_t)(at + done));
    if (more < 0 && errno == EINTR) continue;
    int flags = more < 0 && errno == EINVAL ? fcntl(fd, F_GETFL) : 0;
    if (flags & O_DIRECT && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0) continue;
    if (more <= 0) return false;
    done += (size_t)more;
  }
  if (length >= EARLY) sync_file_range(fd, (off_t)at, (off_t)length, SYNC_FILE_RANGE_WRITE);
  return true;
}

/* Where data begins at or after `at`, and where it ends; `end` when there is none. */
static bool next_data(int fd, uint64_t at, uint64_t end, uint64_t *start, uint64_t *stop) {
  off_t data = lseek(fd, (off_t)at, SEEK_DATA);
  if (data < 0 && errno == ENXIO) {
    *start = *stop = end;
    return true;
  }
  if (data < 0 && errno != EINVAL && errno != EOPNOTSUPP) return false;
  off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
  *start = data < 0 ? at : (uint64_t)data;
  *stop = hole < 0 ? end : (uint64_t)hole;
  if (*start > end) *start = end;
  if (*stop > end) *stop = end;
  return true;
}

static bool write_whole(int fd, char *data, size_t length, uint64_t at) {
  return write_at(fd, data, length, at);
}

bool copy_range(int from, uint64_t offset, int to, uint64_t at, uint64_t length, bool blocks, uint64_t *sum, uint64_t *copied) {
  uint64_t pos = offset, end = offset + length, stop, running = 0;
  bool whole = true;
  *copied = length;
  while (pos < end) {
    uint64_t start;
    if (!next_data(from, pos, end, &start, &stop)) return false;
    if (start > pos) whole = false;
    for (pos = start; pos < stop;) {
      size_t wanted = stop - pos < CHUNK ? (size_t)(stop - pos) : CHUNK;
      char *data = blocks ? writer_buffer() : chunk(0);
      ssize_t got = pull(from, data, wanted, pos);
      if (got < 0 && blocks) writer_return(data);
      if (got < 0) return false;
      size_t padded = blocks ? ((size_t)got + PACK_BLOCK - 1) / PACK_BLOCK * PACK_BLOCK : (size_t)got;
      memset(data + got, 0, padded - (size_t)got);
      if (sum) running = hash_bytes(data, (size_t)got, running);
      if (!(blocks ? writer_put : write_whole)(to, data, padded, at + (pos - offset))) return false;
      pos += (size_t)got;
      if ((size_t)got < wanted) {
        *copied = pos - offset;
        end = stop = pos;
      }
    }
  }
  if (sum) *sum = whole && running ? running : 0;
  return true;
}

bool content_give(struct store *store, const struct object *object, int to) {
  int pack = content_pack(store, object->pack);
  if (pack < 0) return false;
  static bool no_clone;
  if (!no_clone && object->length >= CLONE_FROM) {
    /* Whole blocks; what is too much is cut off. */
    uint64_t blocks = (object->length + PACK_BLOCK - 1) / PACK_BLOCK * PACK_BLOCK;
    bool own = object->length >= OWN_PACK_FROM;
    if ((own ? clone_file(to, pack) : clone_range(to, 0, pack, object->offset, blocks)) == 0 || (!own && clone_range(to, 0, pack, object->offset, 0) == 0))
      return ftruncate(to, (off_t)object->length) == 0;
    no_clone = errno == EXDEV || errno == EOPNOTSUPP || errno == ENOTTY;
  }
  /* A sum means that there are no holes. */
  if (object->sum && object->length <= CHUNK) {
    ssize_t got = pull(pack, chunk(0), object->length, object->offset);
    if (got < 0) return false;
    if ((size_t)got == object->length && hash_bytes(chunk(0), object->length, 0) == object->sum) return write_at(to, chunk(0), object->length, 0);
    errno = EILSEQ;
    return false;
  }
  uint64_t sum = 0, copied;
  if (!copy_range(pack, object->offset, to, 0, object->length, false, object->sum ? &sum : NULL, &copied)) return false;
  if (copied != object->length || (object->sum && sum && sum != object->sum)) {
    errno = EILSEQ;
    return false;
  }
  return ftruncate(to, (off_t)object->length) == 0;
}

int content_same(struct store *store, const struct object *object, int fd) {
  int pack = content_pack(store, object->pack);
  if (pack < 0) return -1;
  for (uint64_t pos = 0; pos < object->length;) {
    uint64_t mine, mine_stop, theirs, theirs_stop;
    if (!next_data(fd, pos, object->length, &mine, &mine_stop)) return -1;
    if (!next_data(pack, object->offset + pos, object->offset + object->length, &theirs, &theirs_stop)) return -1;
    theirs -= object->offset;
    pos = mine < theirs ? mine : theirs;
    if (pos == object->length) break;
    size_t wanted = object->length - pos < CHUNK ? (size_t)(object->length - pos) : CHUNK;
    ssize_t left = pull(fd, chunk(0), wanted, pos), right = pull(pack, chunk(1), wanted, object->offset + pos);
    if (left < 0 || right < 0) return -1;
    if ((size_t)left != wanted || (size_t)right != wanted || memcmp(chunk(0), chunk(1), wanted) != 0) return 0;
    pos += wanted;
  }
  return 1;
}

int content_same_memory(struct store *store, const struct object *object, const char *data) {
  if (object->sum && object->sum != hash_bytes(data, object->length, 0)) return 0;
  int pack = content_pack(store, object->pack);
  if (pack < 0) return -1;
  ssize_t got = pull(pack, chunk(1), object->length, object->offset);
  if (got < 0) return -1;
  return (size_t)got == object->length && memcmp(chunk(1), data, object->length) == 0;
}

bool content_pour(struct store *store, const struct object *object, int to) {
  int pack = content_pack(store, object->pack);
  if (pack < 0) return false;
  for (uint64_t pos = 0; pos < object->length;) {
    size_t wanted = object->length - pos < CHUNK ? (size_t)(object->length - pos) : CHUNK;
    ssize_t got = pull(pack, chunk(0), wanted, object->offset + pos);
    if (got >= 0 && (size_t)got < wanted) errno = EILSEQ;
    if (got < 0 || (size_t)got < wanted || !write_all(to, chunk(0), wanted)) return false;
    pos += wanted;
  }
  return true;
}

uint64_t content_space(struct store *store, const struct object *object) {
  char name[16];
  struct stat stat;
  pack_name(object->pack, name);
  if (object->length >= OWN_PACK_FROM && fstatat(store->packs, name, &stat, AT_SYMLINK_NOFOLLOW) == 0) return (uint64_t)stat.st_blocks * 512;
  return (object->length + PACK_BLOCK - 1) / PACK_BLOCK * PACK_BLOCK;
}

int content_equal(struct store *store, const struct object *left, const struct object *right) {
  if (left->length != right->length || (left->sum && right->sum && left->sum != right->sum)) return 0;
  for (uint64_t pos = 0; pos < left->length;) {
    size_t wanted = left->length - pos < CHUNK ? (size_t)(left->length - pos) : CHUNK;
    int a = content_pack(store, left->pack);
    ssize_t got = a < 0 ? -1 : pull(a, chunk(0), wanted, left->offset + pos);
    int b = got < 0 ? -1 : content_pack(store, right->pack);
    ssize_t too = b < 0 ? -1 : pull(b, chunk(1), wanted, right->offset + pos);
    if (too < 0) return -1;
    if (got != too || memcmp(chunk(0), chunk(1), (size_t)got) != 0) return 0;
    pos += wanted;
  }
  return 1;
}
