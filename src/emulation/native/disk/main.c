/*
 * amux-disk: points in time of a set of directory trees, made, compared and restored. Static, one thread and one that writes, no
 * dependency but libc. Which files hold what: store.h, index.h, format.h; a restore: plan.h, apply.h, intent.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "fault.h"
#include "intent.h"
#include "tool.h"

volatile sig_atomic_t asked_to_end;

static void end_soon(int signal) {
  (void)signal;
  asked_to_end = 1;
}

static const struct {
  const char *name;
  int least, most;
  bool (*run)(const struct options *);
} commands[] = {
    {"create", 2, 2, create_command}, {"restore", 2, 2, restore_command}, {"recover", 0, 0, recover_command}, {"pending", 0, 0, pending_command},
    {"ls", 0, 0, list_command},       {"rm", 1, 1 << 20, remove_command},        {"diff", 1, 2, diff_command},       {"cat", 2, 2, cat_command},
    {"export", 1, 1, export_command}, {"import", 1, 1 << 10, import_command},          {"verify", 0, 0, verify_command},
};

bool open_for_change(struct store *store, const struct options *options, bool create) {
  struct intent intent;
  if (!store_open(store, options->store, create) || !store_lock(store, LOCK_EXCLUSIVE_WAY, options->wait) || !sweep(store)) return false;
  if (intent_read(store, &intent)) return fail_as(EINPROGRESS, "pending", intent.id, "a restore was interrupted: recover first");
  return !has_failed();
}

bool open_for_reading(struct store *store, const struct options *options) {
  return store_open(store, options->store, true) && store_lock(store, LOCK_SHARED_WAY, options->wait);
}

static bool take_option(int *at, char **argv, struct options *options) {
  const char *word = argv[*at];
  if (strcmp(word, "--pause") == 0) return options->pause = true;
  if (strcmp(word, "--skip-shared") == 0) return options->skip_shared = true;
  if (strcmp(word, "--json") == 0) return options->json = true;
  if (strcmp(word, "--only-shared") == 0) return options->only_shared = true;
  if (strcmp(word, "--count") == 0) return options->count = true;
  if (strcmp(word, "--list") == 0) return options->list = true;
  if (strcmp(word, "--portable") == 0) return options->portable = true;
  const char *value = argv[*at + 1];
  long long seconds;
  if (!value) return false;
  ++*at;
  if (strcmp(word, "--mark") == 0) return (options->mark = value);
  if (strcmp(word, "--expect") == 0) return (options->expect = value);
  if (strcmp(word, "--owner") == 0) return (options->owner = value);
  if (strcmp(word, "--origin") == 0) return (options->origin = value);
  if (strcmp(word, "--most") == 0) return parse_number(value, &seconds) && seconds >= 0 && (options->most = (uint64_t)seconds + 1);
  if (strcmp(word, "--wait") != 0 || !parse_number(value, &seconds)) return false;
  options->wait = (long)seconds;
  return true;
}

static bool run(int argc, char **argv) {
  struct options options = {.wait = 30, .words = must(calloc((size_t)argc + 1, sizeof(char *)))};
  for (int i = 2; i < argc; i++) {
    if (strncmp(argv[i], "--", 2) == 0) {
      if (!take_option(&i, argv, &options)) return fail_as(EINVAL, "usage", argv[i], NULL);
    } else if (!options.store) {
      options.store = argv[i];
    } else {
      options.words[options.word_count++] = argv[i];
    }
  }
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(commands[i].name, argv[1]) != 0) continue;
    if (!options.store || options.word_count < commands[i].least || options.word_count > commands[i].most) return fail_as(EINVAL, "usage", argv[1], NULL);
    return commands[i].run(&options);
  }
  return fail_as(EINVAL, "usage", argv[1], "no such command");
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "steps") == 0) {
    print_steps();
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  struct sigaction end = {.sa_handler = end_soon};
  for (int signals[] = {SIGTERM, SIGINT, SIGHUP}, i = 0; i < 3; i++) sigaction(signals[i], &end, NULL);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  umask(077);
  if (argc > 1 && run(argc, argv)) return 0;
  if (!has_failed()) fail_as(argc > 1 ? EIO : EINVAL, argc > 1 ? "output" : "usage", "", NULL);
  bool bytes = argc > 1 && (strcmp(argv[1], "cat") == 0 || strcmp(argv[1], "export") == 0);
  tell_failure(bytes ? 2 : 1);
  return 1;
}
