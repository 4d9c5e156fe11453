#define _GNU_SOURCE
#include "bytes.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/text.h"

void *must(void *memory) {
  if (memory) return memory;
  /* What is half done is found and finished by recover, as after a kill. */
  say(1, "error\t%d\tmemory\t\tout of memory\n", ENOMEM);
  _exit(1);
}

void *grown(void *memory, size_t count, size_t size, uint32_t *room) {
  if (count <= *room) return memory;
  size_t wanted = *room < 16 ? 16 : (size_t)*room * 2;
  if (wanted < count) wanted = count;
  if (wanted > UINT32_MAX) must(NULL);
  *room = (uint32_t)wanted;
  return must(realloc(memory, wanted * size));
}

char *bytes_room(struct bytes *bytes, size_t more) {
  if (bytes->used + more > bytes->room) {
    size_t room = bytes->room < 256 ? 256 : bytes->room * 2;
    while (room < bytes->used + more) room *= 2;
    bytes->data = must(realloc(bytes->data, room));
    bytes->room = room;
  }
  return bytes->data + bytes->used;
}

void bytes_add(struct bytes *bytes, const void *data, size_t length) {
  if (length == 0) return;
  memcpy(bytes_room(bytes, length), data, length);
  bytes->used += length;
}

void bytes_text(struct bytes *bytes, const char *format, ...) {
  va_list list, again;
  va_start(list, format);
  va_copy(again, list);
  int length = vsnprintf(NULL, 0, format, list);
  va_end(list);
  if (length < 0) must(NULL);
  vsnprintf(bytes_room(bytes, (size_t)length + 1), (size_t)length + 1, format, again);
  va_end(again);
  bytes->used += (size_t)length;
}

void bytes_free(struct bytes *bytes) {
  free(bytes->data);
  *bytes = (struct bytes){0};
}

void put_number(struct bytes *bytes, uint64_t value) {
  char *to = bytes_room(bytes, 10);
  size_t length = 0;
  for (; value >= 128; value >>= 7) to[length++] = (char)(value | 128);
  to[length++] = (char)value;
  bytes->used += length;
}

void put_signed(struct bytes *bytes, int64_t value) {
  put_number(bytes, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

void put_string(struct bytes *bytes, const char *text) {
  put_number(bytes, strlen(text));
  bytes_add(bytes, text, strlen(text));
}

uint64_t get_number(struct reader *reader) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (reader->at == reader->end) break;
    unsigned char byte = *reader->at++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  reader->bad = true;
  return 0;
}

int64_t get_signed(struct reader *reader) {
  uint64_t value = get_number(reader);
  return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

const char *get_bytes(struct reader *reader, size_t length) {
  if (length > (size_t)(reader->end - reader->at)) {
    reader->bad = true;
    return "";
  }
  const char *data = (const char *)reader->at;
  reader->at += length;
  return data;
}

char *get_string(struct reader *reader) {
  size_t length = get_number(reader);
  const char *data = get_bytes(reader, length);
  if (reader->bad) length = 0;
  char *text = must(malloc(length + 1));
  memcpy(text, data, length);
  text[length] = 0;
  return text;
}
