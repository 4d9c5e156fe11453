/* What a recorder leaves in its directory. Files change at once or not at all. */
#include "record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static void replace_file(const char *name, const char *text) {
  char fresh[64];
  snprintf(fresh, sizeof fresh, "%s.new", name);
  /* Not emptied first: on a full disk what was kept free for it is all there is. */
  int fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  int kept = write_all(fd, text, strlen(text)) == 0 && ftruncate(fd, (off_t)strlen(text)) == 0;
  close(fd);
  if (kept) rename(fresh, name);
  else unlink(fresh);
}

static void stamp(char *text, size_t size) {
  struct timespec t;
  struct tm parts;
  clock_gettime(CLOCK_REALTIME, &t);
  gmtime_r(&t.tv_sec, &parts);
  size_t length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, size - length, ".%03dZ", (int)(t.tv_nsec / 1000000));
}

/* The kernel's boot and the start of process 1: a container's life is shorter than its kernel's. */
void boot_name(char *text, size_t size) {
  size_t length;
  char *boot = read_whole("/proc/sys/kernel/random/boot_id", &length), *first = read_whole("/proc/1/stat", &length);
  const char *end = first ? strrchr(first, ')') : NULL;
  char start[32] = "0";
  if (end) sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %31s", start);
  snprintf(text, size, "%.36s-%s", boot ? boot : "", start);
  free(boot);
  free(first);
}

void journal_begin(const struct recorder *recorder) {
  char boot[80], text[200];
  boot_name(boot, sizeof boot);
  snprintf(text, sizeof text, "{\"pid\":%d,\"recorder\":%d,\"boot\":\"%s\"}", (int)recorder->holder.pid, (int)getpid(), boot);
  replace_file("life", text);
  replace_file("record.json", recorder->record);
  /* How it ends is known also where its output filled the disk. */
  memset(text, ' ', sizeof text - 1);
  text[sizeof text - 1] = 0;
  write_file("status.new", text);
}

void journal_end(struct recorder *recorder) {
  char at[64], *text = recorder->status;
  const struct holder *holder = &recorder->holder;
  stamp(at, sizeof at);
  snprintf(text, sizeof recorder->status, "{\"status\":\"%s\",\"number\":%d,\"endedAt\":\"%s\"}", holder->by_signal ? "killed" : "exited", holder->status, at);
  replace_file("status", text);
}

void journal_refused(const char *why, int stage, int error) {
  char text[200];
  snprintf(text, sizeof text, "{\"status\":\"refused\",\"why\":\"%s\",\"stage\":%d,\"number\":%d}", why, stage, error);
  replace_file("status", text);
}

int journal_hello(const struct recorder *recorder, char *text, size_t size) {
  const struct holder *holder = &recorder->holder;
  struct winsize window = {0};
  int viewers = 0, owned = 0;
  if (holder->request.tty) ioctl(holder->io.holder[0], TIOCGWINSZ, &window);
  for (int i = 0; i < recorder->count; i++) {
    uint8_t role = recorder->peers[i].role;
    viewers += role == ROLE_OWNER || role == ROLE_VIEWER;
    owned |= role == ROLE_OWNER;
  }
  return snprintf(text, size, "{\"pid\":%d,\"cols\":%d,\"rows\":%d,\"viewers\":%d,\"owned\":%s,\"idle\":%lld}", (int)holder->pid, window.ws_col, window.ws_row, viewers,
                  owned ? "true" : "false", (long long)(now_ms() - recorder->active));
}
