#define _GNU_SOURCE
#include "layer.h"
#include <string.h>
#include <sys/stat.h>
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

static bool find_redirect(void *context, const char *name, const char *value, size_t length) {
  struct bytes *to = context;
  if (strcmp(name, "trusted.overlay.redirect") == 0) bytes_add(to, value, length);
  return true;
}

static bool find_metacopy(void *context, const char *name, const char *value, size_t length) {
  (void)value, (void)length;
  if (strcmp(name, "trusted.overlay.metacopy") == 0) *(bool *)context = true;
  return true;
}

bool is_metacopy(const struct index *index, uint32_t entry) {
  bool found = false;
  if (S_ISREG(index->entries[entry].mode)) each_xattr(index, index->entries[entry].xattrs, find_metacopy, &found);
  return found;
}

bool is_redirected(const struct index *index, uint32_t entry) {
  struct bytes to = {0};
  each_xattr(index, index->entries[entry].xattrs, find_redirect, &to);
  bool found = to.used > 0;
  bytes_free(&to);
  return found;
}

void step_below(struct bytes *path, const struct index *index, uint32_t entry) {
  struct bytes to = {0};
  each_xattr(index, index->entries[entry].xattrs, find_redirect, &to);
  if (to.used > 0 && *to.data == '/') path->used = 0;
  else bytes_add(path, "/", 1);
  if (to.used > 0) bytes_add(path, to.data, to.used);
  else bytes_add(path, name_of(index, entry), strlen(name_of(index, entry)));
  bytes_free(&to);
}
