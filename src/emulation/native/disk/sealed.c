/* A first line with name and version, the text, a last line with the checksum of all before. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "fault.h"
#include "store.h"

bool sealed_write(struct store *store, const char *name, const char *text) {
  struct bytes out = {0};
  char new_name[64];
  snprintf(new_name, sizeof new_name, ".new-%s", name);
  bytes_text(&out, "amux-disk %s 1\n%s", name, text);
  bytes_text(&out, "sum %016" PRIx64 "\n", hash_bytes(out.data, out.used, 0));
  int fd = openat(store->root, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool done = fd >= 0 && write_all(fd, out.data, out.used) && fsync(fd) == 0 && step(name) && renameat(store->root, new_name, store->root, name) == 0 && sync_dir(store->root) == 0;
  int error = errno;
  if (fd >= 0) close(fd);
  if (!done) unlinkat(store->root, new_name, 0);
  bytes_free(&out);
  errno = error;
  return done || fail(name, store->path);
}

static bool unseal(char *text, size_t length, const char *name, int *error) {
  char head[80];
  snprintf(head, sizeof head, "amux-disk %s ", name);
  *error = EILSEQ;
  if (length < strlen(head) + 24 || strlen(text) != length || strncmp(text, head, strlen(head)) != 0) return false;
  char *tail = text + length - 21, *first = strchr(text, '\n');
  if (strncmp(tail, "sum ", 4) != 0 || strtoull(tail + 4, NULL, 16) != hash_bytes(text, length - 21, 0)) return false;
  *error = ENOTSUP;
  if (strncmp(text + strlen(head), "1\n", 2) != 0) return false;
  *tail = 0;
  memmove(text, first + 1, strlen(first + 1) + 1);
  return true;
}

char *sealed_read(struct store *store, const char *name) {
  int fd = openat(store->root, name, O_RDONLY | O_CLOEXEC), error;
  if (fd < 0) {
    if (errno != ENOENT) fail(name, store->path);
    return NULL;
  }
  size_t length;
  char *text = read_all(fd, &length);
  if (!text) fail(name, store->path);
  close(fd);
  if (!text || unseal(text, length, name, &error)) return text;
  free(text);
  fail_as(error, "corrupt", name, error == ENOTSUP ? "it was written by a newer amux" : NULL);
  errno = error;
  return NULL;
}

bool numbers_read(struct store *store, struct numbers *numbers) {
  *numbers = (struct numbers){0};
  char *text = sealed_read(store, "next");
  if (!text) return !has_failed();
  int count = sscanf(text, "v %" SCNu64 "\nauto %" SCNu64 "\npack %" SCNu64 "\nserial %" SCNu64, &numbers->v, &numbers->automatic, &numbers->pack, &numbers->serial);
  free(text);
  return count == 4 || fail_as(EILSEQ, "corrupt", "next", NULL);
}

bool numbers_write(struct store *store, const struct numbers *numbers) {
  char text[160];
  snprintf(text, sizeof text, "v %" PRIu64 "\nauto %" PRIu64 "\npack %" PRIu64 "\nserial %" PRIu64 "\n", numbers->v, numbers->automatic, numbers->pack, numbers->serial);
  return sealed_write(store, "next", text);
}
