/* A control group of the computer's own, to stop all of its programs at one moment: version 2, or the freezer of version 1. */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char PREFIX[] = "/amux-";

void nap(long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

/* Where that hierarchy is mounted, writable. */
static bool mount_of(bool two, char *path, size_t size) {
  FILE *mounts = fopen("/proc/self/mounts", "re");
  char line[4096], where[1024], type[64], options[1024];
  bool found = false;
  while (mounts && !found && fgets(line, sizeof line, mounts)) {
    if (sscanf(line, "%*s %1023s %63s %1023s", where, type, options) != 3 || !has_word(options, "rw")) continue;
    found = two ? strcmp(type, "cgroup2") == 0 : strcmp(type, "cgroup") == 0 && has_word(options, "freezer");
  }
  if (mounts) fclose(mounts);
  return found && (size_t)snprintf(path, size, "%s", where) < size;
}

/* The group a process is in, as its hierarchy names it. */
static bool name_of(pid_t pid, bool two, char *name, size_t size) {
  char path[64], line[4096];
  snprintf(path, sizeof path, pid ? "/proc/%d/cgroup" : "/proc/self/cgroup", (int)pid);
  FILE *groups = fopen(path, "re");
  bool found = false;
  while (groups && !found && fgets(line, sizeof line, groups)) {
    char *controllers = strchr(line, ':'), *at = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!at) continue;
    *at++ = 0;
    at[strcspn(at, "\n")] = 0;
    if (two ? strncmp(line, "0:", 2) != 0 || controllers[1] : !has_word(controllers + 1, "freezer")) continue;
    found = (size_t)snprintf(name, size, "%s", strcmp(at, "/") == 0 ? "" : at) < size;
  }
  if (groups) fclose(groups);
  return found;
}

static bool put(const struct cgroup *group, const char *file, const char *text) {
  char path[GROUP_PATH + 32];
  snprintf(path, sizeof path, "%s/%s", group->path, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool done = write_all(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return done;
}

static bool says(const struct cgroup *group, const char *file, const char *text) {
  char path[GROUP_PATH + 32], content[512];
  snprintf(path, sizeof path, "%s/%s", group->path, file);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, content, sizeof content - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return false;
  content[length] = 0;
  return strstr(content, text) != NULL;
}

bool group_freeze(const struct cgroup *group, bool freeze) {
  return group->two ? put(group, "cgroup.freeze", freeze ? "1" : "0") : put(group, "freezer.state", freeze ? "FROZEN" : "THAWED");
}

bool group_is_frozen(const struct cgroup *group) {
  return group->two ? says(group, "cgroup.events", "frozen 1") : says(group, "freezer.state", "FROZEN");
}

bool group_take(const struct cgroup *group, pid_t pid) {
  char text[32];
  snprintf(text, sizeof text, "%d", (int)pid);
  return put(group, "cgroup.procs", text);
}

int group_door(const struct cgroup *group) {
  char path[GROUP_PATH + 32];
  snprintf(path, sizeof path, "%s/cgroup.procs", group->path);
  return open(path, O_WRONLY | O_CLOEXEC);
}

/* Below the caller's own group, whose limits go on to hold. */
static bool make(const char *name, bool two, struct cgroup *group) {
  char mount[GROUP_PATH / 4], own[GROUP_PATH / 2];
  struct stat stat_;
  if (!mount_of(two, mount, sizeof mount) || !name_of(0, two, own, sizeof own)) return false;
  group->two = two;
  snprintf(group->path, sizeof group->path, "%s%s", mount, own);
  /* A container may see its group as the root, and yet be told its name. */
  if (stat(group->path, &stat_) != 0) *own = 0;
  snprintf(group->path, sizeof group->path, "%s%s/%.64s", mount, own, name);
  if (mkdir(group->path, 0755) != 0 && errno != EEXIST) return false;
  if (group_freeze(group, false)) return true;
  rmdir(group->path);
  return false;
}

bool group_make(const char *name, pid_t first, struct cgroup *group) {
  for (int version = 2; version > 0; version--) {
    if (!make(name, version == 2, group)) continue;
    if (group_take(group, first)) return true;
    rmdir(group->path);
  }
  *group->path = 0;
  return false;
}

bool group_of(pid_t pid, struct cgroup *group) {
  for (int version = 2; version > 0; version--) {
    char mount[GROUP_PATH / 4], name[GROUP_PATH / 2];
    group->two = version == 2;
    if (!name_of(pid, group->two, name, sizeof name) || !mount_of(group->two, mount, sizeof mount)) continue;
    const char *last = strrchr(name, '/');
    if (!last || strncmp(last, PREFIX, sizeof PREFIX - 1) != 0) continue;
    snprintf(group->path, sizeof group->path, "%s%s", mount, name);
    if (access(group->path, F_OK) == 0) return true;
    /* Seen from a container, as above. */
    snprintf(group->path, sizeof group->path, "%s%s", mount, last);
    if (access(group->path, F_OK) == 0) return true;
  }
  *group->path = 0;
  return false;
}

void group_remove(const char *path) {
  const char *last = strrchr(path, '/');
  if (!last || strncmp(last, PREFIX, sizeof PREFIX - 1) != 0) return;
  /* What has just died is still in it for a moment. */
  for (int tries = 0; tries < 1000 && rmdir(path) != 0 && errno == EBUSY; tries++) nap(2);
}
