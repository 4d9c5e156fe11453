/* Names that an allowed answer said are its alias: a resolver may go on to ask for them by themselves. */
#include "net.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, MOST = 4096 };

struct alias {
  struct alias *next, *older, *newer;
  uint64_t until;
  char *path, name[];
};

static struct alias *buckets[BUCKETS], *oldest, *newest;
static int count;

static struct alias **find(const char *name) {
  struct alias **at = &buckets[hash_text(name, strlen(name)) % BUCKETS];
  while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
  return at;
}

static void drop(struct alias **at) {
  struct alias *alias = *at;
  *at = alias->next;
  *(alias->older ? &alias->older->newer : &oldest) = alias->newer;
  *(alias->newer ? &alias->newer->older : &newest) = alias->older;
  free(alias->path), free(alias);
  count--;
}

void learn_alias(const char *name, const char *path, uint32_t ttl) {
  struct alias **at = find(name);
  if (*at) drop(at);
  if (count == MOST) drop(find(oldest->name));
  size_t length = strlen(name) + 1;
  struct alias *alias = calloc(1, sizeof *alias + length);
  char *copy = strdup(path);
  if (!alias || !copy) return free(alias), free(copy);
  memcpy(alias->name, name, length);
  alias->path = copy, alias->until = now() + (uint64_t)(ttl < 10 ? 10 : ttl > 3600 ? 3600 : ttl) * 1000;
  at = &buckets[hash_text(name, length - 1) % BUCKETS];
  alias->next = *at, *at = alias;
  alias->older = newest;
  *(newest ? &newest->newer : &oldest) = alias;
  newest = alias;
  count++;
}

const char *path_of_alias(const char *name) {
  struct alias **at = find(name);
  if (*at && (*at)->until <= now()) drop(at);
  return *at ? (*at)->path : NULL;
}
