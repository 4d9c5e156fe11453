#define _GNU_SOURCE
#include "store.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../common/failure.h"
#include "../common/text.h"

int sync_dir(int fd) {
  return fsync(fd);
}

static int open_dir(int at, const char *name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int make_dir(int at, const char *name) {
  int fd = open_dir(at, name);
  if (fd >= 0 || errno != ENOENT) return fd;
  if (mkdirat(at, name, 0700) != 0 && errno != EEXIST) return -1;
  sync_dir(at);
  return open_dir(at, name);
}

bool store_open(struct store *store, const char *path, bool create) {
  *store = (struct store){.path = path, .root = -1, .points = -1, .packs = -1, .lock = -1};
  store->root = create ? make_dir(AT_FDCWD, path) : open_dir(AT_FDCWD, path);
  if (store->root < 0) return fail("store", path);
  struct stat stat;
  if (fstat(store->root, &stat) != 0) return fail("store", path);
  store->device = stat.st_dev;
  store->ino = stat.st_ino;
  store->points = create ? make_dir(store->root, "points") : open_dir(store->root, "points");
  store->packs = create ? make_dir(store->root, "packs") : open_dir(store->root, "packs");
  store->lock = openat(store->root, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->points < 0 || store->packs < 0 || store->lock < 0) return fail("store", path);
  return true;
}

bool store_lock(struct store *store, enum lock_kind kind, long wait_seconds) {
  int how = (kind == LOCK_SHARED_WAY ? LOCK_SH : LOCK_EX) | LOCK_NB;
  struct timespec begun, now;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  for (bool told = false; flock(store->lock, how) != 0; told = true) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail("lock", store->path);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - begun.tv_sec >= wait_seconds) return fail_as(EBUSY, "busy", store->path, "another checkpoint or restore is at work");
    if (!told) say(1, "waiting\n");
    nanosleep(&(struct timespec){0, 20000000}, NULL);
  }
  return true;
}
