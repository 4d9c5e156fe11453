#define _GNU_SOURCE
#include "rules.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../common/failure.h"
#include "../common/text.h"

#define OPAQUE "trusted.overlay.opaque"

static bool read_owner(struct rules *rules, const char *text) {
  if (!text) return true;
  int end = 0;
  rules->owned = true;
  rules->all_owners = strncmp(text, "*=", 2) == 0;
  if (rules->all_owners) sscanf(text, "*=%u:%u%n", &rules->new_uid, &rules->new_gid, &end);
  else sscanf(text, "%u:%u=%u:%u%n", &rules->uid, &rules->gid, &rules->new_uid, &rules->new_gid, &end);
  return (end > 0 && text[end] == 0) || fail_as(EINVAL, "usage", text, NULL);
}

static bool read_rule(struct rules *rules, const char *word) {
  char *fields[MAX_FIELDS];
  if (split_fields(must(strdup(word)), fields) != 5 || !*fields[0] || !*fields[2] || fields[3][0] != '/') return fail_as(EINVAL, "usage", word, NULL);
  rules->all = grown(rules->all, rules->count + 1, sizeof *rules->all, &rules->room);
  struct rule *rule = &rules->all[rules->count++];
  *rule = (struct rule){.from = fields[0], .sub = fields[1], .name = fields[2], .at = fields[3], .opaque = strstr(fields[4], "opaque") != NULL};
  if (strstr(fields[4], "shared")) rule->flags |= TREE_SHARED;
  if (strstr(fields[4], "layer")) rule->flags |= TREE_LAYER;
  return true;
}

bool rules_read(struct rules *rules, const struct options *options) {
  *rules = (struct rules){.portable = options->portable};
  for (int i = 1; i < options->word_count; i++)
    if (!read_rule(rules, options->words[i])) return false;
  return read_owner(rules, options->owner);
}

const struct rule *rule_for(const struct rules *rules, const char *tree) {
  for (uint32_t i = 0; i < rules->count; i++)
    if (strcmp(rules->all[i].from, tree) == 0) return &rules->all[i];
  return NULL;
}

bool is_system(const struct rule *rule, bool from_layer) {
  return from_layer && rule->flags & TREE_LAYER && !*rule->sub;
}

static void drop_xattr(struct tar_entry *entry, uint32_t at) {
  entry->xattrs[at] = entry->xattrs[--entry->xattr_count];
}

static void map_owner(const struct rules *rules, struct tar_entry *entry) {
  if (!rules->owned) return;
  if (rules->all_owners || entry->uid == rules->uid) entry->uid = rules->new_uid;
  if (rules->all_owners || entry->gid == rules->gid) entry->gid = rules->new_gid;
}

/* What a layer says to the overlay means nothing elsewhere; what else hides what lies below says so itself. */
static bool fit_overlay(const struct rule *rule, bool from_layer, bool root, struct tar_entry *entry) {
  bool opaque = false;
  for (uint32_t i = 0; i < entry->xattr_count; i++) {
    if (strncmp(entry->xattrs[i].name, "trusted.overlay.", 16) != 0) continue;
    if (from_layer && !(rule->flags & TREE_LAYER)) drop_xattr(entry, i--);
    else opaque = true;
  }
  if (!root || !rule->opaque || opaque) return true;
  if (entry->xattr_count == MOST_XATTRS) return untar_bad(entry->path);
  entry->xattrs[entry->xattr_count++] = (struct tar_xattr){OPAQUE, "y", 1};
  return true;
}

/* Archives that amux wrote have none of it, but in a layer that was a system there. */
static bool take_power(bool from_layer, struct tar_entry *entry) {
  if (entry->type != '5' && entry->mode & 06000) {
    if (!from_layer) return fail_as(EPERM, "import", entry->path, "a program that runs as its owner, outside the system");
    entry->mode &= ~06000u;
  }
  for (uint32_t i = 0; i < entry->xattr_count; i++) {
    if (strcmp(entry->xattrs[i].name, "security.capability") != 0) continue;
    if (!from_layer) return fail_as(EPERM, "import", entry->path, "a program with capabilities, outside the system");
    drop_xattr(entry, i--);
  }
  return true;
}

bool rules_apply(const struct rules *rules, const struct rule *rule, bool from_layer, bool root, struct tar_entry *entry) {
  bool device = (entry->type == '3' || entry->type == '4') && (entry->type == '4' || entry->major || entry->minor);
  if (rules->portable && device) return fail_as(EPERM, "import", entry->path, "a device file");
  if (is_system(rule, from_layer)) return true;
  map_owner(rules, entry);
  return fit_overlay(rule, from_layer, root, entry) && (!rules->portable || take_power(from_layer, entry));
}
