#define _GNU_SOURCE
#include "intent.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "fault.h"

static void add_line(struct bytes *out, const char *word, const char *value) {
  if (!value) return;
  size_t room = strlen(value) * 3 + 4;
  char *escaped = must(malloc(room));
  escape_field(value, escaped, room);
  bytes_text(out, "%s\t%s\n", word, escaped);
  free(escaped);
}

bool intent_write(struct store *store, const struct intent *intent) {
  struct bytes out = {0};
  add_line(&out, "id", intent->id);
  add_line(&out, "safety", intent->safety);
  add_line(&out, "drop", intent->drop);
  add_line(&out, "mark", intent->mark);
  add_line(&out, "temporary", intent->temporary);
  if (intent->skip_shared) add_line(&out, "skip-shared", "1");
  for (uint32_t i = 0; i < intent->path_count; i++) add_line(&out, "path", intent->paths[i]);
  bytes_add(&out, "", 1);
  bool done = sealed_write(store, "intent", out.data);
  bytes_free(&out);
  return done;
}

bool intent_read(struct store *store, struct intent *intent) {
  *intent = (struct intent){0};
  char *text = sealed_read(store, "intent"), *fields[MAX_FIELDS], *rest = NULL;
  if (!text) return false;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (split_fields(line, fields) != 2) continue;
    const char *word = fields[0];
    char *value = must(strdup(fields[1]));
    if (strcmp(word, "id") == 0) intent->id = value;
    else if (strcmp(word, "safety") == 0) intent->safety = value;
    else if (strcmp(word, "drop") == 0) intent->drop = value;
    else if (strcmp(word, "mark") == 0) intent->mark = value;
    else if (strcmp(word, "temporary") == 0) intent->temporary = value;
    else if (strcmp(word, "skip-shared") == 0) intent->skip_shared = true;
    else if (strcmp(word, "path") == 0) {
      intent->paths = grown(intent->paths, intent->path_count + 1, sizeof *intent->paths, &intent->path_room);
      intent->paths[intent->path_count++] = value;
    }
  }
  free(text);
  return (intent->id && intent->safety && intent->temporary) || fail_as(EILSEQ, "corrupt", "intent", NULL);
}

bool intent_remove(struct store *store) {
  if (!step("intent-remove")) return fail("intent", store->path);
  return (unlinkat(store->root, "intent", 0) == 0 && sync_dir(store->root) == 0) || fail("intent", store->path);
}

bool make_mark(const char *mark) {
  if (!mark) return true;
  int fd = step("mark") ? open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
  bool done = fd >= 0 && fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return done || fail("mark", mark);
}

bool system_fits(const struct request *request, const struct index *then) {
  if (request->path_count > 0) return true;
  for (uint32_t i = 0; i < then->tree_count; i++)
    if (strcmp(then->trees[i].at, "/") == 0 && !wanted_tree(request, then->trees[i].name)) return fail_as(EXDEV, "system", then->trees[i].name, NULL);
  return true;
}

/* Where whoever runs this waits for its word that all is done: before nothing else says so. */
bool say_done(void) {
  const char *file = getenv("AMUX_DONE");
  if (!file) return true;
  int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  bool done = fd >= 0 && step("done") && write(fd, "done", 4) == 4 && fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return done || fail("mark", file);
}

void add_missing(struct bytes *out, const struct request *request, const struct index *then, bool skip_shared) {
  bool any = false;
  for (uint32_t i = 0; i < then->tree_count; i++) {
    const struct tree *tree = &then->trees[i];
    if (wanted_tree(request, tree->name) || (skip_shared && tree->flags & TREE_SHARED)) continue;
    bytes_add(out, any ? "," : ",\"missing\":[", any ? 1 : 12);
    json_string(out, tree->name, strlen(tree->name));
    any = true;
  }
  if (any) bytes_add(out, "]", 1);
}
