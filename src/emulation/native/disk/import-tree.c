#define _GNU_SOURCE
#include "import.h"
#include <stdlib.h>
#include <string.h>
#include "../common/failure.h"

/* One that is left out has its name, too. */
static bool is_named(const struct importing *on, const char *name) {
  const char *line = on->wanted_trees.data;
  for (uint32_t i = 0; i < on->trees_seen; i++, line += strlen(line) + 1) {
    const char *other = strchr(line, ' ') + 1;
    size_t length = strcspn(other, " ");
    if (strlen(name) == length && strncmp(other, name, length) == 0) return true;
  }
  return false;
}

static void keep_tree(struct importing *on) {
  index_add_tree(&on->index, on->rule->name, on->rule->at, on->rule->flags);
  on->depth = 0;
  on->begun = true;
}

static bool begin_tree(struct importing *on, const char *path) {
  const char *line = on->wanted_trees.data;
  if (on->trees_left == 0) return untar_bad(path);
  for (uint32_t i = 0; i < on->trees_seen; i++) line += strlen(line) + 1;
  char *after;
  unsigned long flags = strtoul(line, &after, 10);
  char *name = must(strdup(*after == ' ' ? after + 1 : "")), *at = strchr(name, ' ');
  if (at) *at++ = 0;
  bool sound = at && flags <= 3 && *at == '/' && *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) && strlen(name) <= 60 && !is_named(on, name);
  size_t length = strlen(TAR_TREES);
  sound = sound && on->entry.type == '5' && strncmp(path, TAR_TREES, length) == 0 && strncmp(path + length, name, strlen(name)) == 0 && strcmp(path + length + strlen(name), "/") == 0;
  if (!sound) return untar_bad(path);
  on->trees_left--;
  on->trees_seen++;
  on->begun = false;
  on->from_layer = flags & TREE_LAYER;
  on->same = (struct rule){name, "", name, at, (uint32_t)flags, false};
  on->rule = on->rules.count == 0 ? &on->same : rule_for(&on->rules, name);
  on->prefix.used = 0;
  bytes_text(&on->prefix, on->rule && *on->rule->sub ? TAR_TREES "%s/%s" : TAR_TREES "%s", name, on->rule ? on->rule->sub : "");
  if (on->rule && !*on->rule->sub) keep_tree(on);
  return true;
}

bool is_below(const char *path, const struct bytes *prefix) {
  size_t length = strlen(prefix->data);
  return strncmp(path, prefix->data, length) == 0 && path[length] == '/';
}

bool pass_over(struct importing *on) {
  static char buffer[1 << 16];
  on->entries++;
  if (on->entry.type != '0') return on->entry.size == 0 || untar_bad(on->entry.path);
  for (uint64_t left = on->entry.size; left > 0;) {
    size_t take = left < sizeof buffer ? (size_t)left : sizeof buffer;
    if (!untar_read(buffer, take)) return false;
    left -= take;
  }
  return untar_end_content(on->entry.size);
}

static bool is_root(const struct importing *on, const char *path) {
  if (on->trees_seen == 0) return true;
  if (on->trees_left == 0 || strncmp(path, TAR_TREES, strlen(TAR_TREES)) != 0) return false;
  const char *slash = strchr(path + strlen(TAR_TREES), '/');
  return slash && !slash[1];
}

bool is_wanted(struct importing *on, const char *path, bool *root) {
  bool first = is_root(on, path);
  if (first && !begin_tree(on, path)) return false;
  if (!on->rule) return false;
  *root = first && on->begun;
  if (*root) return true;
  if (!is_below(path, &on->prefix)) return *on->rule->sub ? false : untar_bad(path);
  if (!on->begun) {
    if (path[strlen(on->prefix.data) + 1] || on->entry.type != '5') return false;
    keep_tree(on);
    return *root = true;
  }
  /* A deletion from what lies below means nothing where nothing does. */
  bool whiteout = on->entry.type == '3' && on->entry.major == 0 && on->entry.minor == 0;
  return !(whiteout && on->from_layer && !(on->rule->flags & TREE_LAYER));
}
