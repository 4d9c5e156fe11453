#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <fcntl.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "intent.h"
#include "pack.h"
#include "tool.h"

static bool lies_within(struct store *store, const struct object *object) {
  char name[16];
  struct stat stat;
  pack_name(object->pack, name);
  if (fstatat(store->packs, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) return fail_as(errno == ENOENT ? EILSEQ : errno, "corrupt", name, NULL);
  return (uint64_t)stat.st_size >= object->offset + object->length || fail_as(EILSEQ, "corrupt", name, NULL);
}

bool verify_command(const struct options *options) {
  struct store store;
  struct point_list list;
  struct numbers numbers;
  struct intent intent;
  if (!open_for_reading(&store, options) || !numbers_read(&store, &numbers) || !points_load(&store, WHOLE, &list)) return false;
  intent_read(&store, &intent);
  for (uint32_t i = 0; i < list.count && !has_failed(); i++)
    for (uint32_t j = 0; j < list.points[i].object_count && lies_within(&store, &list.points[i].objects[j]); j++) continue;
  return !has_failed() && say(1, "sound\n");
}
