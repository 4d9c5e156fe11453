#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "intent.h"
#include "tool.h"

enum { MOST_PASSES = 5, SMALL_BYTES = 8 << 20, SMALL_FILES = 500 };

bool report_progress(struct look *look) {
  static int64_t next;
  static uint64_t told;
  static unsigned calls;
  if (asked_to_end) return fail_as(EINTR, "interrupted", "", NULL);
  if (++calls % 64 != 0 || look->bytes == told) return true;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  int64_t millis = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  if (millis < next) return true;
  next = millis + 200;
  told = look->bytes;
  return say(1, "copied\t%" PRIu64 "\t%" PRIu64 "\n", look->bytes, look->files) || fail("output", "");
}

bool publish(struct store *store, const char *kind, const char *meta, struct index *index, struct packer *packer) {
  free(index->meta);
  index->meta = must(strdup(meta));
  packer_trim(packer, index);
  return packer_sync(packer) && point_publish(store, kind, index, packer->last);
}

void remember(struct store *store, struct index *index, const struct index *older) {
  for (uint32_t i = 0; older && i < older->tree_count; i++)
    if (!find_tree(index, older->trees[i].name) && memcmp(older->boot, index->boot, sizeof index->boot) == 0) index_copy_tree(index, older, &older->trees[i]);
  live_write(store, index, false);
}

bool print_made(const char *id, int64_t time, uint32_t entries, uint64_t size, uint64_t copied) {
  return say(1, "done\t{\"id\":\"%s\",\"time\":%" PRId64 ".%06" PRId64 ",\"entries\":%" PRIu32 ",\"size\":%" PRIu64 ",\"copied\":%" PRIu64 "}\n", id, time / 1000000, time % 1000000, entries, size,
             copied);
}

/* Passes until the last one had little to copy: what then remains is quickly done while programs stand still. */
static bool approach(struct look *look, struct index *index, const struct index *live) {
  struct index before = {0};
  bool done = true;
  for (int pass = 0; done && pass < MOST_PASSES; pass++) {
    uint64_t bytes = look->bytes, files = look->files;
    look->known = pass == 0 ? live : &before;
    done = walk(look, index) && packer_flush(look->packer);
    index_free(&before);
    before = *index;
    *index = (struct index){0};
    if (look->bytes - bytes < SMALL_BYTES && look->files - files < SMALL_FILES) break;
  }
  *index = before;
  return done;
}

static bool stand_still(void) {
  if (!say(1, "ready\n")) return fail("output", "");
  const char *line = next_line();
  if (line && strcmp(line, "go") == 0) return true;
  return fail_as(ECANCELED, "go", "", "the caller gave up");
}

static bool look_at_all(struct look *look, bool pause, struct index *index, const struct index *live) {
  if (!pause) {
    look->known = live;
    look->tries = 3;
    return walk(look, index);
  }
  struct index before;
  look->tries = 1;
  if (!approach(look, &before, live)) return false;
  look->known = &before;
  look->tries = 3;
  bool done = stand_still() && walk(look, index);
  if (done && !say(1, "still\n")) done = fail("output", "");
  index_free(&before);
  return done;
}

/* Whoever makes one on the way to another wants to know early that there is none. */
static bool others_are_right(struct store *store, const struct request *request, const struct options *options) {
  struct index expected = {0};
  if (options->expect && !(point_load(store, options->expect, ONLY_HEAD, &expected) && system_fits(request, &expected))) return false;
  index_free(&expected);
  return !options->list || print_heads(store);
}

bool create_command(const struct options *options) {
  struct store store;
  struct request request;
  struct packer packer;
  struct index live, index = {0};
  const char *kind = options->words[0], *meta = options->words[1];
  if (strcmp(kind, "v") != 0 && strcmp(kind, "auto") != 0) return fail_as(EINVAL, "usage", kind, NULL);
  if (!valid_meta(meta)) return fail_as(EINVAL, "meta", "", "it must be one line");
  if (!read_request(&request) || !open_for_change(&store, options, true) || !others_are_right(&store, &request, options) || !packer_open(&packer, &store)) return false;
  live_load(&store, &live);
  struct look look = {.store = &store, .request = &request, .skip_shared = options->skip_shared, .packer = &packer, .progress = report_progress};
  bool done = look_at_all(&look, options->pause, &index, &live) && publish(&store, kind, meta, &index, &packer);
  if (!done) {
    packer_abandon(&packer);
    return false;
  }
  char *id = must(strdup(index.id));
  int64_t time = index.time;
  uint32_t entries = index.count;
  uint64_t size = index.size;
  remember(&store, &index, &live);
  print_made(id, time, entries, size, look.bytes);
  return true;
}
