#define _GNU_SOURCE
#include "walk.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../common/failure.h"
#include "attrs.h"
#include "cursor.h"
#include "take.h"

/* The names of one directory. */
struct listing {
  struct bytes names;
  uint32_t *offsets, count, room;
};

static const char *sorting;

static int by_name(const void *left, const void *right) {
  return strcmp(sorting + *(const uint32_t *)left, sorting + *(const uint32_t *)right);
}

struct kernel_dirent {
  uint64_t ino, offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

static bool list(int fd, struct listing *listing) {
  static _Alignas(8) char buffer[262144];
  listing->names.used = listing->count = 0;
  for (;;) {
    long got = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (got < 0) return false;
    if (got == 0) break;
    for (long at = 0; at < got;) {
      const struct kernel_dirent *entry = (const struct kernel_dirent *)(buffer + at);
      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      listing->offsets = grown(listing->offsets, listing->count + 1, sizeof *listing->offsets, &listing->room);
      listing->offsets[listing->count++] = (uint32_t)listing->names.used;
      bytes_add(&listing->names, entry->name, strlen(entry->name) + 1);
    }
  }
  sorting = listing->names.data;
  if (listing->count > 1) qsort(listing->offsets, listing->count, sizeof *listing->offsets, by_name);
  /* A directory that changes meanwhile may give a name twice. */
  uint32_t kept = 0;
  for (uint32_t i = 0; i < listing->count; i++)
    if (kept == 0 || strcmp(sorting + listing->offsets[kept - 1], sorting + listing->offsets[i]) != 0) listing->offsets[kept++] = listing->offsets[i];
  listing->count = kept;
  return true;
}

/* The counterpart of a name in another index's directory, whose children are passed in step. */
static uint32_t step_to(const struct index *index, uint32_t *at, uint32_t end, const char *name) {
  for (; *at < end; ++*at) {
    int order = strcmp(name_of(index, *at), name);
    if (order == 0) return (*at)++;
    if (order > 0) break;
  }
  return NONE;
}

static void children_of(const struct index *index, uint32_t directory, uint32_t *at, uint32_t *end) {
  bool is = index && directory != NONE && is_directory(&index->entries[directory]);
  *at = is ? index->entries[directory].first : 0;
  *end = is ? *at + index->entries[directory].count : 0;
}

static bool gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/* The children of one directory, which the cursor can reach. */
static bool take_children(struct taking *taking, struct cursor *cursor, struct listing *listing, uint32_t directory) {
  struct index *out = taking->out;
  uint32_t first = out->count, known_at, known_end, hint_at, hint_end;
  out->entries[directory].first = first;
  out->entries[directory].count = 0;
  if (out->entries[directory].flags & IS_FOREIGN) return true;
  if (!cursor_go(cursor, directory) || !list(cursor_fd(cursor), listing)) return gone(errno) || taking_failed(taking, directory);
  children_of(taking->look->known, taking->twins[directory].known, &known_at, &known_end);
  children_of(taking->look->hint, taking->twins[directory].hint, &hint_at, &hint_end);
  for (uint32_t i = 0; i < listing->count; i++) {
    const char *name = listing->names.data + listing->offsets[i];
    if (directory == taking->root && is_excepted(taking->tree, name)) continue;
    struct twins twins = {
        taking->look->known ? step_to(taking->look->known, &known_at, known_end, name) : NONE,
        taking->look->hint ? step_to(taking->look->hint, &hint_at, hint_end, name) : NONE,
    };
    if (!take_entry(taking, directory, name, &twins)) return false;
  }
  out->entries[directory].count = out->count - first;
  return true;
}

static bool take_tree(struct look *look, struct index *out, const struct request_tree *wanted) {
  int root = open(wanted->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return (errno == ENOENT && wanted->inner) || fail("tree", wanted->name);
  /* What was written to disk shows in its times when it is written again, whoever has it mapped. */
  if (look->mapped.hidden && syncfs(root) < 0) return fail("tree", wanted->name);
  struct taking taking = {.look = look, .out = out, .tree = wanted};
  struct cursor cursor;
  struct listing listing = {0};
  uint32_t *stack = NULL, stack_room = 0, depth = 0;
  index_add_tree(out, wanted->name, wanted->at, wanted->flags);
  cursor_open(&cursor, out, root);
  bool done = take_root(&taking, root);
  if (done) {
    stack = grown(stack, 1, sizeof *stack, &stack_room);
    stack[depth++] = taking.root;
  }
  while (done && depth > 0) {
    uint32_t directory = stack[--depth];
    done = take_children(&taking, &cursor, &listing, directory);
    uint32_t first = out->entries[directory].first, count = out->entries[directory].count;
    for (uint32_t i = first + count; done && i-- > first;) {
      if (!is_directory(&out->entries[i])) continue;
      stack = grown(stack, depth + 1, sizeof *stack, &stack_room);
      stack[depth++] = i;
    }
  }
  out->trees[out->tree_count - 1].end = out->count;
  cursor_close(&cursor);
  taking_close(&taking);
  free(stack);
  free(listing.offsets);
  bytes_free(&listing.names);
  return done;
}

bool walk(struct look *look, struct index *out) {
  *out = (struct index){0};
  stamp(out);
  if (look->request->processes) mapped_look(look->request->processes, &look->mapped);
  bool done = true;
  for (uint32_t i = 0; done && i < look->request->tree_count; i++) {
    const struct request_tree *tree = &look->request->trees[i];
    if (look->skip_shared && (tree->flags & TREE_SHARED)) continue;
    done = take_tree(look, out, tree);
  }
  if (!done) index_free(out);
  return done;
}
