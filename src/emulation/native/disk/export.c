#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "attrs.h"
#include "layer.h"
#include "pack.h"
#include "tar.h"
#include "tool.h"

struct exporting {
  struct store store;
  struct index index;
  const struct tree *tree;
  struct bytes pax, path;
  uint64_t sum, entries;
  /* One JSON text, or NULL. */
  const char *origin;
  bool portable;
};

static bool emit(struct exporting *on, const void *data, size_t length) {
  static char block[TAR_BLOCK];
  size_t whole = length / TAR_BLOCK * TAR_BLOCK;
  on->sum = tar_sum(on->sum, data, whole);
  if (!write_all(1, data, whole)) return fail("output", "");
  if (whole == length) return true;
  memset(block, 0, sizeof block);
  memcpy(block, (const char *)data + whole, length - whole);
  on->sum = tar_sum(on->sum, block, sizeof block);
  return write_all(1, block, sizeof block) || fail("output", "");
}

/* `length key=value\n`, where the length counts its own digits. */
static void record(struct bytes *pax, const char *key, const void *value, size_t length) {
  size_t rest = strlen(key) + length + 3, total = rest + 1;
  char digits[24];
  while (total != rest + (size_t)snprintf(digits, sizeof digits, "%zu", total)) total = rest + strlen(digits);
  bytes_text(pax, "%zu %s=", total, key);
  bytes_add(pax, value, length);
  bytes_add(pax, "\n", 1);
}

static void text_record(struct bytes *pax, const char *key, const char *value) {
  record(pax, key, value, strlen(value));
}

static void octal(char *field, size_t room, uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%0*" PRIo64, (int)room - 1, value);
  bool fits = strlen(text) < room;
  memcpy(field, fits ? text : "777777777777", room - 1);
}

/* One header with its extension before it. */
static bool header(struct exporting *on, const char *name, char type, uint64_t size, const struct entry *entry, const char *link) {
  struct tar_header head;
  for (int pass = on->pax.used > 0 ? 0 : 1; pass < 2; pass++) {
    memset(&head, 0, sizeof head);
    snprintf(head.name, sizeof head.name, "%s", pass == 0 ? "pax" : name);
    octal(head.mode, sizeof head.mode, pass == 1 && entry ? entry->mode & 07777 : 0600);
    octal(head.uid, sizeof head.uid, pass == 1 && entry ? entry->uid : 0);
    octal(head.gid, sizeof head.gid, pass == 1 && entry ? entry->gid : 0);
    octal(head.size, sizeof head.size, pass == 0 ? on->pax.used : size);
    octal(head.mtime, sizeof head.mtime, pass == 1 && entry && entry->mtime > 0 ? (uint64_t)entry->mtime : 0);
    head.type = pass == 0 ? 'x' : type;
    if (pass == 1 && link) memcpy(head.link, link, strnlen(link, sizeof head.link));
    memcpy(head.magic, "ustar\00000", 8);
    if (pass == 1 && entry && (type == '3' || type == '4')) {
      octal(head.major, sizeof head.major, entry->device >> 20);
      octal(head.minor, sizeof head.minor, entry->device & 0xfffff);
    }
    memset(head.sum, ' ', sizeof head.sum);
    unsigned total = 0;
    for (size_t i = 0; i < sizeof head; i++) total += ((unsigned char *)&head)[i];
    snprintf(head.sum, sizeof head.sum, "%06o", total);
    if (!emit(on, &head, sizeof head)) return false;
    if (pass == 0 && !emit(on, on->pax.data, on->pax.used)) return false;
  }
  on->pax.used = 0;
  return true;
}

static bool add_xattr(void *context, const char *name, const char *value, size_t length) {
  struct exporting *on = context;
  if (!is_portable_xattr(name) || (on->portable && !(on->tree->flags & TREE_LAYER) && strcmp(name, "security.capability") == 0)) return true;
  char key[300];
  snprintf(key, sizeof key, TAR_XATTR "%s", name);
  record(&on->pax, key, value, length);
  return true;
}

static void archive_path(struct exporting *on, uint32_t entry, struct bytes *path) {
  struct tree place = *on->tree;
  struct bytes at = {0};
  bytes_text(&at, TAR_TREES "%s", place.name);
  place.at = at.data;
  path_of(&on->index, &place, entry, path);
  if (is_directory(&on->index.entries[entry])) bytes_add(path, "/", 2);
  bytes_free(&at);
}

static char type_of(const struct entry *entry) {
  if (is_directory(entry)) return '5';
  if (entry->link) return '1';
  switch (entry->mode & S_IFMT) {
    case S_IFREG: return '0';
    case S_IFLNK: return '2';
    case S_IFCHR: return '3';
    case S_IFBLK: return '4';
    default: return '6';
  }
}

