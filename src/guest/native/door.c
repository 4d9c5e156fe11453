/*
 * A way past the guest, for one client on the same machine: a program of its own gets the descriptor that leads to the
 * session's program, so that a key and its echo, or a gigabyte of input, pass nobody else. What it reads of a terminal
 * comes here at once, for the log, and is looked at a little later: to wake for each key would take from the next one.
 * The guest says who may come. Nobody counts input that came this way.
 */
#include "holder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a visitor reads is taken once it calms down, and no later than that: others look on, too. */
#define LOOK_EVERY 20
#define LOOK_LATEST 160
/* So much at once is no echo, and goes on: it is taken as it comes. */
#define MUCH (2u << 10)
/* For a visitor that is asked to leave; one that stands still is left behind. */
#define LEAVE_WITHIN 1000

static void stop_waiting(struct door *door) {
  if (door->listener >= 0) {
    close(door->listener);
    unlink(door->path);
  }
  door->listener = -1;
  free(door->path);
  door->path = NULL;
}

/* Once nobody is there any more. */
void door_open(struct holder *holder, const struct record *record) {
  struct door *door = &holder->door;
  door_shut(holder);
  door->path = record_text(record);
  door_step(holder);
}

/* It may have read something that is not here yet. */
void door_shut(struct holder *holder) {
  struct door *door = &holder->door;
  stop_waiting(door);
  if (door->visitor < 0 || door->leave_by) return;
  shutdown(door->visitor, SHUT_WR);
  door->leave_by = now_ms() + LEAVE_WITHIN;
}

int door_left(struct holder *holder) {
  struct door *door = &holder->door;
  if (door->visitor < 0) return 0;
  close(door->visitor);
  door->visitor = -1;
  door->look_at = door->leave_by = 0;
  if (holder->request.tty) holder->sources[0].fd = holder->io.holder[1];
  return 1;
}

static int send_descriptor(int to, int fd) {
  char space[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr *control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(control), &fd, sizeof fd);
  return sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Who may come in is said by the owner and mode of the socket, which the guest has changed by now. */
static void enter(struct holder *holder) {
  struct door *door = &holder->door;
  struct source *out = &holder->sources[0];
  int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  stop_waiting(door);
  int over = holder->input.fd < 0 || (holder->request.tty && out->fd < 0);
  if (over || send_descriptor(fd, holder->input.fd) < 0) {
    close(fd);
    return;
  }
  door->visitor = fd;
  door->seen = out->log.end;
  if (holder->request.tty) out->fd = fd;
  uint8_t from[8];
  put64(from, out->log.end);
  link_put(&holder->link, W_DIRECT, from, sizeof from, NULL, 0);
}

/* A terminal's visitor is looked after where output is. */
struct pollfd door_poll(const struct holder *holder) {
  const struct door *door = &holder->door;
  if (door->listener >= 0) return (struct pollfd){door->listener, POLLIN, 0};
  return (struct pollfd){holder->request.tty ? -1 : door->visitor, POLLIN, 0};
}

void door_serve(struct holder *holder) {
  if (holder->door.listener >= 0) enter(holder);
  else door_left(holder);
}

static int amount(const struct door *door) {
  int bytes = 0;
  return ioctl(door->visitor, FIONREAD, &bytes) == 0 ? bytes : 0;
}

int door_later(struct holder *holder, const struct pollfd *found) {
  struct door *door = &holder->door;
  if (door->visitor < 0 || found->fd != door->visitor || found->revents & ~POLLIN) return 0;
  uint64_t end = holder->sources[0].log.end, taken = end - door->seen;
  door->seen = end;
  if (taken >= MUCH) return 0;
  int64_t now = now_ms();
  door->amount = amount(door);
  door->look_at = now + LOOK_EVERY;
  door->look_by = now + LOOK_LATEST;
  return 1;
}

static void look(struct holder *holder) {
  struct door *door = &holder->door;
  int64_t now = now_ms();
  int before = door->amount;
  door->amount = amount(door);
  if (door->amount != before && door->amount < (int)MUCH && now < door->look_by) {
    door->look_at = now + LOOK_EVERY;
    return;
  }
  door->look_at = 0;
  if (source_wanted(holder, &holder->sources[0])) source_read(holder, &holder->sources[0]);
}

/* All that is there, whoever has room for it: whom it was read from will not give it again. */
static void drain(struct holder *holder, struct source *out) {
  uint64_t limit = out->limit, before;
  out->limit = UINT64_MAX;
  do {
    before = out->log.end;
    source_read(holder, out);
  } while (holder->door.visitor >= 0 && out->log.end > before);
  out->limit = limit;
}

void door_step(struct holder *holder) {
  struct door *door = &holder->door;
  if (door->look_at && now_ms() >= door->look_at) look(holder);
  if (door->leave_by && now_ms() >= door->leave_by) {
    if (holder->request.tty) drain(holder, &holder->sources[0]);
    door_left(holder);
  }
  if (!door->path || door->listener >= 0 || door->visitor >= 0) return;
  door->listener = sock_listen(door->path);
  if (door->listener < 0) return stop_waiting(door);
  link_put(&holder->link, W_WAITS, NULL, 0, door->path, strlen(door->path));
}
