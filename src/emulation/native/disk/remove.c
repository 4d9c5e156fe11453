/*
 * A point goes in this order, so that a kill in between does no harm: `live` forgets what will be freed, the points are
 * renamed away, their space is given back, their files go. What is renamed already is finished by the next command.
 */
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
#include "objects.h"
#include "pack.h"
#include "tool.h"

struct removal {
  struct store *store;
  struct holders held, doomed, packs;
  struct point_list victims;
  uint64_t freed;
};

static bool live_forget(struct removal *removal) {
  struct index live;
  bool any = false;
  live_load(removal->store, &live);
  for (uint32_t i = 0; i < live.count; i++) {
    struct entry *entry = &live.entries[i];
    const struct object *object = S_ISREG(entry->mode) ? object_of(&live, entry) : NULL;
    if (!object || held_by(&removal->doomed, object) == NONE) continue;
    entry->object = 0;
    entry->flags |= IS_UNKNOWN;
    any = true;
  }
  if (!any) {
    index_free(&live);
    return true;
  }
  /* A full disk must not keep anybody from making room. */
  bool done = live_write(removal->store, &live, true) || ((unlinkat(removal->store->root, "live", 0) == 0 || errno == ENOENT) && sync_dir(removal->store->root) == 0);
  index_free(&live);
  return done || fail("live", removal->store->path);
}

static bool rename_away(struct store *store, const char *id) {
  char name[64];
  snprintf(name, sizeof name, ".del-%s", id);
  if (strncmp(id, ".del-", 5) == 0) return true;
  return (step("withdraw") && renameat(store->points, id, store->points, name) == 0) || fail("remove", id);
}

static bool free_object(struct removal *removal, const struct object *object) {
  char name[16];
  uint64_t space = content_space(removal->store, object);
  pack_name(object->pack, name);
  if (!step("punch")) return fail("remove", name);
  struct object whole = {.pack = object->pack};
  if (held_by(&removal->packs, &whole) == NONE) {
    if (unlinkat(removal->store->packs, name, 0) == 0 || errno == ENOENT) removal->freed += space;
    else return fail("remove", name);
    return true;
  }
  int fd = pack_open(removal->store, object->pack, O_RDWR);
  if (fd < 0) return errno == ENOENT || fail("remove", name);
  /* Where holes cannot be made the space comes back with the last content of the pack. */
  if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)object->offset, (off_t)space) == 0) removal->freed += space;
  close(fd);
  return true;
}

/* Everything the other points hold, and what only the victims do. */
static bool find_doomed(struct removal *removal, char **ids, uint32_t count) {
  struct point_list all;
  if (!points_load_but(removal->store, WITH_OBJECTS, ids, count, &all)) return false;
  for (uint32_t i = 0; i < all.count; i++) {
    for (uint32_t j = 0; j < all.points[i].object_count; j++) {
      holder_of(&removal->held, &all.points[i].objects[j], 0);
      holder_of(&removal->packs, &(struct object){.pack = all.points[i].objects[j].pack}, 0);
    }
  }
  points_free(&all);
  for (uint32_t i = 0; i < removal->victims.count; i++) {
    const struct index *point = &removal->victims.points[i];
    for (uint32_t j = 0; j < point->object_count; j++)
      if (held_by(&removal->held, &point->objects[j]) == NONE) holder_of(&removal->doomed, &point->objects[j], i);
  }
  return true;
}

static bool load_victims(struct removal *removal, char **ids, uint32_t count) {
  struct point_list *list = &removal->victims;
  list->ids = must(calloc(count + 1, sizeof *list->ids));
  list->points = must(calloc(count + 1, sizeof *list->points));
  list->file_sizes = must(calloc(count + 1, sizeof *list->file_sizes));
  for (uint32_t i = 0; i < count; i++) {
    if (!point_peek(removal->store, ids[i], &list->points[i], &list->file_sizes[i])) return false;
    list->ids[i] = must(strdup(ids[i]));
    list->count++;
  }
  return true;
}

static bool take_away(struct removal *removal) {
  struct store *store = removal->store;
  bool done = live_forget(removal);
  for (uint32_t i = 0; done && i < removal->victims.count; i++) done = rename_away(store, removal->victims.ids[i]);
  if (done && sync_dir(store->points) != 0) done = fail("remove", store->path);
  content_forget();
  for (uint32_t i = 0; done && i < removal->victims.count; i++) {
    const struct index *point = &removal->victims.points[i];
    for (uint32_t j = 0; done && j < point->object_count; j++)
      if (held_by(&removal->doomed, &point->objects[j]) == i) done = free_object(removal, &point->objects[j]);
  }
  for (uint32_t i = 0; done && i < removal->victims.count; i++) {
    char name[64];
    const char *id = removal->victims.ids[i];
    snprintf(name, sizeof name, "%s%s", strncmp(id, ".del-", 5) == 0 ? "" : ".del-", id);
    if (!step("withdrawn") || (unlinkat(store->points, name, 0) != 0 && errno != ENOENT)) done = fail("remove", id);
    removal->freed += (removal->victims.file_sizes[i] + 4095) / 4096 * 4096;
  }
  return done;
}

bool remove_points(struct store *store, char **ids, uint32_t count, uint64_t *freed) {
  struct removal removal = {.store = store};
  bool done = load_victims(&removal, ids, count) && find_doomed(&removal, ids, count) && take_away(&removal);
  *freed = removal.freed;
  points_free(&removal.victims);
  holders_free(&removal.held);
  holders_free(&removal.doomed);
  holders_free(&removal.packs);
  return done;
}

bool remove_command(const struct options *options) {
  struct store store;
  uint64_t freed;
  if (!open_for_change(&store, options, false)) return false;
  uint32_t count = 0;
  for (int i = 0; i < options->word_count; i++) {
    const char *id = options->words[i];
    bool twice = false;
    if (!is_point_id(id)) return fail_as(ENOENT, "point", id, "there is no such checkpoint");
    for (uint32_t j = 0; j < count; j++) twice = twice || strcmp(options->words[j], id) == 0;
    if (!twice) options->words[count++] = id;
  }
  if (!remove_points(&store, (char **)options->words, count, &freed)) return false;
  /* What a damaged one held is not known: at least the packs that nobody is left for go. */
  bool found;
  if (!sweep_all(&store, &found)) return false;
  return say(1, "done\t{\"freed\":%" PRIu64 "}\n", freed);
}
