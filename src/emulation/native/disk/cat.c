#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "bytes.h"
#include "layer.h"
#include "pack.h"
#include "tool.h"

static bool wrong(int number, const char *path) {
  return fail_as(number, "path", path, number == EINVAL ? "it is no file" : NULL);
}

/* From what lies below a layer, which no checkpoint changes. */
static bool pour_base(const struct request_tree *tree, const char *rest, const char *path) {
  int base = tree && tree->base ? open(tree->base, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  int fd = base < 0 ? -1 : open_beneath(base, rest, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat stat;
  if (base < 0) return wrong(ENOENT, path);
  close(base);
  if (fd < 0) return wrong(errno == ELOOP || errno == ENXIO ? EINVAL : errno, path);
  if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) return wrong(S_ISDIR(stat.st_mode) ? EISDIR : EINVAL, path);
  static char buffer[1 << 18];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got == 0) return true;
    if (got < 0) return fail("read", path);
    if (!write_all(1, buffer, (size_t)got)) return fail("output", "");
  }
}

bool cat_command(const struct options *options) {
  struct store store;
  struct request request;
  struct index index;
  const char *path = options->words[1], *rest;
  if (path[0] != '/') return wrong(EINVAL, path);
  if (!read_request(&request) || !open_for_reading(&store, options) || !point_load(&store, options->words[0], WHOLE, &index)) return false;
  const struct tree *tree = tree_at(&index, path, &rest);
  if (!tree) return wrong(ENOENT, path);
  uint32_t at = tree->root;
  bool below = tree->flags & TREE_LAYER;
  struct bytes base = {0};
  for (const char *part = rest; *part;) {
    char name[256];
    size_t length = strcspn(part, "/");
    if (length == 0 || length >= sizeof name) return wrong(length ? ENAMETOOLONG : EINVAL, path);
    memcpy(name, part, length);
    name[length] = 0;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return wrong(EINVAL, path);
    if (!is_directory(&index.entries[at])) return wrong(ENOTDIR, path);
    below = below && !is_opaque(&index, at);
    at = find_child(&index, at, name);
    if (at == NONE) {
      bytes_text(&base, "/%s", part);
      return below ? pour_base(wanted_tree(&request, tree->name), base.data + 1, path) : wrong(ENOENT, path);
    }
    step_below(&base, &index, at);
    part += length + (part[length] == '/');
  }
  const struct entry *entry = &index.entries[at];
  if (tree->flags & TREE_LAYER && is_whiteout(entry)) return wrong(ENOENT, path);
  if (is_directory(entry)) return wrong(EISDIR, path);
  if (!S_ISREG(entry->mode)) return wrong(EINVAL, path);
  const struct object *object = object_of(&index, entry);
  if (entry->flags & IS_FOREIGN) return wrong(ENOENT, path);
  if (below && is_metacopy(&index, at)) {
    bytes_add(&base, "", 1);
    return pour_base(wanted_tree(&request, tree->name), base.data + 1, path);
  }
  return !object || content_pour(&store, object, 1) || fail(errno == EPIPE ? "output" : "corrupt", path);
}
