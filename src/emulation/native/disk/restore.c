#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "apply.h"
#include "intent.h"

struct restoring {
  struct store store;
  struct request request;
  struct packer packer;
  struct index live, now, target;
  struct intent intent;
  uint32_t changed;
};

static bool prepare(struct restoring *on, const struct options *options) {
  if (!read_request(&on->request) || !open_for_change(&on->store, options, false)) return false;
  make_inner(&on->request);
  if (!point_load(&on->store, options->words[0], WHOLE, &on->target) || !system_fits(&on->request, &on->target)) return false;
  struct index drop;
  if (on->request.drop && !point_load(&on->store, on->request.drop, ONLY_HEAD, &drop)) return false;
  if (!packer_open(&on->packer, &on->store)) return false;
  char temporary[48];
  snprintf(temporary, sizeof temporary, ".amux-restore-%016" PRIx64, mix((uint64_t)now_nanos() ^ (uint64_t)getpid() << 40));
  on->intent = (struct intent){
      .id = (char *)options->words[0],
      .drop = on->request.drop,
      .mark = (char *)options->mark,
      .temporary = must(strdup(temporary)),
      .paths = on->request.paths,
      .path_count = on->request.path_count,
      .skip_shared = options->skip_shared,
  };
  live_load(&on->store, &on->live);
  struct look look = {
      .store = &on->store,
      .request = &on->request,
      .skip_shared = options->skip_shared,
      .packer = &on->packer,
      .known = &on->live,
      .hint = &on->target,
      .tries = 3,
      .progress = report_progress,
  };
  return walk(&look, &on->now);
}

static bool compare_and_keep(struct restoring *on, const char *meta) {
  struct scope scope = {&on->request, on->intent.paths, on->intent.path_count, &on->now, on->intent.skip_shared, NULL};
  struct plan plan;
  bool done = plan_make(&plan, &on->now, &on->target, &scope);
  on->changed = plan.changed;
  if (done && on->changed > 0) done = packer_flush(&on->packer) && has_room(&on->store, &on->request, &plan) && publish(&on->store, "auto", meta, &on->now, &on->packer);
  plan_free(&plan);
  return done;
}

static bool change(struct restoring *on) {
  /* From here it ends by itself, whoever is gone. */
  for (int signals[] = {SIGTERM, SIGINT, SIGHUP}, i = 0; i < 3; i++) signal(signals[i], SIG_IGN);
  on->intent.safety = on->now.id;
  if (!intent_write(&on->store, &on->intent)) {
    uint64_t freed;
    char *safety = on->intent.safety;
    remove_points(&on->store, &safety, 1, &freed);
    return false;
  }
  if (make_mark(on->intent.mark) && converge(&on->store, &on->request, &on->intent, &on->now, &on->target, &on->now) &&
      settle(&on->store, &on->request, &on->now, &on->target)) {
    drop_point(&on->store, &on->intent);
    return true;
  }
  go_back(&on->store, &on->request, &on->intent, &on->now);
  return false;
}

static void print_done(const struct restoring *on) {
  struct bytes out = {0};
  bytes_text(&out, "done\t{\"id\":\"%s\",\"safety\":", on->intent.id);
  if (on->intent.safety) bytes_text(&out, "\"%s\"", on->intent.safety);
  else bytes_text(&out, "null");
  bytes_text(&out, ",\"changed\":%" PRIu32, on->changed);
  add_missing(&out, &on->request, &on->target, on->intent.skip_shared);
  bytes_text(&out, "}\n");
  write_all(1, out.data, out.used);
}

/* None of these is worth a failure: somebody else may have removed it meanwhile. */
static void remove_outdated(struct restoring *on) {
  uint32_t count = 0;
  uint64_t freed;
  char **ids = on->request.outdated;
  for (uint32_t i = 0; i < on->request.outdated_count; i++)
    if (is_point_id(ids[i]) && strcmp(ids[i], on->intent.id) != 0 && faccessat(on->store.points, ids[i], F_OK, 0) == 0) ids[count++] = ids[i];
  if (count > 0 && !remove_points(&on->store, ids, count, &freed)) forget_failure();
}

bool restore_command(const struct options *options) {
  static struct restoring on;
  if (!valid_meta(options->words[1])) return fail_as(EINVAL, "meta", "", "it must be one line");
  if (!prepare(&on, options) || !compare_and_keep(&on, options->words[1])) {
    if (on.packer.store) packer_abandon(&on.packer);
    return false;
  }
  if (on.changed == 0) {
    packer_abandon(&on.packer);
    drop_point(&on.store, &on.intent);
  } else {
    if (!change(&on)) return false;
    remove_outdated(&on);
  }
  print_done(&on);
  return true;
}
