/* XXH64, the checksum of everything kept here: it finds truncation and damage, not forgery. */
#include "bytes.h"
#include <string.h>

#define P1 0x9E3779B185EBCA87ull
#define P2 0xC2B2AE3D27D4EB4Full
#define P3 0x165667B19E3779F9ull
#define P4 0x85EBCA77C2B2AE63ull
#define P5 0x27D4EB2F165667C5ull

static inline uint64_t turn(uint64_t value, int by) {
  return value << by | value >> (64 - by);
}

static inline uint64_t load64(const unsigned char *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return value;
}

static inline uint32_t load32(const unsigned char *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

static inline uint64_t round64(uint64_t sum, uint64_t value) {
  return turn(sum + value * P2, 31) * P1;
}

static inline uint64_t merge(uint64_t sum, uint64_t value) {
  return (sum ^ round64(0, value)) * P1 + P4;
}

uint64_t hash_bytes(const void *data, size_t length, uint64_t seed) {
  const unsigned char *at = data, *end = at + length;
  uint64_t sum = seed + P5;
  if (length >= 32) {
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (; end - at >= 32; at += 32) {
      a = round64(a, load64(at));
      b = round64(b, load64(at + 8));
      c = round64(c, load64(at + 16));
      d = round64(d, load64(at + 24));
    }
    sum = merge(merge(merge(merge(turn(a, 1) + turn(b, 7) + turn(c, 12) + turn(d, 18), a), b), c), d);
  }
  sum += length;
  for (; end - at >= 8; at += 8) sum = turn(sum ^ round64(0, load64(at)), 27) * P1 + P4;
  if (end - at >= 4) {
    sum = turn(sum ^ load32(at) * P1, 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) sum = turn(sum ^ *at * P5, 11) * P1;
  sum = (sum ^ sum >> 33) * P2;
  sum = (sum ^ sum >> 29) * P3;
  return sum ^ sum >> 32;
}
