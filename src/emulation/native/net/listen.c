/* The name server's sockets in the computer's network. */
#include "net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 64, CLIENTS = 256, IDLE = 10000, INPUT = 2 + 1024, PIPELINED = 32, OUTPUT = 262144 };

struct client {
  struct source source;
  struct client *before, *after;
  uint64_t deadline;
  int waiting;
  bool taking, over;
  size_t have, length, start;
  uint8_t *output;
  uint8_t input[INPUT];
};

static struct source udp[2], tcp[2];
static struct client *first, *last;
static int count;

static void on_datagrams(struct source *source, uint32_t events) {
  static uint8_t message[4096];
  (void)events;
  for (int i = 0; i < AT_ONCE; i++) {
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(source->fd, message, sizeof message, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (got < 0) return;
    ask(message, (size_t)got, NULL, source->fd, &from, size);
  }
}

static void dequeue_client(struct client *client) {
  *(client->before ? &client->before->after : &first) = client->after;
  *(client->after ? &client->after->before : &last) = client->before;
  count--;
}

static void enqueue_client(struct client *client) {
  client->after = NULL, client->before = last;
  *(last ? &last->after : &first) = client;
  last = client;
  count++;
  client->deadline = now() + IDLE;
}

static void release(struct source *source) {
  struct client *client = (struct client *)source;
  free(client->output), free(client);
}

static void hang_up(struct client *client) {
  if (client->source.fd < 0) return;
  dequeue_client(client);
  loop_close(&client->source, release);
  drop_queries(client);
}

/* Who does not take its answers gets to ask nothing more. */
static bool is_full(const struct client *client) {
  return client->waiting >= PIPELINED || client->length - client->start >= OUTPUT;
}

static bool flush(struct client *client) {
  while (client->start < client->length) {
    ssize_t done = send(client->source.fd, client->output + client->start, client->length - client->start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0) return errno == EAGAIN || errno == EINTR;
    client->start += (size_t)done;
  }
  free(client->output);
  client->output = NULL, client->start = client->length = 0;
  return true;
}

static bool take_query(struct client *client) {
  uint8_t message[INPUT];
  size_t length = (size_t)client->input[0] << 8 | client->input[1];
  memcpy(message, client->input + 2, length);
  client->have -= length + 2;
  memmove(client->input, client->input + 2 + length, client->have);
  if (message[2] & 0x80) return false;
  client->waiting++;
  ask(message, length, client, -1, NULL, 0);
  return true;
}

/* Once it said all and has all, or when it makes no sense, it is let go. */
static void go_on(struct client *client) {
  bool sense = true;
  client->taking = true;
  while (sense && client->source.fd >= 0 && client->have >= 2 && !is_full(client)) {
    size_t length = (size_t)client->input[0] << 8 | client->input[1];
    sense = length >= 12 && length + 2 <= INPUT;
    if (sense && client->have < length + 2) break;
    if (sense) sense = take_query(client);
  }
  client->taking = false;
  if (client->source.fd < 0) return;
  if (!sense || !flush(client) || (client->over && client->waiting == 0 && client->length == 0)) return hang_up(client);
  loop_change(&client->source, (client->over || is_full(client) ? 0u : EPOLLIN) | (client->length > 0 ? EPOLLOUT : 0u));
}

void answer_client(struct client *client, const uint8_t *message, size_t length) {
  if (client->source.fd < 0) return;
  if (client->waiting > 0) client->waiting--;
  uint8_t *more = realloc(client->output, client->length + 2 + length);
  if (!more) return;
  client->output = more;
  more[client->length] = (uint8_t)(length >> 8), more[client->length + 1] = (uint8_t)length;
  memcpy(more + client->length + 2, message, length);
  client->length += 2 + length;
  if (!client->taking) go_on(client);
}

static void on_client(struct source *source, uint32_t events) {
  struct client *client = (struct client *)source;
  dequeue_client(client);
  enqueue_client(client);
  if (events & (EPOLLHUP | EPOLLERR)) return hang_up(client);
  if (events & EPOLLIN && client->have < INPUT) {
    ssize_t got = recv(source->fd, client->input + client->have, INPUT - client->have, MSG_DONTWAIT);
    if (got < 0 && errno != EAGAIN && errno != EINTR) return hang_up(client);
    if (got == 0) client->over = true;
    if (got > 0) client->have += (size_t)got;
  }
  go_on(client);
}

static void on_connection(struct source *source, uint32_t events) {
  (void)events;
  int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (count >= CLIENTS) hang_up(first);
  struct client *client = calloc(1, sizeof *client);
  if (!client || !loop_add(&client->source, fd, EPOLLIN, on_client)) return free(client), (void)close(fd);
  enqueue_client(client);
}

int clients_due(void) {
  if (!first) return FOREVER;
  return first->deadline > now() ? (int)(first->deadline - now()) : 0;
}

void clients_expire(void) {
  while (first && first->deadline <= now()) hang_up(first);
}

void listen_names(void) {
  for (int six = 0; six < 2; six++) {
    if (serve.sockets.udp[six] >= 0) loop_add(&udp[six], serve.sockets.udp[six], EPOLLIN, on_datagrams);
    if (serve.sockets.tcp[six] >= 0) loop_add(&tcp[six], serve.sockets.tcp[six], EPOLLIN, on_connection);
  }
}
