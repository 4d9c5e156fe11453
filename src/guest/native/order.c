/*
 * In which order two streams were written: at every change from one to the other, both ends so far as two big-endian
 * u64. Between two such points exactly one stream grew.
 */
#include "amux.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ENTRY 16
#define LARGEST (1 << 20)

/* Keeps the newer half. */
static void halve(struct order *order, const char *path) {
  static uint8_t half[LARGEST / 2];
  char fresh[4210];
  snprintf(fresh, sizeof fresh, "%s.new", path);
  ssize_t n = pread(order->fd, half, sizeof half, order->size - (off_t)sizeof half);
  int fd = n < 0 ? -1 : open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (write_all(fd, half, (size_t)n) < 0 || rename(fresh, path) < 0) {
    close(fd);
    unlink(fresh);
    return;
  }
  close(order->fd);
  order->fd = fd;
  order->size = n;
}

void order_note(struct order *order, int stream, uint64_t out_end, uint64_t err_end) {
  if (order->last == stream) return;
  int first = order->last == 0;
  order->last = stream;
  if (first && stream == 1) return; /* readers begin with stdout */
  char path[4200];
  snprintf(path, sizeof path, "%s/order", order->dir);
  if (order->fd < 0) order->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (order->fd < 0) return;
  if (order->size >= LARGEST) halve(order, path);
  uint8_t entry[ENTRY];
  put64(entry, out_end);
  put64(entry + 8, err_end);
  ssize_t n = pwrite(order->fd, entry, ENTRY, order->size);
  if (n == ENTRY) order->size += ENTRY; /* half an entry is overwritten by the next */
}
