/* A pseudo-terminal: its size set and its owner right before anybody can look. */
#include "amux.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

void pty_resize(int master, uint16_t cols, uint16_t rows) {
  struct winsize size = {.ws_col = cols, .ws_row = rows};
  ioctl(master, TIOCSWINSZ, &size);
}

static int open_slave(int master) {
  int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0) return fd;
  const char *path = ptsname(master);
  return path ? open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
}

int pty_open(const struct request *request, struct stdio *io) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return -1;
  int slave = unlockpt(master) < 0 ? -1 : open_slave(master);
  if (slave < 0) {
    close(master);
    return -1;
  }
  struct termios mode;
  if (tcgetattr(slave, &mode) == 0) {
    mode.c_iflag |= IUTF8; /* erasing in line mode takes whole characters */
    tcsetattr(slave, TCSANOW, &mode);
  }
  pty_resize(master, request->cols, request->rows);
  if (request->has_user) {
    if (fchown(slave, request->uid, request->tty_group)) { /* the terminal works without */ }
    fchmod(slave, 0620);
  }
  set_nonblocking(master);
  io->child[0] = io->child[1] = io->child[2] = slave;
  io->holder[0] = io->holder[1] = master;
  return 0;
}
