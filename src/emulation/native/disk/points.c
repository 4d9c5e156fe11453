#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"
#include "fault.h"
#include "store.h"

bool is_point_id(const char *id) {
  size_t letters = strncmp(id, "auto-", 5) == 0 ? 5 : *id == 'v' ? 1 : 0, digits = strspn(id + letters, "0123456789");
  return letters > 0 && digits > 0 && digits < 19 && id[letters] != '0' && id[letters + digits] == 0;
}

static bool load(int dir, const char *name, enum index_part part, struct index *index, uint64_t *size) {
  int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat stat;
  if (fd < 0) return false;
  bool done = fstat(fd, &stat) == 0;
  errno = done && stat.st_size == 0 ? EILSEQ : errno;
  void *data = done && stat.st_size > 0 ? mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  close(fd);
  if (data == MAP_FAILED) return false;
  done = index_decode(data, (size_t)stat.st_size, part, index);
  int error = errno;
  munmap(data, (size_t)stat.st_size);
  errno = error;
  if (size) *size = (uint64_t)stat.st_size;
  return done;
}

static bool load_point(struct store *store, const char *name, enum index_part part, struct index *index, uint64_t *size) {
  if (load(store->points, name, part, index, size)) return true;
  if (errno == ENOENT) return fail_as(ENOENT, "point", name, "there is no such checkpoint");
  if (errno == ENOTSUP) return fail_as(ENOTSUP, "corrupt", name, "it was written by a newer amux");
  return errno == EILSEQ ? fail("corrupt", name) : fail("point", name);
}

bool point_load(struct store *store, const char *id, enum index_part part, struct index *index) {
  if (!is_point_id(id)) return fail_as(ENOENT, "point", id, "there is no such checkpoint");
  return load_point(store, id, part, index, NULL);
}

/* One that is to be removed: it may be renamed away already, and damaged, when what it held is not known. */
bool point_peek(struct store *store, const char *name, struct index *index, uint64_t *size) {
  *index = (struct index){0};
  *size = 0;
  if (load(store->points, name, WITH_OBJECTS, index, size) || errno == EILSEQ || errno == ENOTSUP) return true;
  return errno == ENOENT ? fail_as(ENOENT, "point", name, "there is no such checkpoint") : fail("point", name);
}

static int by_serial(const void *left, const void *right, void *context) {
  const struct index *points = context;
  uint64_t a = points[*(const uint32_t *)left].serial, b = points[*(const uint32_t *)right].serial;
  return a < b ? -1 : a > b;
}

/* musl has no qsort_r in older versions; lists are short. */
static void sort_by_age(struct point_list *list) {
  for (uint32_t i = 1; i < list->count; i++) {
    for (uint32_t j = i; j > 0; j--) {
      uint32_t left = j - 1;
      if (by_serial(&left, &j, list->points) <= 0) break;
      struct index point = list->points[j];
      char *id = list->ids[j];
      uint64_t size = list->file_sizes[j];
      list->points[j] = list->points[left], list->ids[j] = list->ids[left], list->file_sizes[j] = list->file_sizes[left];
      list->points[left] = point, list->ids[left] = id, list->file_sizes[left] = size;
    }
  }
}

static bool among(char *const *ids, uint32_t count, const char *id) {
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(ids[i], id) == 0) return true;
  return false;
}

bool points_load(struct store *store, enum index_part part, struct point_list *list) {
  return points_load_but(store, part, NULL, 0, list);
}

bool points_load_but(struct store *store, enum index_part part, char *const *ids, uint32_t count, struct point_list *list) {
  *list = (struct point_list){0};
  int fd = openat(store->points, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return fail("points", store->path);
  bool done = true;
  for (struct dirent *entry; done && (entry = readdir(dir));) {
    if (!is_point_id(entry->d_name) || among(ids, count, entry->d_name)) continue;
    if (list->count == list->room) {
      list->room = list->room ? list->room * 2 : 32;
      list->ids = must(realloc(list->ids, list->room * sizeof *list->ids));
      list->points = must(realloc(list->points, list->room * sizeof *list->points));
      list->file_sizes = must(realloc(list->file_sizes, list->room * sizeof *list->file_sizes));
    }
    done = load_point(store, entry->d_name, part, &list->points[list->count], &list->file_sizes[list->count]);
    if (done) list->ids[list->count++] = must(strdup(entry->d_name));
  }
  closedir(dir);
  sort_by_age(list);
  if (!done) points_free(list);
  return done;
}

void points_free(struct point_list *list) {
  for (uint32_t i = 0; i < list->count; i++) {
    index_free(&list->points[i]);
    free(list->ids[i]);
  }
  free(list->points);
  free(list->ids);
  free(list->file_sizes);
  *list = (struct point_list){0};
}

static bool write_index(int dir, const char *name, struct index *index, bool durable) {
  struct bytes data = index_encode(index);
  unlinkat(dir, name, 0);
  int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool done = fd >= 0 && write_all(fd, data.data, data.used) && (!durable || fsync(fd) == 0);
  int error = errno;
  if (fd >= 0) close(fd);
  bytes_free(&data);
  errno = error;
  return done;
}

bool point_publish(struct store *store, const char *kind, struct index *index, uint64_t last_pack) {
  struct numbers numbers;
  char id[32], new_name[48];
  if (!numbers_read(store, &numbers)) return false;
  bool automatic = strcmp(kind, "auto") == 0;
  if (automatic) snprintf(id, sizeof id, "auto-%" PRIu64, ++numbers.automatic);
  else snprintf(id, sizeof id, "v%" PRIu64, ++numbers.v);
  snprintf(new_name, sizeof new_name, ".new-%s", id);
  index->serial = ++numbers.serial;
  if (last_pack > numbers.pack) numbers.pack = last_pack;
  free(index->id);
  index->id = must(strdup(id));
  bool done = step("point-write") && write_index(store->points, new_name, index, true) && step("point-sync");
  if (!done) fail("point", id);
  done = done && numbers_write(store, &numbers);
  if (done && !(step("publish") && renameat(store->points, new_name, store->points, id) == 0 && sync_dir(store->points) == 0)) done = fail("publish", id);
  if (!done) {
    unlinkat(store->points, new_name, 0);
    unlinkat(store->points, id, 0);
  }
  return done;
}

void live_load(struct store *store, struct index *live) {
  if (load(store->root, "live", WHOLE, live, NULL)) return;
  struct point_list list;
  *live = (struct index){0};
  if (points_load(store, ONLY_HEAD, &list)) {
    if (list.count == 0 || !load(store->points, list.ids[list.count - 1], WHOLE, live, NULL)) *live = (struct index){0};
    points_free(&list);
  } else {
    forget_failure();
  }
}

bool live_write(struct store *store, struct index *live, bool durable) {
  bool done = step("live") && write_index(store->root, ".new-live", live, durable) && renameat(store->root, ".new-live", store->root, "live") == 0 &&
              (!durable || sync_dir(store->root) == 0);
  if (!done) unlinkat(store->root, ".new-live", 0);
  return done;
}