static bool pour(struct exporting *on, const struct object *object) {
  static char buffer[1 << 18];
  int pack = content_pack(&on->store, object->pack);
  for (uint64_t at = 0; at < object->length;) {
    size_t wanted = object->length - at < sizeof buffer ? (size_t)(object->length - at) : sizeof buffer;
    ssize_t got = pack < 0 ? -1 : pread(pack, buffer, wanted, (off_t)(object->offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got != (ssize_t)wanted) return fail_as(got < 0 ? errno : EILSEQ, "corrupt", on->path.data, NULL);
    if (!emit(on, buffer, wanted)) return false;
    at += wanted;
  }
  return true;
}

static bool is_device(const struct entry *entry) {
  return S_ISBLK(entry->mode) || (S_ISCHR(entry->mode) && !is_whiteout(entry));
}

static bool export_entry(struct exporting *on, uint32_t i) {
  struct entry changed = on->index.entries[i];
  const struct entry *entry = &changed;
  if (entry->flags & IS_FOREIGN && !is_directory(entry)) return true;
  if (on->portable && is_device(entry)) return true;
  /* Outside a system nobody's power is carried along: import would refuse it. */
  if (on->portable && !(on->tree->flags & TREE_LAYER) && !is_directory(entry)) changed.mode &= ~06000u;
  struct bytes link = {0};
  size_t length;
  char type = type_of(entry), text[64];
  archive_path(on, i, &on->path);
  if (on->tree->flags & TREE_LAYER && (is_redirected(&on->index, i) || is_metacopy(&on->index, i))) return fail_as(EOPNOTSUPP, "export", on->path.data, NULL);
  if (type == '1') archive_path(on, entry->link - 1, &link);
  if (type == '2') bytes_text(&link, "%s", index_blob(&on->index, entry->target, &length));
  bool file = type == '0';
  text_record(&on->pax, "path", on->path.data);
  if (link.used) text_record(&on->pax, "linkpath", link.data);
  snprintf(text, sizeof text, "%" PRId64 ".%09" PRIu32, entry->mtime, entry->mtime_nanos);
  text_record(&on->pax, "mtime", text);
  if (entry->uid > 07777777 || entry->gid > 07777777) {
    text_record(&on->pax, "uid", (snprintf(text, sizeof text, "%" PRIu32, entry->uid), text));
    text_record(&on->pax, "gid", (snprintf(text, sizeof text, "%" PRIu32, entry->gid), text));
  }
  if (file && entry->size >= 1ull << 33) text_record(&on->pax, "size", (snprintf(text, sizeof text, "%" PRIu64, entry->size), text));
  if (S_ISSOCK(entry->mode)) text_record(&on->pax, TAR_KIND, "socket");
  if (entry->flags & KEPT_FLAGS) text_record(&on->pax, TAR_FLAGS, (snprintf(text, sizeof text, "%" PRIu32, entry->flags & KEPT_FLAGS), text));
  if (type != '1') each_xattr(&on->index, entry->xattrs, add_xattr, on);
  const struct object *object = file ? object_of(&on->index, entry) : NULL;
  bool done = header(on, on->path.data, type, object ? object->length : 0, entry, link.used ? link.data : NULL) && (!object || pour(on, object));
  on->entries++;
  bytes_free(&link);
  return done;
}

static bool export_first(struct exporting *on) {
  struct bytes json = {0};
  bytes_text(&json, "{\"format\":%d,\"id\":\"%s\",\"entries\":%" PRIu32 ",\"size\":%" PRIu64 ",\"trees\":[", TAR_FORMAT, on->index.id, on->index.count, on->index.size);
  for (uint32_t i = 0; i < on->index.tree_count; i++) {
    const struct tree *tree = &on->index.trees[i];
    bytes_text(&json, "%s{\"name\":", i ? "," : "");
    json_string(&json, tree->name, strlen(tree->name));
    bytes_text(&json, ",\"at\":");
    json_string(&json, tree->at, strlen(tree->at));
    bytes_text(&json, ",\"shared\":%s,\"layer\":%s}", tree->flags & TREE_SHARED ? "true" : "false", tree->flags & TREE_LAYER ? "true" : "false");
    struct bytes line = {0};
    bytes_text(&line, "%" PRIu32 " %s %s", tree->flags, tree->name, tree->at);
    char key[32];
    snprintf(key, sizeof key, TAR_TREE ".%" PRIu32, i);
    text_record(&on->pax, key, line.data);
    bytes_free(&line);
  }
  bytes_text(&json, "],\"meta\":%s", on->index.meta);
  if (on->origin) bytes_text(&json, ",\"origin\":%s", on->origin);
  bytes_text(&json, "}\n");
  return header(on, TAR_FIRST, '0', json.used, NULL, NULL) && emit(on, json.data, json.used);
}

bool export_command(const struct options *options) {
  static struct exporting on;
  if (options->origin && !valid_meta(options->origin)) return fail_as(EINVAL, "origin", "", "it must be one line");
  on.origin = options->origin;
  on.portable = options->portable;
  if (!open_for_reading(&on.store, options) || !point_load(&on.store, options->words[0], WHOLE, &on.index)) return false;
  if (!export_first(&on)) return false;
  for (uint32_t t = 0; t < on.index.tree_count; t++) {
    on.tree = &on.index.trees[t];
    for (uint32_t i = on.tree->root; i < on.tree->end; i++)
      if (!export_entry(&on, i)) return false;
  }
  char end[80], zeros[2 * TAR_BLOCK] = {0};
  snprintf(end, sizeof end, "entries %" PRIu64 "\nsum %016" PRIx64 "\n", on.entries, on.sum);
  return header(&on, TAR_LAST, '0', strlen(end), NULL, NULL) && emit(&on, end, strlen(end)) && (write_all(1, zeros, sizeof zeros) || fail("output", ""));
}
