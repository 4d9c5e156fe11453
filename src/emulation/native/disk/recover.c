/* What a killed restore left is finished; what else killed processes left is cleared away. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "intent.h"

static void print_intent(const char *word, const struct intent *intent, const struct bytes *missing) {
  say(1, "%s\t{\"restored\":\"%s\",\"safety\":\"%s\"%.*s}\n", word, intent->id, intent->safety, missing ? (int)missing->used : 0, missing ? missing->data : "");
}

static bool finish(struct store *store, const struct intent *intent) {
  struct request request;
  struct index target, safety, now = {0};
  struct bytes missing = {0};
  if (!read_request(&request)) return false;
  make_inner(&request);
  if (!point_load(store, intent->id, WHOLE, &target) || !point_load(store, intent->safety, WHOLE, &safety)) return false;
  if (intent->path_count == 0 && !system_fits(&request, &target)) return false;
  for (int signals[] = {SIGTERM, SIGINT, SIGHUP}, i = 0; i < 3; i++) signal(signals[i], SIG_IGN);
  bool done = look_now(store, &request, &safety, &target, true, &now) && make_mark(intent->mark) && converge(store, &request, intent, &now, &target, &safety) &&
              settle(store, &request, &now, &target);
  if (!done) {
    go_back(store, &request, intent, &safety);
    return false;
  }
  drop_point(store, intent);
  add_missing(&missing, &request, &target, intent->skip_shared);
  print_intent("recovered", intent, &missing);
  return true;
}

static bool is_missing(const char *path) {
  return access(path, F_OK) != 0 && errno == ENOENT;
}

bool recover_command(const struct options *options) {
  struct store store;
  struct intent intent;
  bool found;
  if (is_missing(options->store)) return say(1, "clean\n");
  if (!store_open(&store, options->store, true) || !store_lock(&store, LOCK_EXCLUSIVE_WAY, options->wait)) return false;
  bool pending = intent_read(&store, &intent);
  if (has_failed() || !sweep_all(&store, &found)) return false;
  return pending ? finish(&store, &intent) : say(1, "clean\n");
}

bool pending_command(const struct options *options) {
  struct store store = {.path = options->store};
  struct intent intent;
  store.root = open(options->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (store.root < 0) return errno == ENOENT ? say(1, "clean\n") : fail("store", options->store);
  if (intent_read(&store, &intent)) print_intent("restore", &intent, NULL);
  else if (!has_failed()) say(1, "clean\n");
  return !has_failed();
}
