/* Where a guest lives, and the lock that lets only one supervisor be there. */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_directory(const char *path) {
  if (mkdir(path, 0700) < 0 && errno != EEXIST) die("amux-init: cannot make %s: %s", path, strerror(errno));
}

void place_read(struct place *place, const char *config) {
  place->config = realpath(config, NULL);
  if (!place->config) die("amux-init: cannot read %s: %s", config, strerror(errno));
  size_t length;
  char *json = read_whole(place->config, &length);
  if (!json) die("amux-init: cannot read %s: %s", config, strerror(errno));
  place->store = config_string(json, "store");
  place->run = config_string(json, "run");
  if (!place->store || !place->run) die("amux-init: %s names no store and run directory", config);
  free(json);
  make_directory(place->run);
  make_directory(path_of(place->run, "s"));
}

/* The lock's file also says who holds it. */
int place_lock(struct place *place) {
  char *path = path_of(place->run, "init.lock");
  place->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (place->lock < 0) die("amux-init: cannot open %s: %s", path, strerror(errno));
  free(path);
  return flock(place->lock, LOCK_EX | LOCK_NB);
}

pid_t place_owner(struct place *place) {
  char text[16] = {0};
  return pread(place->lock, text, sizeof text - 1, 0) > 0 ? atoi(text) : 0;
}
