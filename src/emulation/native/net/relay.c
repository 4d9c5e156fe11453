/* Ports of the host's loopback, one connection there for each one here. */
#include "net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 65536, TURNS = 4, MOST = 4096 };

struct end {
  struct source source;
  struct end *other;
  uint8_t *rest; /* what this end did not take yet */
  size_t start, length;
  uint32_t interest;
  bool over;   /* it sends no more */
  bool shut;   /* it was told that no more comes */
  bool joined; /* the connection stands */
};

static struct source listeners[MAX_HOST_PORTS][2];
static int ends;

static void release(struct source *source) {
  free(((struct end *)source)->rest), free(source);
  ends--;
}

static void hang_up(struct end *end) {
  struct end *other = end->other;
  if (end->source.fd >= 0) loop_close(&end->source, release);
  if (other->source.fd >= 0) loop_close(&other->source, release);
}

/* One that has hung up says so for ever: where nothing can be done about it yet, once is enough. */
static void set_interest(struct end *end) {
  bool may_read = !end->over && end->other->length == 0 && end->joined && end->other->joined;
  uint32_t interest = (may_read ? EPOLLIN : 0u) | (end->length > 0 || !end->joined ? EPOLLOUT : 0u);
  if (interest == 0) interest = EPOLLET;
  if (interest != end->interest) loop_change(&end->source, interest);
  end->interest = interest;
}

/* False: the connection is of no use any more. */
static bool flush(struct end *end) {
  while (end->length > 0) {
    ssize_t done = send(end->source.fd, end->rest + end->start, end->length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0) return errno == EAGAIN || errno == EINTR;
    end->start += (size_t)done, end->length -= (size_t)done;
  }
  free(end->rest);
  end->rest = NULL;
  if (end->other->over && !end->shut) {
    shutdown(end->source.fd, SHUT_WR);
    end->shut = true;
  }
  return true;
}

static bool keep(struct end *end, const uint8_t *data, size_t length) {
  end->rest = malloc(length);
  if (!end->rest) return false;
  memcpy(end->rest, data, length);
  end->start = 0, end->length = length;
  return true;
}

static bool pump(struct end *from) {
  static uint8_t chunk[CHUNK];
  struct end *to = from->other;
  for (int turn = 0; turn < TURNS && !from->over && to->length == 0; turn++) {
    ssize_t got = recv(from->source.fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return from->over = true, flush(to);
    ssize_t done = send(to->source.fd, chunk, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (done < 0) done = 0;
    if (done < got && !keep(to, chunk + done, (size_t)(got - done))) return false;
  }
  return true;
}

static void on_end(struct source *source, uint32_t events) {
  struct end *end = (struct end *)source, *other = end->other;
  if (!end->joined) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return hang_up(end);
    end->joined = true;
  }
  if (events & EPOLLERR) return hang_up(end);
  if (events & EPOLLOUT && !flush(end)) return hang_up(end);
  if (events & (EPOLLIN | EPOLLHUP) && other->joined && !pump(end)) return hang_up(end);
  if (end->over && other->over && end->length == 0 && other->length == 0) return hang_up(end);
  /* Both directions are gone, yet somebody's rest cannot be delivered. */
  if (events & EPOLLHUP && end->length > 0) return hang_up(end);
  set_interest(end), set_interest(other);
}

/* Lookups and new policies need descriptors, too. */
static bool too_many(void) {
  return ends >= 2 * MOST || ends >= serve.files / 4;
}

static void join(int near, uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct end *here = calloc(1, sizeof *here), *there = calloc(1, sizeof *there);
  int far = too_many() ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool done = here && there && far >= 0 && (connect(far, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS);
  if (done) here->other = there, there->other = here, here->joined = true, here->interest = EPOLLET, there->interest = EPOLLOUT;
  if (done && loop_add(&here->source, near, EPOLLET, on_end) && loop_add(&there->source, far, EPOLLOUT, on_end)) {
    ends += 2;
    return;
  }
  free(here), free(there);
  close(near);
  if (far >= 0) close(far);
}

static void on_connection(struct source *source, uint32_t events) {
  (void)events;
  int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  for (int i = 0; i < serve.host_ports; i++)
    if (source == &listeners[i][0] || source == &listeners[i][1]) return join(fd, serve.host_port[i]);
  close(fd);
}

void listen_host_ports(void) {
  for (int i = 0; i < serve.host_ports; i++)
    for (int six = 0; six < 2; six++)
      if (serve.sockets.host[i][six] >= 0) loop_add(&listeners[i][six], serve.sockets.host[i][six], EPOLLIN, on_connection);
}
