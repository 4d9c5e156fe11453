#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "objects.h"
#include "pack.h"
#include "tool.h"

void costs_of(struct store *store, const struct point_list *list, uint64_t *costs) {
  struct holders holders = {0};
  for (uint32_t i = 0; i < list->count; i++) {
    for (uint32_t j = 0; j < list->points[i].object_count; j++) {
      uint32_t *holder = holder_of(&holders, &list->points[i].objects[j], i);
      if (*holder != i) *holder = HELD_BY_MANY;
    }
  }
  for (uint32_t i = 0; i < list->count; i++) {
    costs[i] = (list->file_sizes[i] + 4095) / 4096 * 4096;
    for (uint32_t j = 0; j < list->points[i].object_count; j++)
      if (held_by(&holders, &list->points[i].objects[j]) == i) costs[i] += content_space(store, &list->points[i].objects[j]);
  }
  holders_free(&holders);
}

static void add_head(struct bytes *out, const char *id, const struct index *point) {
  bytes_text(out, "{\"id\":\"%s\",\"time\":%" PRId64 ".%06" PRId64 ",\"entries\":%" PRIu32 ",\"size\":%" PRIu64, id, point->time / 1000000, point->time % 1000000, point->count, point->size);
}

bool print_heads(struct store *store) {
  struct point_list list;
  struct bytes out = {0};
  if (!points_load(store, ONLY_HEAD, &list)) return false;
  for (uint32_t i = list.count; i-- > 0;) {
    bytes_text(&out, "point\t");
    add_head(&out, list.ids[i], &list.points[i]);
    bytes_text(&out, ",\"meta\":%s}\n", list.points[i].meta);
  }
  points_free(&list);
  bool done = write_all(1, out.data, out.used) || fail("output", "");
  bytes_free(&out);
  return done;
}

bool list_command(const struct options *options) {
  struct store store;
  struct point_list list;
  struct bytes out = {0};
  if (!open_for_reading(&store, options) || !points_load(&store, WITH_OBJECTS, &list)) return false;
  uint64_t *costs = must(calloc(list.count + 1, sizeof *costs));
  costs_of(&store, &list, costs);
  for (uint32_t i = list.count; i-- > 0;) {
    add_head(&out, list.ids[i], &list.points[i]);
    bytes_text(&out, ",\"cost\":%" PRIu64 ",\"meta\":%s}\n", costs[i], list.points[i].meta);
  }
  return write_all(1, out.data, out.used);
}
