/* The order of the archive is that of the index, so that every entry's directory is known when it comes, and nothing twice. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "import.h"

static bool read_first(struct importing *on) {
  char json[TAR_BLOCK], key[32];
  if (!untar_next(&on->entry)) return false;
  if (strcmp(on->entry.path, TAR_FIRST) != 0 || on->entry.type != '0' || on->entry.size > LARGEST_EXTENSION) return untar_bad(TAR_FIRST);
  for (uint64_t left = on->entry.size; left > 0;) {
    size_t take = left < sizeof json ? (size_t)left : sizeof json;
    if (!untar_read(json, take)) return false;
    left -= take;
  }
  if (!untar_end_content(on->entry.size)) return false;
  for (uint32_t i = 0;; i++) {
    snprintf(key, sizeof key, TAR_TREE ".%" PRIu32, i);
    const char *line = untar_record(&on->entry, key);
    if (!line) return (on->trees_left = i) > 0 || untar_bad(TAR_FIRST);
    bytes_add(&on->wanted_trees, line, strlen(line) + 1);
  }
}

static void enter(struct importing *on, uint32_t directory) {
  struct tree place = on->index.trees[on->index.tree_count - 1];
  on->current = directory;
  place.at = on->prefix.data;
  path_of(&on->index, &place, directory, &on->current_path);
  bytes_add(&on->current_path, "/", 2);
  on->current_path.used--;
  on->index.entries[directory].first = on->index.count;
}

static void leave(struct importing *on) {
  const struct entry *directory = &on->index.entries[on->current];
  for (uint32_t i = directory->first + directory->count; i-- > directory->first;) {
    if (!is_directory(&on->index.entries[i])) continue;
    on->stack = grown(on->stack, on->depth + 1, sizeof *on->stack, &on->room);
    on->stack[on->depth++] = i;
  }
}

/* Leads to the directory that is to hold this path; *name is the rest of it. */
static bool find_place(struct importing *on, const char *path, char name[256]) {
  size_t length = strlen(path), directory;
  if (length > 0 && path[length - 1] == '/' && on->entry.type == '5') length--;
  for (directory = length; directory > 0 && path[directory - 1] != '/'; directory--) continue;
  if (directory == 0 || length - directory == 0 || length - directory > 255) return untar_bad(path);
  memcpy(name, path + directory, length - directory);
  name[length - directory] = 0;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return untar_bad(path);
  for (;;) {
    if (on->current_path.used == directory && memcmp(on->current_path.data, path, directory) == 0) return true;
    leave(on);
    if (on->depth == 0) return untar_bad(path);
    enter(on, on->stack[--on->depth]);
  }
}

static int by_name(const void *left, const void *right) {
  return strcmp(((const struct tar_xattr *)left)->name, ((const struct tar_xattr *)right)->name);
}

static bool take_attributes(struct importing *on, uint32_t self) {
  struct tar_entry *from = &on->entry;
  struct entry *entry = &on->index.entries[self];
  struct bytes all = {0};
  entry->uid = from->uid;
  entry->gid = from->gid;
  entry->mtime = from->mtime;
  entry->mtime_nanos = from->mtime_nanos;
  entry->flags = from->flags;
  qsort(from->xattrs, from->xattr_count, sizeof *from->xattrs, by_name);
  for (uint32_t i = 0; i < from->xattr_count; i++) {
    const struct tar_xattr *xattr = &from->xattrs[i];
    if (i > 0 && strcmp(from->xattrs[i - 1].name, xattr->name) == 0) return untar_bad(from->path);
    uint32_t length = (uint32_t)xattr->length;
    bytes_add(&all, xattr->name, strlen(xattr->name) + 1);
    bytes_add(&all, &length, sizeof length);
    bytes_add(&all, xattr->value, length);
  }
  if (all.used) entry->xattrs = index_intern(&on->index, all.data, all.used) + 1;
  bytes_free(&all);
  return true;
}

static bool take_hard_link(struct importing *on, uint32_t self, const char *link) {
  const struct tree *tree = &on->index.trees[on->index.tree_count - 1];
  if (!link || !is_below(link, &on->prefix)) return untar_bad(link ? link : "");
  uint32_t at = tree->root;
  char name[256];
  for (const char *part = link + strlen(on->prefix.data) + 1; at != NONE && *part;) {
    size_t size = strcspn(part, "/");
    if (size == 0 || size > 255) return untar_bad(link);
    memcpy(name, part, size);
    name[size] = 0;
    at = find_child(&on->index, at, name);
    part += size + (part[size] == '/');
  }
  if (at == NONE || at == self || is_directory(&on->index.entries[at]) || on->index.entries[at].link) return untar_bad(link);
  struct entry *entry = &on->index.entries[self], own_entry = *entry;
  *entry = on->index.entries[at];
  entry->name = own_entry.name;
  entry->parent = own_entry.parent;
  entry->link = at + 1;
  return true;
}

