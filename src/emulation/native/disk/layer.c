#define _GNU_SOURCE
#include "layer.h"
#include <string.h>
#include "attrs.h"

static bool look(void *context, const char *name, const char *value, size_t length) {
  if (strcmp(name, "trusted.overlay.opaque") == 0 && length == 1 && *value == 'y') *(bool *)context = true;
  return true;
}

static bool collect(void *context, const char *name, const char *value, size_t length) {
  if (strncmp(name, "trusted.overlay.", 16) == 0) return true;
  uint32_t head = (uint32_t)length;
  bytes_add(context, name, strlen(name) + 1);
  bytes_add(context, &head, sizeof head);
  bytes_add(context, value, length);
  return true;
}

bool same_but_for_layer(const struct index *a, uint32_t left, const struct index *b, uint32_t right) {
  struct bytes x = {0}, y = {0};
  each_xattr(a, left, collect, &x);
  each_xattr(b, right, collect, &y);
  bool same = x.used == y.used && (x.used == 0 || memcmp(x.data, y.data, x.used) == 0);
  bytes_free(&x);
  bytes_free(&y);
  return same;
}

bool is_opaque(const struct index *index, uint32_t entry) {
  bool opaque = false;
  if (is_directory(&index->entries[entry])) each_xattr(index, index->entries[entry].xattrs, look, &opaque);
  return opaque;
}
