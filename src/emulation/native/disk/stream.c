#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "pack.h"

enum { PIECE = 1 << 16 };

static bool all_zero(const char *data, size_t length) {
  return length > 0 && data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

static bool stream_large(struct packer *packer, uint64_t length, bool (*read)(char *, size_t), struct object *object) {
  uint32_t pack;
  /* The gathering buffer is aligned, and is free once it is written. */
  if (!packer_flush(packer)) return false;
  int to = packer_begin(packer, &pack);
  bool done = to >= 0;
  for (uint64_t at = 0; done && at < length;) {
    size_t wanted = length - at < GATHER ? (size_t)(length - at) : GATHER, whole = (wanted + PACK_BLOCK - 1) / PACK_BLOCK * PACK_BLOCK;
    done = read(packer->buffer, wanted);
    memset(packer->buffer + wanted, 0, whole - wanted);
    for (size_t i = 0; done && i < whole;) {
      size_t end = i;
      bool zero = all_zero(packer->buffer + i, whole - i < PIECE ? whole - i : PIECE);
      while (end < whole && all_zero(packer->buffer + end, whole - end < PIECE ? whole - end : PIECE) == zero) end += whole - end < PIECE ? whole - end : PIECE;
      done = zero || write_at(to, packer->buffer + i, end - i, at + i);
      i = end;
    }
    at += wanted;
  }
  done = done && ftruncate(to, (off_t)length) == 0;
  *object = (struct object){.pack = pack, .length = length};
  int error = errno;
  if (to >= 0) close(to);
  errno = error;
  return done;
}

bool packer_stream(struct packer *packer, uint64_t length, bool (*read)(char *, size_t), struct object *object) {
  if (length >= OWN_PACK_FROM) return stream_large(packer, length, read, object);
  return read(packer->buffer + packer->gathered, length) && packer_commit(packer, length, object);
}
