/*
 * A computer that hibernates does not count processor time as work. A task of its own says so while the session works;
 * where there is no such thing, nothing happens.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EVERY 60000
#define PATIENCE 5000
#define FAREWELL 200

static struct {
  const char *socket;
  char name[48];
  int fd, kept;
  int64_t due, begun;
  uint64_t ticks;
} awake = {.fd = -1};

void awake_begin(const char *socket, const char *dir) {
  size_t length = strlen(dir);
  while (length > 0 && dir[length - 1] == '/') length--;
  size_t from = length;
  while (from > 0 && dir[from - 1] != '/') from--;
  snprintf(awake.name, sizeof awake.name, "amux-%.*s", (int)(length - from), dir + from);
  awake.socket = socket;
}

static void drop(void) {
  if (awake.fd >= 0) close(awake.fd);
  awake.fd = -1;
}

/* Short enough for the socket's buffer: what does not go out at once is given up. */
static void ask(const char *text) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  drop();
  if (strlen(awake.socket) >= sizeof to.sun_path) return;
  strcpy(to.sun_path, awake.socket);
  awake.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  awake.begun = now_ms();
  size_t length = strlen(text);
  if (awake.fd < 0) return;
  if (connect(awake.fd, (struct sockaddr *)&to, sizeof to) < 0 || send(awake.fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) drop();
}

static void renew(void) {
  char body[96], text[320];
  int length = snprintf(body, sizeof body, "{\"name\":\"%s\",\"expire\":300}", awake.name);
  snprintf(text, sizeof text, "PUT /v1/tasks HTTP/1.1\r\nHost: sprite\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", length, body);
  ask(text);
  if (awake.fd >= 0) awake.kept = 1;
}

static void take_answer(void) {
  char ignored[1024];
  ssize_t n;
  while ((n = recv(awake.fd, ignored, sizeof ignored, MSG_DONTWAIT)) > 0) { /* whatever it says */ }
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) drop();
}

void awake_step(const struct recorder *recorder) {
  int64_t now = now_ms();
  if (awake.fd >= 0) take_answer();
  if (awake.fd >= 0 && now - awake.begun > PATIENCE) drop();
  if (now < awake.due) return;
  awake.due = now + EVERY;
  if (access(awake.socket, F_OK) < 0) return;
  uint64_t ticks = tree_ticks(getpid());
  int works = now - recorder->active < EVERY || ticks != awake.ticks;
  awake.ticks = ticks;
  if (works) renew();
}

struct pollfd awake_poll(void) { return (struct pollfd){awake.fd, POLLIN, 0}; }

int awake_timeout(void) {
  int64_t left = awake.due - now_ms();
  return left > 0 ? (int)left : 0;
}

void awake_end(void) {
  if (!awake.kept) return;
  char text[200];
  snprintf(text, sizeof text, "DELETE /v1/tasks/%s HTTP/1.1\r\nHost: sprite\r\nConnection: close\r\n\r\n", awake.name);
  ask(text);
  struct pollfd readable = {awake.fd, POLLIN, 0};
  if (awake.fd >= 0) poll(&readable, 1, FAREWELL);
  drop();
}
