/*
 * Whoever looks at the service's own session sees what the program says, and may type. What it cannot take is left
 * out: it must not hold the program back, which may be nobody's. A terminal is given time, or its screen would be torn.
 */
#include "record.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE 30000
#define FAREWELL 2000

static struct {
  int tty, input, late;
  size_t start, length;
  int64_t since;
  uint8_t rest[256u << 10];
} view;

void view_open(int tty) {
  view.tty = tty && isatty(0);
  view.input = 0;
  for (int fd = 0; fd < 3; fd++) set_nonblocking(fd);
  struct termios mode;
  if (!view.tty || tcgetattr(0, &mode) < 0) return;
  cfmakeraw(&mode);
  tcsetattr(0, TCSANOW, &mode);
}

int view_holds(void) { return view.tty && view.length > 0; }

void view_put(uint8_t stream, const uint8_t *data, size_t length) {
  ssize_t n;
  do n = write(stream == 2 ? 2 : 1, data, length); while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN) return;
  size_t left = length - (n > 0 ? (size_t)n : 0);
  if (left == 0) view.late = 0;
  if (left == 0 || !view.tty || view.late || left > sizeof view.rest) return;
  memcpy(view.rest, data + length - left, left);
  view.start = 0;
  view.length = left;
  view.since = now_ms();
}

int view_poll(struct pollfd *polls, int room) {
  polls[0] = (struct pollfd){room ? view.input : -1, POLLIN, 0};
  polls[1] = (struct pollfd){view.length > 0 ? 1 : -1, POLLOUT, 0};
  return 2;
}

static void write_rest(void) {
  ssize_t n = write(1, view.rest + view.start, view.length);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    if (now_ms() - view.since < PATIENCE) return;
    view.late = 1;
  }
  if (n <= 0) {
    view.length = 0;
    return;
  }
  view.since = now_ms();
  view.start += (size_t)n;
  view.length -= (size_t)n;
}

/* Its end of input is not the program's: whoever looked has gone. */
void view_serve(struct holder *holder, const struct pollfd *polls) {
  if (view.length > 0) write_rest();
  if (!polls[0].revents) return;
  static uint8_t typed[WIRE_INPUT / 2];
  ssize_t n = read(view.input, typed, sizeof typed);
  if (n > 0) input_add(holder, typed, (size_t)n);
  else if (n == 0 || (errno != EAGAIN && errno != EINTR)) view.input = -1;
}

void view_resized(struct holder *holder) {
  struct winsize size;
  if (!view.tty || ioctl(0, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0) return;
  pty_resize(holder->io.holder[0], size.ws_col, size.ws_row);
}

void view_drain(void) {
  for (int64_t until = now_ms() + FAREWELL; view.length > 0 && now_ms() < until;) {
    struct pollfd writable = {1, POLLOUT, 0};
    poll(&writable, 1, 50);
    write_rest();
  }
}
