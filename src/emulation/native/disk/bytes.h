/* A growing run of bytes, and the numbers of varying length that files are made of. Out of memory ends the process. */
#ifndef DISK_BYTES_H
#define DISK_BYTES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
  char *data;
  size_t used, room;
};

void *must(void *memory);
/* realloc for `count` things of `size`, at least doubling; sets *room. */
void *grown(void *memory, size_t count, size_t size, uint32_t *room);
/* Room for `more` bytes at the end, which the caller fills and counts. */
char *bytes_room(struct bytes *bytes, size_t more);
void bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_text(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_free(struct bytes *bytes);

void put_number(struct bytes *bytes, uint64_t value);
void put_signed(struct bytes *bytes, int64_t value);
void put_string(struct bytes *bytes, const char *text);

/* Reads what was put. Past the end, or where a number is none: `bad` is set and zeros come. */
struct reader {
  const unsigned char *at, *end;
  bool bad;
};
uint64_t get_number(struct reader *reader);
int64_t get_signed(struct reader *reader);
const char *get_bytes(struct reader *reader, size_t length);
/* A new NUL-terminated string. */
char *get_string(struct reader *reader);

uint64_t hash_bytes(const void *data, size_t length, uint64_t seed);
static inline uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 32)) * 0x9E3779B97F4A7C15ull;
  return value ^ (value >> 29);
}

#endif
