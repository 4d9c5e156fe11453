/*
 * Standard input and output on one side, a unix socket on the other. A process for each direction: blocking calls need
 * no bookkeeping, and each direction ends by itself.
 */
#include "amux.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[256 << 10];

static int copy(int from, int to) {
  for (;;) {
    ssize_t n = read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return (int)n;
    if (write_all(to, buffer, (size_t)n) < 0) return -1;
  }
}

int bridge_command(const char *path) {
  int fd = sock_connect(path);
  if (fd < 0) {
    note("amux-init: cannot connect to %s: %s", path, strerror(errno));
    return 69;
  }
  signal(SIGPIPE, SIG_IGN);
  pid_t self = getpid();
  pid_t child = fork();
  if (child < 0) die("amux-init: cannot fork: %s", strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) _exit(0);
    copy(0, fd);
    shutdown(fd, SHUT_WR);
    _exit(0);
  }
  close(0);
  copy(fd, 1);
  kill(child, SIGKILL);
  return 0;
}
