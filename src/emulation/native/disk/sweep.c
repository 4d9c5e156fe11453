#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "fault.h"
#include "objects.h"
#include "pack.h"

/* Calls `each` for every name; what it removes meanwhile does no harm. */
static bool each_name(int at, bool (*each)(void *, const char *), void *context) {
  int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return fail("sweep", "");
  bool done = true;
  for (struct dirent *entry; done && (entry = readdir(dir));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) done = each(context, entry->d_name);
  closedir(dir);
  return done;
}

struct sweeping {
  struct store *store;
  struct numbers numbers;
  struct holders packs;
  char *half[64];
  uint32_t half_count;
  bool found, all;
};

static bool drop(struct sweeping *on, int dir, const char *name) {
  on->found = true;
  return (step("sweep") && (unlinkat(dir, name, 0) == 0 || errno == ENOENT)) || fail("sweep", name);
}

static bool sweep_root(void *context, const char *name) {
  struct sweeping *on = context;
  return strncmp(name, ".new-", 5) != 0 || drop(on, on->store->root, name);
}

static bool sweep_point(void *context, const char *name) {
  struct sweeping *on = context;
  if (strncmp(name, ".new-", 5) == 0) return drop(on, on->store->points, name);
  if (strncmp(name, ".del-", 5) != 0 || on->half_count == sizeof on->half / sizeof *on->half) return true;
  on->half[on->half_count++] = must(strdup(name));
  return true;
}

static bool sweep_pack(void *context, const char *name) {
  struct sweeping *on = context;
  char *end;
  uint64_t pack = strtoull(name, &end, 10);
  bool unborn = *end || pack > on->numbers.pack;
  bool unheld = on->all && held_by(&on->packs, &(struct object){.pack = (uint32_t)pack}) == NONE;
  return !(unborn || unheld) || drop(on, on->store->packs, name);
}

static bool hold_packs(struct sweeping *on) {
  struct point_list list;
  if (!points_load(on->store, WITH_OBJECTS, &list)) return false;
  for (uint32_t i = 0; i < list.count; i++)
    for (uint32_t j = 0; j < list.points[i].object_count; j++) holder_of(&on->packs, &(struct object){.pack = list.points[i].objects[j].pack}, 0);
  points_free(&list);
  return true;
}

static bool run(struct sweeping *on) {
  uint64_t freed;
  bool done = numbers_read(on->store, &on->numbers) && each_name(on->store->root, sweep_root, on) && each_name(on->store->points, sweep_point, on);
  if (done && on->half_count > 0) {
    on->found = true;
    done = remove_points(on->store, on->half, on->half_count, &freed);
  }
  done = done && (!on->all || hold_packs(on)) && each_name(on->store->packs, sweep_pack, on);
  for (uint32_t i = 0; i < on->half_count; i++) free(on->half[i]);
  holders_free(&on->packs);
  return done;
}

bool sweep(struct store *store) {
  struct sweeping on = {.store = store};
  return run(&on);
}

bool sweep_all(struct store *store, bool *found) {
  struct sweeping on = {.store = store, .all = true};
  bool done = run(&on);
  *found = on.found;
  return done;
}
