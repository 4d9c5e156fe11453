#define _GNU_SOURCE
#include "request.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "bytes.h"
#include "index.h"
#include "tool.h"

char *next_line(void) {
  static struct bytes buffer;
  static size_t start;
  for (size_t seen = start;;) {
    char *end = buffer.used > seen ? memchr(buffer.data + seen, '\n', buffer.used - seen) : NULL;
    if (end) {
      char *line = buffer.data + start;
      *end = 0;
      start = (size_t)(end - buffer.data) + 1;
      return line;
    }
    if (start > 0) {
      memmove(buffer.data, buffer.data + start, buffer.used - start);
      buffer.used -= start;
      start = 0;
    }
    seen = buffer.used;
    ssize_t got = read(0, bytes_room(&buffer, 65536), 65536);
    if (got < 0 && errno == EINTR && !asked_to_end) continue;
    if (got <= 0) return NULL;
    buffer.used += (size_t)got;
  }
}

static bool clean_path(const char *path) {
  if (path[0] != '/') return false;
  if (path[1] == 0) return true;
  for (const char *at = path + 1;; at++) {
    size_t length = strcspn(at, "/");
    if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.')) return false;
    at += length;
    if (!*at) return true;
  }
}

static bool add_tree(struct request *request, char **field, int count) {
  if (count < 4 || wanted_tree(request, field[1]) || !*field[1] || !clean_path(field[3])) return false;
  request->trees = grown(request->trees, request->tree_count + 1, sizeof *request->trees, &request->tree_room);
  struct request_tree *tree = &request->trees[request->tree_count++];
  *tree = (struct request_tree){.name = must(strdup(field[1])), .path = must(strdup(field[2])), .at = must(strdup(field[3]))};
  if (count > 4 && strstr(field[4], "shared")) tree->flags |= TREE_SHARED;
  if (count > 4 && strstr(field[4], "layer")) tree->flags |= TREE_LAYER;
  if (count > 4 && strstr(field[4], "inner")) tree->inner = true;
  if (count > 5 && *field[5]) tree->base = must(strdup(field[5]));
  return true;
}

static bool add_except(struct request *request, char **field) {
  struct request_tree *tree = (struct request_tree *)wanted_tree(request, field[1]);
  if (!tree || !*field[2] || strchr(field[2], '/')) return false;
  tree->except = grown(tree->except, tree->except_count + 1, sizeof *tree->except, &tree->except_room);
  tree->except[tree->except_count++] = must(strdup(field[2]));
  return true;
}

static bool add_path(struct request *request, const char *path) {
  if (!clean_path(path)) return fail_as(EINVAL, "path", path, NULL);
  request->paths = grown(request->paths, request->path_count + 1, sizeof *request->paths, &request->path_room);
  request->paths[request->path_count++] = must(strdup(path));
  return true;
}

static bool add_outdated(struct request *request, const char *id) {
  request->outdated = grown(request->outdated, request->outdated_count + 1, sizeof *request->outdated, &request->outdated_room);
  request->outdated[request->outdated_count++] = must(strdup(id));
  return true;
}

bool read_request(struct request *request) {
  char *fields[MAX_FIELDS], *line;
  *request = (struct request){0};
  while ((line = next_line())) {
    if (strcmp(line, "end") == 0) return true;
    int count = split_fields(line, fields);
    bool good = false;
    if (count >= 4 && strcmp(fields[0], "tree") == 0) good = add_tree(request, fields, count);
    else if (count == 3 && strcmp(fields[0], "except") == 0) good = add_except(request, fields);
    else if (count == 2 && strcmp(fields[0], "path") == 0) good = add_path(request, fields[1]);
    else if (count == 2 && strcmp(fields[0], "outdated") == 0) good = add_outdated(request, fields[1]);
    else if (count == 2 && strcmp(fields[0], "drop") == 0) good = (request->drop = must(strdup(fields[1]))) != NULL;
    else if (count == 2 && strcmp(fields[0], "processes") == 0) good = (request->processes = must(strdup(fields[1]))) != NULL;
    if (!good) return fail_as(EINVAL, "request", count > 0 ? fields[0] : "", NULL);
  }
  return fail_as(EPIPE, "request", "", "it ended before its last line");
}

const struct request_tree *wanted_tree(const struct request *request, const char *name) {
  for (uint32_t i = 0; i < request->tree_count; i++)
    if (strcmp(request->trees[i].name, name) == 0) return &request->trees[i];
  return NULL;
}

void make_inner(const struct request *request) {
  for (uint32_t i = 0; i < request->tree_count; i++)
    if (request->trees[i].inner) mkdir(request->trees[i].path, 0755);
}

bool is_excepted(const struct request_tree *tree, const char *entry) {
  for (uint32_t i = 0; i < tree->except_count; i++)
    if (strcmp(tree->except[i], entry) == 0) return true;
  return false;
}
