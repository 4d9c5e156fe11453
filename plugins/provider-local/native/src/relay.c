/* What goes on while a watched program runs: its control channel, and its terminal if it has one. */
#include "box.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { CONTROL = 3, COMMAND = 5 };

bool open_terminal(int *master, int *terminal, unsigned short cols, unsigned short rows) {
  int unlock = 0;
  struct winsize size = {.ws_col = cols, .ws_row = rows};
  *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*master < 0 || ioctl(*master, TIOCSPTLCK, &unlock) != 0) return false;
  *terminal = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return *terminal >= 0 && ioctl(*terminal, TIOCSWINSZ, &size) == 0;
}

void release_stdio(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int i = 0; i < 3; i++) dup2(null, i);
}

/* Five bytes: 's' and a signal's number, or 'r' and columns and rows, 16 bits each. False: the caller is gone. */
static bool obey(pid_t pid, int master) {
  static unsigned char command[COMMAND];
  static size_t have;
  ssize_t got = read(CONTROL, command + have, COMMAND - have);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  if ((have += (size_t)got) < COMMAND) return true;
  have = 0;
  if (command[0] == 's') kill(pid, command[1]);
  if (command[0] == 'r' && master >= 0) {
    struct winsize size = {.ws_col = (unsigned short)(command[1] << 8 | command[2]), .ws_row = (unsigned short)(command[3] << 8 | command[4])};
    ioctl(master, TIOCSWINSZ, &size);
  }
  return true;
}

struct pump {
  int from, to;
  char data[65536];
  size_t start, end;
  bool over;
};

static void step(struct pump *pump, const struct pollfd *in, const struct pollfd *out) {
  if (pump->start == pump->end && !pump->over && in->revents) {
    ssize_t got = read(pump->from, pump->data, sizeof pump->data);
    if (got <= 0 && !(got < 0 && (errno == EINTR || errno == EAGAIN))) pump->over = true;
    pump->start = 0, pump->end = got > 0 ? (size_t)got : 0;
    return;
  }
  if (pump->start == pump->end || !out->revents) return;
  ssize_t done = write(pump->to, pump->data + pump->start, pump->end - pump->start);
  if (done < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (done < 0) pump->over = true, pump->start = pump->end;
  else pump->start += (size_t)done;
}

int relay(pid_t pid, int master) {
  static struct pump in, out;
  in = (struct pump){.from = 0, .to = master, .over = master < 0};
  out = (struct pump){.from = master, .to = 1, .over = master < 0};
  int child = box_pidfd_open(pid), status = 0;
  bool caller = true, ended = false;
  if (master >= 0) fcntl(master, F_SETFL, O_NONBLOCK);
  while (!ended || !out.over || out.start < out.end) {
    bool in_full = in.start < in.end, out_full = out.start < out.end;
    struct pollfd polls[6] = {
        {.fd = caller ? CONTROL : -1, .events = POLLIN},
        {.fd = ended ? -1 : child, .events = POLLIN},
        {.fd = in.over || in_full ? -1 : in.from, .events = POLLIN},
        {.fd = in_full && !ended ? in.to : -1, .events = POLLOUT},
        {.fd = out.over || out_full ? -1 : out.from, .events = POLLIN},
        {.fd = out_full ? out.to : -1, .events = POLLOUT},
    };
    /* After the end, what the terminal still holds is read; a background program that keeps it open does not delay. */
    int ready = poll(polls, 6, ended ? 200 : -1);
    if (ready == 0 && ended && out.start == out.end) break;
    if (polls[0].revents && !obey(pid, master)) {
      caller = false;
      kill(pid, SIGKILL);
    }
    if (polls[1].revents && waitpid(pid, &status, WNOHANG) == pid) ended = true;
    step(&in, &polls[2], &polls[3]);
    step(&out, &polls[4], &polls[5]);
    if (!caller && ended) break;
  }
  return status;
}