static bool take_file(struct importing *on, uint32_t self) {
  struct object object;
  struct entry *entry = &on->index.entries[self];
  entry->size = on->entry.size;
  if (entry->size == 0) return true;
  if (entry->size > on->most - on->bytes) return fail_as(EFBIG, "import", on->entry.path, "it holds more than it says");
  if (!packer_stream(&on->packer, entry->size, untar_read, &object)) return has_failed() ? false : fail("content", on->store.path);
  entry->object = index_add_object(&on->index, &object);
  on->index.size += entry->size;
  on->bytes += entry->size;
  return untar_end_content(entry->size);
}

static bool take_kind(struct importing *on, uint32_t self) {
  const struct tar_entry *from = &on->entry;
  struct entry *entry = &on->index.entries[self];
  bool layer = on->index.trees[on->index.tree_count - 1].flags & TREE_LAYER;
  static const struct {
    char type;
    mode_t kind;
  } kinds[] = {{'0', S_IFREG}, {'2', S_IFLNK}, {'3', S_IFCHR}, {'4', S_IFBLK}, {'5', S_IFDIR}, {'6', S_IFIFO}};
  if (from->type != '0' && from->size != 0) return untar_bad(from->path);
  if (from->type == '1') return take_hard_link(on, self, from->link);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].type == from->type) entry->mode = kinds[i].kind | from->mode;
  if (!entry->mode || (from->socket && from->type != '6')) return untar_bad(from->path);
  if (from->socket) entry->mode = S_IFSOCK | from->mode;
  if (from->type == '3' || from->type == '4') {
    entry->device = from->major << 20 | from->minor;
    if (!layer && !is_whiteout(entry)) return untar_bad(from->path);
  }
  if (from->type == '2') {
    if (!from->link || !*from->link || strlen(from->link) > 4095) return untar_bad(from->path);
    entry->target = index_intern(&on->index, from->link, strlen(from->link));
  }
  return from->type != '0' || take_file(on, self);
}

static bool import_entry(struct importing *on) {
  const char *path = on->entry.path;
  char name[256] = "";
  bool root = false;
  if (!is_wanted(on, path, &root)) return !has_failed() && pass_over(on);
  if (!root && !find_place(on, path, name)) return false;
  if (!rules_apply(&on->rules, on->rule, on->from_layer, root, &on->entry)) return false;
  struct index *index = &on->index;
  uint32_t parent = root ? index->count : on->current, before = index->count - 1;
  if (!root && index->entries[parent].count > 0 && strcmp(name_of(index, before), name) >= 0) return untar_bad(path);
  uint32_t self = index_add(index, name, strlen(name), parent);
  index->entries[self].mode = 0;
  if (!take_attributes(on, self) || !take_kind(on, self)) return false;
  if (!root) index->entries[parent].count++;
  else enter(on, self);
  index->trees[index->tree_count - 1].end = index->count;
  on->entries++;
  return true;
}

static bool check_end(struct importing *on, uint64_t sum) {
  char text[128], wanted[128];
  if (on->index.tree_count == 0) return fail_as(ENOENT, "import", "", "nothing that could be taken is in it");
  if (on->trees_left > 0 || on->entry.size >= sizeof text || on->entry.type != '0') return untar_bad(TAR_LAST);
  if (!untar_read(text, on->entry.size) || !untar_end_content(on->entry.size)) return false;
  text[on->entry.size] = 0;
  snprintf(wanted, sizeof wanted, "entries %" PRIu64 "\nsum %016" PRIx64 "\n", on->entries, sum);
  untar_drain();
  return strcmp(text, wanted) == 0 || fail_as(EILSEQ, "import", TAR_LAST, "it was damaged or changed on the way");
}

static bool import_all(struct importing *on) {
  if (!read_first(on)) return false;
  stamp(&on->index);
  for (;;) {
    uint64_t sum = untar_sum();
    if (!untar_next(&on->entry)) return false;
    if (strcmp(on->entry.path, TAR_LAST) == 0) return check_end(on, sum);
    if (!import_entry(on)) return false;
  }
}

bool import_command(const struct options *options) {
  static struct importing on;
  if (!valid_meta(options->words[0])) return fail_as(EINVAL, "meta", "", "it must be one line");
  on.most = options->most ? options->most - 1 : UINT64_MAX;
  if (!rules_read(&on.rules, options) || !open_for_change(&on.store, options, true) || !packer_open(&on.packer, &on.store)) return false;
  if (import_all(&on) && publish(&on.store, "v", options->words[0], &on.index, &on.packer))
    return print_made(on.index.id, on.index.time, on.index.count, on.index.size, on.bytes);
  packer_abandon(&on.packer);
  return false;
}
