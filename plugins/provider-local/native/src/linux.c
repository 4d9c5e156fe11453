#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture. */
enum { NR_pidfd_send_signal = 424, NR_open_tree = 428, NR_move_mount = 429, NR_pidfd_open = 434, NR_close_range = 436, NR_openat2 = 437, NR_mount_setattr = 442 };

struct mount_attr {
  uint64_t set, clear, propagation, userns_fd;
};
struct open_how {
  uint64_t flags, mode, resolve;
};

int box_open_tree(int dirfd, const char *path, unsigned flags) {
  return (int)syscall(NR_open_tree, dirfd, path, flags | O_CLOEXEC);
}

int box_move_mount(int from, int to_dirfd, const char *to, unsigned flags) {
  return (int)syscall(NR_move_mount, from, "", to_dirfd, to, flags | BOX_MOVE_F_EMPTY_PATH);
}

int box_mount_attr(int fd, uint64_t set, bool recursive) {
  struct mount_attr attr = {.set = set};
  return (int)syscall(NR_mount_setattr, fd, "", BOX_AT_EMPTY_PATH | (recursive ? BOX_AT_RECURSIVE : 0), &attr, sizeof attr);
}

int box_open_beneath(int dirfd, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(unsigned)flags, .resolve = BOX_RESOLVE_BENEATH | BOX_RESOLVE_NO_SYMLINKS};
  return (int)syscall(NR_openat2, dirfd, path, &how, sizeof how);
}

int box_pidfd_open(pid_t pid) {
  return (int)syscall(NR_pidfd_open, pid, 0);
}

int box_pidfd_kill(int pidfd, int signal) {
  return (int)syscall(NR_pidfd_send_signal, pidfd, signal, NULL, 0);
}

void box_cloexec_from(int first) {
  if (syscall(NR_close_range, first, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) == 0) return;
  for (int fd = first; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}
