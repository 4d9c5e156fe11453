/* What a session's holder sends to whoever comes by its door: see door.c. */
#include "amux.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE 1000

/* Of the descriptor that the holder sends: -1 where there is none. */
static int receive_descriptor(int from) {
  int fd = -1;
  char space[CMSG_SPACE(sizeof fd)], byte;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct pollfd readable = {from, POLLIN, 0};
  if (poll(&readable, 1, PATIENCE) <= 0 || recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  struct cmsghdr *control = CMSG_FIRSTHDR(&message);
  if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS && control->cmsg_len == CMSG_LEN(sizeof fd)) memcpy(&fd, CMSG_DATA(control), sizeof fd);
  return fd;
}

/* A computer may be hostile, and have whoever reads or writes something else do as it likes. */
static int is_what_it_says(int fd, int terminal) {
  struct stat found;
  int number;
  return terminal ? ioctl(fd, TIOCGPTN, &number) == 0 : fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode);
}

int receive_program(int from, int terminal) {
  int fd = receive_descriptor(from);
  if (fd < 0 || is_what_it_says(fd, terminal)) return fd;
  close(fd);
  return -1;
}
