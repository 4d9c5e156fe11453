/* Asked before the first change: running out of space halfway would be mended, but it is better not to begin. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "../common/failure.h"
#include "apply.h"

enum { SPARE = 1 << 20, BTRFS = 0x9123683E, XFS = 0x58465342 };

struct need {
  dev_t device;
  const char *path;
  /* The most that is taken at any moment; files that come. */
  int64_t now, most, files;
};

static int64_t space(struct store *store, const struct index *index, const struct entry *entry) {
  const struct object *object = S_ISREG(entry->mode) && !(entry->flags & IS_UNKNOWN) ? object_of(index, entry) : NULL;
  return object ? (int64_t)content_space(store, object) : 0;
}

static void add_tree(struct store *store, struct need *need, const struct plan *plan, const struct tree *now, const struct tree *then, bool shares) {
  for (uint32_t i = now->root; i < now->end; i++) {
    const struct entry *entry = &plan->now->entries[i];
    if (plan->now_act[i] != ACT_REMOVE) continue;
    need->files--;
    if (!entry->link && S_ISREG(entry->mode) && !shares) need->now -= space(store, plan->now, entry);
  }
  for (uint32_t i = then->root; i < then->end; i++) {
    const struct entry *entry = &plan->then->entries[i];
    if (plan->then_act[i] != ACT_MAKE || plan->first_asked[leader_of(plan->then, i)] != i + 1) {
      if (plan->then_act[i] == ACT_MAKE && is_directory(entry)) need->now += 4096, need->files++;
      continue;
    }
    if (!plan->now_of[i]) need->files++;
    if (S_ISREG(entry->mode) && !(shares && entry->size >= CLONE_FROM)) need->now += space(store, plan->then, entry);
    if (need->now > need->most) need->most = need->now;
    uint32_t old = plan->now_of[i];
    if (old && plan->now_act[old - 1] != ACT_REMOVE && !plan->now->entries[old - 1].link && !shares)
      need->now -= space(store, plan->now, &plan->now->entries[old - 1]);
  }
  if (need->now > need->most) need->most = need->now;
}

bool has_room(struct store *store, const struct request *request, const struct plan *plan) {
  struct need *needs = must(calloc(request->tree_count + 1, sizeof *needs));
  uint32_t count = 0;
  bool done = true;
  for (uint32_t i = 0; i < plan->then->tree_count; i++) {
    const struct tree *then = &plan->then->trees[i], *now = find_tree(plan->now, then->name);
    const struct request_tree *tree = wanted_tree(request, then->name);
    struct stat stat;
    struct statfs fs;
    if (!now || !tree || lstat(tree->path, &stat) != 0 || statfs(tree->path, &fs) != 0) continue;
    uint32_t at = 0;
    while (at < count && needs[at].device != stat.st_dev) at++;
    if (at == count) needs[count++] = (struct need){.device = stat.st_dev, .path = tree->path};
    add_tree(store, &needs[at], plan, now, then, fs.f_type == BTRFS || fs.f_type == XFS);
  }
  for (uint32_t i = 0; i < count && done; i++) {
    struct statvfs fs;
    if (statvfs(needs[i].path, &fs) != 0) continue;
    uint64_t free_bytes = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    bool fits = needs[i].most <= 0 || (uint64_t)needs[i].most + SPARE <= free_bytes;
    bool named = needs[i].files <= 0 || fs.f_files == 0 || (uint64_t)needs[i].files <= fs.f_ffree;
    if (!fits || !named) done = fail_as(ENOSPC, "room", needs[i].path, NULL);
  }
  free(needs);
  return done;
}
