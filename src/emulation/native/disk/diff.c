#define _GNU_SOURCE
#include "diff.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "intent.h"

/* One path still to compare: both sides' entries, and whether each shows what lies below its layer there. */
struct item {
  uint32_t entries[2];
  bool below[2];
  char *path;
};

struct items {
  struct item *list;
  uint32_t used, room;
};

static const char *beneath(const struct differ *differ, const char *path) {
  const char *at = differ->trees[LEFT]->at;
  path += strcmp(at, "/") == 0 ? 0 : strlen(at);
  return *path == '/' && path[1] ? path + 1 : ".";
}

static void resolve(struct differ *differ, int side, const struct item *item, struct node *node) {
  uint32_t entry = item->entries[side];
  bool layer = differ->trees[side]->flags & TREE_LAYER;
  *node = (struct node){.kind = ABSENT, .entry = entry};
  if (entry != NONE) {
    if (!layer || !is_whiteout(&differ->sides[side]->entries[entry])) node->kind = ENTRY;
    return;
  }
  if (!item->below[side]) return;
  int fd = open_beneath(differ->base, beneath(differ, item->path), O_PATH | O_NOFOLLOW);
  if (fd >= 0 && wide_stat(fd, "", &node->stat) == 0) node->kind = BELOW;
  if (fd >= 0) close(fd);
}

static int by_text(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Names that may differ: those of both entries, and what lies below when only one side shows it. */
static char **names_below(struct differ *differ, const struct node *nodes, const bool *below, const char *path, uint32_t *count) {
  char **names = NULL;
  uint32_t room = 0;
  *count = 0;
  for (int side = 0; side < 2; side++) {
    const struct index *index = differ->sides[side];
    if (nodes[side].kind != ENTRY || !is_directory(&index->entries[nodes[side].entry])) continue;
    const struct entry *directory = &index->entries[nodes[side].entry];
    for (uint32_t i = 0; i < directory->count; i++) {
      names = grown(names, *count + 1, sizeof *names, &room);
      names[(*count)++] = must(strdup(name_of(index, directory->first + i)));
    }
  }
  int fd = below[0] != below[1] ? open_beneath(differ->base, beneath(differ, path), O_RDONLY | O_DIRECTORY) : -1;
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    names = grown(names, *count + 1, sizeof *names, &room);
    names[(*count)++] = must(strdup(entry->d_name));
  }
  if (dir) closedir(dir);
  if (*count > 1) qsort(names, *count, sizeof *names, by_text);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < *count; i++) {
    if (kept > 0 && strcmp(names[kept - 1], names[i]) == 0) free(names[i]);
    else names[kept++] = names[i];
  }
  *count = kept;
  return names;
}

static bool shows_below(struct differ *differ, int side, const struct node *node, bool above) {
  if (!above || !S_ISDIR(node_mode(differ, side, node))) return false;
  return node->kind == BELOW || !is_opaque(differ->sides[side], node->entry);
}

static void push_children(struct differ *differ, struct items *items, const struct item *item, const struct node *nodes) {
  bool below[2], entered = false;
  for (int side = 0; side < 2; side++) {
    below[side] = shows_below(differ, side, &nodes[side], item->below[side]);
    entered = entered || (nodes[side].kind == ENTRY && S_ISDIR(node_mode(differ, side, &nodes[side])));
  }
  if (!entered) return;
  uint32_t count;
  char **names = names_below(differ, nodes, below, item->path, &count);
  size_t length = strcmp(item->path, "/") == 0 ? 0 : strlen(item->path);
  for (uint32_t i = count; i-- > 0;) {
    struct item child = {.below = {below[0], below[1]}, .path = must(malloc(length + strlen(names[i]) + 2))};
    memcpy(child.path, item->path, length);
    child.path[length] = '/';
    strcpy(child.path + length + 1, names[i]);
    for (int side = 0; side < 2; side++) child.entries[side] = nodes[side].kind == ENTRY ? find_child(differ->sides[side], nodes[side].entry, names[i]) : NONE;
    items->list = grown(items->list, items->used + 1, sizeof *items->list, &items->room);
    items->list[items->used++] = child;
    free(names[i]);
  }
  free(names);
}

static bool diff_tree(struct differ *differ) {
  struct items items = {0};
  bool layer = differ->trees[LEFT]->flags & TREE_LAYER && differ->base >= 0, done = true;
  items.list = grown(NULL, 1, sizeof *items.list, &items.room);
  items.list[items.used++] = (struct item){{differ->trees[LEFT]->root, differ->trees[RIGHT]->root}, {layer, layer}, must(strdup(differ->trees[LEFT]->at))};
  while (done && items.used > 0) {
    struct item item = items.list[--items.used];
    struct node nodes[2];
    for (int side = 0; side < 2; side++) resolve(differ, side, &item, &nodes[side]);
    done = diff_node(differ, item.path, &nodes[LEFT], &nodes[RIGHT]);
    if (done) push_children(differ, &items, &item, nodes);
    free(item.path);
  }
  free(items.list);
  return done;
}

static int by_place(const void *left, const void *right) {
  return strcmp((*(const struct tree *const *)left)->at, (*(const struct tree *const *)right)->at);
}

static bool diff_all(struct differ *differ, const struct request *request, bool only_shared) {
  const struct index *left = differ->sides[LEFT];
  const struct tree **order = must(calloc(left->tree_count + 1, sizeof *order));
  bool done = true;
  for (uint32_t i = 0; i < left->tree_count; i++) order[i] = &left->trees[i];
  qsort(order, left->tree_count, sizeof *order, by_place);
  for (uint32_t i = 0; done && i < left->tree_count; i++) {
    const struct request_tree *wanted = wanted_tree(request, order[i]->name);
    differ->trees[LEFT] = order[i];
    differ->trees[RIGHT] = find_tree(differ->sides[RIGHT], order[i]->name);
    if (!differ->trees[RIGHT] || (only_shared && !(order[i]->flags & TREE_SHARED))) continue;
    differ->base = wanted && wanted->base ? open(wanted->base, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    done = diff_tree(differ);
    if (differ->base >= 0) close(differ->base);
  }
  free(order);
  return done;
}

bool diff_command(const struct options *options) {
  struct store store;
  struct request request;
  struct index left, right, live;
  if (!read_request(&request) || !open_for_reading(&store, options) || !point_load(&store, options->words[0], WHOLE, &left)) return false;
  if (options->word_count > 1) {
    if (!point_load(&store, options->words[1], WHOLE, &right)) return false;
  } else {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < request.tree_count; i++)
      if (!options->only_shared || request.trees[i].flags & TREE_SHARED) request.trees[kept++] = request.trees[i];
    request.tree_count = kept;
    live_load(&store, &live);
    if (!look_now(&store, &request, &live, &left, true, &right)) return false;
  }
  struct differ differ = {.store = &store, .sides = {&left, &right}, .only_count = options->count};
  if (!diff_all(&differ, &request, options->only_shared)) return false;
  if (options->count) bytes_text(&differ.out, "%" PRIu64 "\n", differ.count);
  return write_all(1, differ.out.data, differ.out.used) || fail("output", "");
}
