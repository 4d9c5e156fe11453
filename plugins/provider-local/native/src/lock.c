/* The lock of a computer: held by its keeper while it runs, by others while it must not. What it says names the processes. */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int open_lock(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return end_leftover(fd), fd;
  int error = errno;
  close(fd);
  return errno = error, -1;
}

void end_leftover(int lock) {
  char text[256] = "", boot[40], old[40];
  int pid;
  unsigned long long ticks;
  if (pread(lock, text, sizeof text - 1, 0) <= 0 || !boot_id(boot)) return;
  if (sscanf(text, "%39s %*d %*u %d %llu", old, &pid, &ticks) != 3 || strcmp(old, boot) != 0) return;
  int fd = open_exact(pid, ticks);
  if (fd < 0) return;
  box_pidfd_kill(fd, SIGKILL);
  struct pollfd poll_ = {.fd = fd, .events = POLLIN};
  poll(&poll_, 1, 10000);
  close(fd);
}
