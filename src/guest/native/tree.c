/* Everything that descends from a process, by /proc. */
#include "amux.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
  pid_t pid, parent, group;
  uint64_t ticks;
  int inside;
};
struct table {
  struct entry *entries;
  int count, room;
};

static int read_entry(const char *name, struct entry *entry) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%s/stat", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = read(fd, line, sizeof line - 1);
  close(fd);
  if (n <= 0) return -1;
  line[n] = 0;
  const char *end = strrchr(line, ')'); /* the name before may contain anything */
  entry->pid = atoi(name);
  entry->inside = 0;
  unsigned long user, system;
  if (!end || sscanf(end + 1, " %*c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &entry->parent, &entry->group, &user, &system) != 4) return -1;
  entry->ticks = (uint64_t)user + system;
  return 0;
}

static struct table list_all(void) {
  struct table table = {0};
  DIR *dir = opendir("/proc");
  struct dirent *found;
  while (dir && (found = readdir(dir))) {
    if (found->d_name[0] < '1' || found->d_name[0] > '9') continue;
    if (table.count == table.room) {
      table.room = table.room * 2 + 64;
      table.entries = grow(table.entries, sizeof *table.entries * (size_t)table.room);
    }
    if (read_entry(found->d_name, &table.entries[table.count]) == 0) table.count++;
  }
  if (dir) closedir(dir);
  return table;
}

static int is_inside(const struct table *table, pid_t pid) {
  for (int i = 0; i < table->count; i++)
    if (table->entries[i].pid == pid) return table->entries[i].inside;
  return 0;
}

/* Marks until a pass finds nobody new. */
static struct table list_tree(pid_t root) {
  struct table table = list_all();
  for (int found = 1; found;) {
    found = 0;
    for (int i = 0; i < table.count; i++) {
      struct entry *entry = &table.entries[i];
      if (entry->inside || (entry->parent != root && !is_inside(&table, entry->parent))) continue;
      entry->inside = found = 1;
    }
  }
  return table;
}

void tree_signal(pid_t root, int signal) {
  struct table table = list_tree(root);
  for (int i = 0; i < table.count; i++)
    if (table.entries[i].inside) kill(table.entries[i].pid, signal);
  free(table.entries);
}

void tree_signal_children(pid_t root, int signal) {
  struct table table = list_all();
  for (int i = 0; i < table.count; i++)
    if (table.entries[i].parent == root) kill(table.entries[i].pid, signal);
  free(table.entries);
}

int tree_has_group(pid_t root, pid_t group) {
  struct table table = list_tree(root);
  int found = 0;
  for (int i = 0; i < table.count; i++) found |= table.entries[i].inside && table.entries[i].group == group;
  free(table.entries);
  return found;
}

uint64_t tree_ticks(pid_t root) {
  struct table table = list_tree(root);
  uint64_t total = 0;
  for (int i = 0; i < table.count; i++)
    if (table.entries[i].inside) total += table.entries[i].ticks;
  free(table.entries);
  return total;
}
