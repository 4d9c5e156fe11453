#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "attrs.h"
#include "diff.h"

static const struct {
  unsigned bit;
  const char *word;
} words[] = {{DIFFERS_CONTENT, "content"}, {DIFFERS_MODE, "mode"}, {DIFFERS_OWNER, "owner"}, {DIFFERS_TIME, "time"}, {DIFFERS_TYPE, "type"}, {DIFFERS_TARGET, "target"}, {DIFFERS_ATTRIBUTES, "attributes"}};

mode_t node_mode(const struct differ *differ, int side, const struct node *node) {
  return node->kind == ENTRY ? differ->sides[side]->entries[node->entry].mode : node->kind == BELOW ? node->stat.mode : 0;
}

static uint64_t node_size(const struct differ *differ, int side, const struct node *node) {
  return node->kind == ENTRY ? differ->sides[side]->entries[node->entry].size : node->stat.size;
}

static const char *type_word(mode_t mode) {
  return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "link" : "other";
}

static bool tell(struct differ *differ, const char *path, const char *change, unsigned found, const struct node *left, const struct node *right) {
  mode_t before = node_mode(differ, LEFT, left), after = node_mode(differ, RIGHT, right);
  struct bytes *out = &differ->out;
  differ->count++;
  if (differ->only_count) return true;
  bytes_add(out, "{\"path\":", 8);
  json_string(out, path, strlen(path));
  bytes_text(out, ",\"change\":\"%s\",\"type\":\"%s\",\"what\":[", change, type_word(right->kind == ABSENT ? before : after));
  bool any = false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!(found & words[i].bit)) continue;
    bytes_text(out, "%s\"%s\"", any ? "," : "", words[i].word);
    any = true;
  }
  bytes_add(out, "]", 1);
  if (S_ISREG(before)) bytes_text(out, ",\"before\":%" PRIu64, node_size(differ, LEFT, left));
  if (S_ISREG(after)) bytes_text(out, ",\"after\":%" PRIu64, node_size(differ, RIGHT, right));
  bytes_add(out, "}\n", 2);
  if (out->used < 65536) return true;
  bool done = write_all(1, out->data, out->used) || fail("output", "");
  out->used = 0;
  return done;
}

/* Two objects may hold the same. */
static bool same_after_all(struct differ *differ, const struct entry *left, const struct entry *right, bool *same) {
  const struct object *x = object_of(differ->sides[LEFT], left), *y = object_of(differ->sides[RIGHT], right);
  *same = false;
  if (left->size != right->size || !x || !y || (left->flags | right->flags) & IS_UNKNOWN) return true;
  int equal = content_equal(differ->store, x, y);
  *same = equal == 1;
  return equal >= 0 || fail("corrupt", differ->store->path);
}

/* An entry of a layer against what it lies over: a copy keeps size and time. */
static unsigned against_base(const struct entry *entry, const struct wide_stat *stat) {
  unsigned found = 0;
  if ((entry->mode & S_IFMT) != (stat->mode & S_IFMT)) return DIFFERS_TYPE;
  bool time = entry->mtime != stat->mtime.seconds || entry->mtime_nanos != stat->mtime.nanos;
  if (S_ISREG(entry->mode) && (time || entry->size != stat->size)) found |= DIFFERS_CONTENT;
  if (S_ISLNK(entry->mode) && time) found |= DIFFERS_TARGET;
  if (entry->mode != stat->mode) found |= DIFFERS_MODE;
  if (entry->uid != stat->uid || entry->gid != stat->gid) found |= DIFFERS_OWNER;
  return found | (time ? DIFFERS_TIME : 0);
}

bool diff_node(struct differ *differ, const char *path, const struct node *left, const struct node *right) {
  if (left->kind == ABSENT && right->kind == ABSENT) return true;
  if (left->kind == ABSENT) return tell(differ, path, "added", 0, left, right);
  if (right->kind == ABSENT) return tell(differ, path, "removed", 0, left, right);
  if (left->kind == BELOW && right->kind == BELOW) return true;
  unsigned found;
  if (left->kind == BELOW) {
    found = against_base(&differ->sides[RIGHT]->entries[right->entry], &left->stat);
  } else if (right->kind == BELOW) {
    found = against_base(&differ->sides[LEFT]->entries[left->entry], &right->stat);
  } else {
    const struct entry *a = &differ->sides[LEFT]->entries[left->entry], *b = &differ->sides[RIGHT]->entries[right->entry];
    if ((a->flags | b->flags) & IS_FOREIGN) return true;
    found = differences(differ->sides[LEFT], a, differ->sides[RIGHT], b);
    bool same = false;
    if (found & DIFFERS_CONTENT && !same_after_all(differ, a, b, &same)) return false;
    if (same) found &= ~(unsigned)DIFFERS_CONTENT;
    bool own = !((a->flags ^ b->flags) & KEPT_FLAGS) && same_but_for_layer(differ->sides[LEFT], a->xattrs, differ->sides[RIGHT], b->xattrs);
    if (own) found &= ~(unsigned)DIFFERS_ATTRIBUTES;
  }
  if (!S_ISREG(node_mode(differ, RIGHT, right))) found &= ~(unsigned)DIFFERS_TIME;
  return found == 0 || tell(differ, path, "modified", found, left, right);
}
