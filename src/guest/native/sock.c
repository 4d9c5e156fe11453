/* Unix sockets of which only the same user and root may be a peer: the user whose files it makes. */
#include "amux.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address(const char *path, struct sockaddr_un *name) {
  memset(name, 0, sizeof *name);
  name->sun_family = AF_UNIX;
  if (strlen(path) >= sizeof name->sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(name->sun_path, path);
  return 0;
}

int sock_listen(const char *path) {
  struct sockaddr_un name;
  if (address(path, &name) < 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  unlink(path);
  mode_t mask = umask(0177);
  int failed = bind(fd, (struct sockaddr *)&name, sizeof name) < 0 || listen(fd, 512) < 0;
  umask(mask);
  if (!failed) return fd;
  close(fd);
  return -1;
}

int sock_accept(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return -1;
  struct ucred peer;
  socklen_t length = sizeof peer;
  int known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0;
  if (known && (peer.uid == 0 || peer.uid == (uid_t)setfsuid((uid_t)-1))) return fd;
  close(fd);
  errno = EPERM;
  return -1;
}

int sock_connect(const char *path) {
  struct sockaddr_un name;
  if (address(path, &name) < 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0) return fd;
  close(fd);
  return -1;
}
