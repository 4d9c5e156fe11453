/* What the directories of recorded sessions say: one JSON document a line. */
#include "record.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a recorder that is there; it answers at once. */
#define PATIENCE 2000

static void print_file(const char *key, const char *name) {
  size_t length = 0;
  char *text = read_whole(name, &length);
  for (size_t i = 0; i < length; i++)
    if (text[i] == '\n') text[i] = ' ';
  printf(",\"%s\":%s", key, text && length > 0 ? text : "null");
  free(text);
}

/* What is true now, by the recorder's own word. */
static void print_live(void) {
  static struct link link;
  static const uint8_t role = ROLE_ASIDE;
  int fd = sock_connect("sock");
  link_open(&link, fd);
  link_put(&link, R_ROLE, NULL, 0, &role, 1);
  link_flush(&link);
  struct record record = {0};
  for (int64_t until = now_ms() + PATIENCE; link.fd >= 0 && now_ms() < until;) {
    struct pollfd readable = {fd, POLLIN, 0};
    if (poll(&readable, 1, 100) < 0 || (readable.revents && link_fill(&link) < 0)) break;
    if (link_next(&link, &record) <= 0 || record.tag != R_HELLO) continue;
    printf(",\"live\":%.*s", (int)record.length, (const char *)record.data);
    break;
  }
  link_close(&link);
}

static int64_t touched(void) {
  int64_t newest = 0;
  DIR *dir = opendir(".");
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    struct stat found;
    if (entry->d_name[0] == '.' || stat(entry->d_name, &found) < 0) continue;
    int64_t at = (int64_t)found.st_mtim.tv_sec * 1000 + found.st_mtim.tv_nsec / 1000000;
    if (at > newest) newest = at;
  }
  if (dir) closedir(dir);
  return newest;
}

static int is_id(const char *name) {
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return length > 0 && length <= 32 && name[length] == 0;
}

int records_command(const char *root) {
  char boot[80];
  boot_name(boot, sizeof boot);
  DIR *dir = opendir(root);
  if (!dir) return 0; /* there never was one */
  for (struct dirent *entry; (entry = readdir(dir));) {
    char *path = path_of(root, entry->d_name);
    if (!is_id(entry->d_name) || chdir(path) < 0 || access("record.json", F_OK) < 0) {
      free(path);
      continue;
    }
    printf("{\"id\":\"%s\",\"boot\":\"%s\",\"touched\":%lld", entry->d_name, boot, (long long)touched());
    print_live();
    print_file("record", "record.json");
    print_file("life", "life");
    print_file("status", "status");
    printf("}\n");
    free(path);
  }
  closedir(dir);
  return fflush(stdout) == 0 ? 0 : 1;
}
