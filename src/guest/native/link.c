/* A buffered connection that carries records. */
#include "amux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void link_open(struct link *link, int fd) {
  link->fd = fd;
  link->in_start = link->in_length = link->out_start = link->out_length = 0;
}

void link_close(struct link *link) {
  if (link->fd >= 0) close(link->fd);
  link_open(link, -1);
}

/* Makes room behind what is there for at least one generous read. */
static void make_room(struct link *link) {
  if (link->in_length == 0) link->in_start = 0;
  if (link->in_size - link->in_start - link->in_length >= 65536) return;
  if (link->in_start > 0) memmove(link->in, link->in + link->in_start, link->in_length);
  link->in_start = 0;
  if (link->in_size - link->in_length >= 65536) return;
  link->in_size = link->in_size * 2 + 65536;
  link->in = grow(link->in, link->in_size);
}

int link_fill(struct link *link) {
  make_room(link);
  size_t used = link->in_start + link->in_length;
  ssize_t n = read(link->fd, link->in + used, link->in_size - used);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (n <= 0) return -1;
  link->in_length += (size_t)n;
  return 0;
}

int link_next(struct link *link, struct record *record) {
  if (link->in_length < WIRE_HEADER) return 0;
  const uint8_t *at = link->in + link->in_start;
  record->tag = at[0];
  record->length = get32(at + 1);
  record->data = at + WIRE_HEADER;
  if (record->length > WIRE_MAX) return -1;
  return link->in_length >= WIRE_HEADER + (size_t)record->length;
}

char *record_text(const struct record *record) {
  char *copy = grow(NULL, (size_t)record->length + 1);
  memcpy(copy, record->data, record->length);
  copy[record->length] = 0;
  return copy;
}

void link_consume(struct link *link, const struct record *record) {
  size_t used = WIRE_HEADER + (size_t)record->length;
  link->in_start += used;
  link->in_length -= used;
}

static void out_add(struct link *link, const void *data, size_t length) {
  if (length == 0) return;
  memcpy(link->out + link->out_start + link->out_length, data, length);
  link->out_length += length;
}

void link_put(struct link *link, uint8_t tag, const void *head, size_t head_length, const void *data, size_t length) {
  if (link->fd < 0) return;
  size_t need = WIRE_HEADER + head_length + length;
  if (link->out_start > 0 && link->out_start + link->out_length + need > link->out_size) {
    memmove(link->out, link->out + link->out_start, link->out_length);
    link->out_start = 0;
  }
  if (link->out_length + need > link->out_size) {
    link->out_size = link->out_length + need + 4096;
    link->out = grow(link->out, link->out_size);
  }
  uint8_t header[WIRE_HEADER] = {tag};
  put32(header + 1, (uint32_t)(head_length + length));
  out_add(link, header, WIRE_HEADER);
  out_add(link, head, head_length);
  out_add(link, data, length);
}

void link_flush(struct link *link) {
  while (link->fd >= 0 && link->out_length > 0) {
    ssize_t n = write(link->fd, link->out + link->out_start, link->out_length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      link->out_length = 0; /* the end is seen by reading */
      return;
    }
    link->out_start += (size_t)n;
    link->out_length -= (size_t)n;
  }
  link->out_start = 0;
}
