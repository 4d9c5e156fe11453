#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../common/text.h"
#include "walk.h"

static int by_number(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static void look_at(int proc, const char *pid, struct mapped *mapped) {
  char name[280];
  snprintf(name, sizeof name, "%s/maps", pid);
  int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
  char *text = fd < 0 ? NULL : read_all(fd, NULL);
  if (fd >= 0) close(fd);
  for (char *rest = NULL, *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
    char rights[5];
    unsigned long long ino;
    if (sscanf(line, "%*s %4s %*s %*s %llu", rights, &ino) != 2 || rights[1] != 'w' || rights[3] != 's' || ino == 0) continue;
    mapped->inos = grown(mapped->inos, mapped->count + 1, sizeof *mapped->inos, &mapped->room);
    mapped->inos[mapped->count++] = ino;
  }
  free(text);
}

void mapped_look(const char *processes, struct mapped *mapped) {
  DIR *dir = processes ? opendir(processes) : NULL;
  struct stat stat;
  /* A name that leads nowhere stands for processes out of sight. */
  mapped->hidden = processes && !dir && lstat(processes, &stat) == 0;
  if (!dir) return;
  for (struct dirent *entry; (entry = readdir(dir));)
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') look_at(dirfd(dir), entry->d_name, mapped);
  closedir(dir);
  if (mapped->count > 1) qsort(mapped->inos, mapped->count, sizeof *mapped->inos, by_number);
}

bool mapped_has(const struct mapped *mapped, uint64_t ino) {
  return mapped->count > 0 && bsearch(&ino, mapped->inos, mapped->count, sizeof ino, by_number) != NULL;
}

static void place(struct inomap *map, const struct index *index, uint32_t entry) {
  uint32_t slot = (uint32_t)mix(index->entries[entry].ino) & (map->room - 1);
  while (map->slots[slot]) slot = (slot + 1) & (map->room - 1);
  map->slots[slot] = entry + 1;
}

void inomap_put(struct inomap *map, const struct index *index, uint32_t entry) {
  if (map->count * 2 >= map->room) {
    uint32_t *old = map->slots, room = map->room;
    map->room = room ? room * 2 : 256;
    map->slots = must(calloc(map->room, sizeof *map->slots));
    for (uint32_t i = 0; i < room; i++)
      if (old[i]) place(map, index, old[i] - 1);
    free(old);
  }
  place(map, index, entry);
  map->count++;
}

uint32_t inomap_get(const struct inomap *map, const struct index *index, uint64_t ino) {
  if (map->room == 0) return NONE;
  for (uint32_t slot = (uint32_t)mix(ino) & (map->room - 1); map->slots[slot]; slot = (slot + 1) & (map->room - 1))
    if (index->entries[map->slots[slot] - 1].ino == ino) return map->slots[slot] - 1;
  return NONE;
}
