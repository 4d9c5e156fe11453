/* The name servers of this host: every lookup from a socket, and so a port, of its own. */
#include "net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERVERS = 3, PATIENCE = 2000, PORT = 53 };

static struct sockaddr_storage servers[SERVERS];
static int server_count, good;

static bool parse_server(char *text, struct sockaddr_storage *server) {
  struct sockaddr_in *in4 = (void *)server;
  struct sockaddr_in6 *in6 = (void *)server;
  memset(server, 0, sizeof *server);
  if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) return in4->sin_family = AF_INET, in4->sin_port = htons(PORT), true;
  char *scope = strchr(text, '%');
  if (scope) *scope++ = 0;
  if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1) return false;
  in6->sin6_family = AF_INET6, in6->sin6_port = htons(PORT), in6->sin6_scope_id = scope ? if_nametoindex(scope) : 0;
  return true;
}

/* Read again when the file is another, or its content is. */
static void read_servers(void) {
  static struct stat seen;
  struct stat found;
  if (stat(serve.resolv, &found) != 0) return;
  if (server_count > 0 && found.st_ino == seen.st_ino && found.st_dev == seen.st_dev && found.st_size == seen.st_size && memcmp(&found.st_mtim, &seen.st_mtim, sizeof found.st_mtim) == 0) return;
  int fd = open(serve.resolv, O_RDONLY | O_CLOEXEC);
  char *text = fd < 0 ? NULL : read_all(fd, NULL), *rest = text;
  if (fd >= 0) close(fd);
  if (!text) return;
  seen = found, server_count = 0, good = 0;
  for (char *line; (line = strsep(&rest, "\n")) && server_count < SERVERS;) {
    char *word = strtok(line, " \t\r");
    if (!word || strcmp(word, "nameserver") != 0 || !(word = strtok(NULL, " \t\r"))) continue;
    if (parse_server(word, &servers[server_count])) server_count++;
  }
  if (server_count == 0) parse_server((char[]){"127.0.0.1"}, &servers[server_count++]);
  free(text);
}

/* Of the servers' own failures the next one is asked; the last one's goes back. */
static bool is_failure(int rcode) {
  return rcode == SERVFAIL || rcode == NOTIMP || rcode == REFUSED;
}

static void take_answer(struct query *query, const uint8_t *message, size_t length) {
  static struct answer answer;
  if (!parse_answer(message, length, &query->question, query->id, &answer)) return;
  if (is_failure(answer.rcode) && ask_next(query)) return;
  if (!is_failure(answer.rcode)) good = query->server;
  /* It has our id; its client waits for its own. */
  static uint8_t copy[65536];
  memcpy(copy, message, length);
  copy[0] = (uint8_t)(query->question.id >> 8), copy[1] = (uint8_t)query->question.id;
  finish_query(query, copy, length, &answer);
}

static void next_or_fail(struct query *query) {
  if (!ask_next(query)) fail_query(query, SERVFAIL);
}

static void on_datagram(struct source *source, uint32_t events) {
  static uint8_t message[65536];
  struct query *query = (struct query *)source;
  (void)events;
  ssize_t got = recv(source->fd, message, sizeof message, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return next_or_fail(query);
  take_answer(query, message, (size_t)got);
}

static bool send_stream(struct query *query) {
  uint8_t message[2 + MESSAGE];
  size_t length = build_query(&query->question, query->id, message + 2);
  message[0] = (uint8_t)(length >> 8), message[1] = (uint8_t)length;
  length += 2;
  ssize_t done = send(query->source.fd, message + query->sent, length - query->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (done < 0) return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
  query->sent += (size_t)done;
  if (query->sent == length) loop_change(&query->source, EPOLLIN);
  return true;
}

static bool make_room(struct query *query) {
  size_t want = query->have < 2 ? 2 : 2u + ((unsigned)query->stream[0] << 8 | query->stream[1]);
  if (want <= query->room) return true;
  uint8_t *more = realloc(query->stream, want);
  if (!more) return false;
  query->stream = more, query->room = want;
  return true;
}

static void on_stream(struct source *source, uint32_t events) {
  struct query *query = (struct query *)source;
  if (events & EPOLLOUT && !send_stream(query)) return next_or_fail(query);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  for (;;) {
    if (!make_room(query)) return next_or_fail(query);
    if (query->have == query->room) break;
    ssize_t got = recv(source->fd, query->stream + query->have, query->room - query->have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return next_or_fail(query);
    query->have += (size_t)got;
  }
  int tries = query->tries;
  take_answer(query, query->stream + 2, query->have - 2);
  /* A stream that answered something else is of no use. */
  if (source->fd >= 0 && query->tries == tries) next_or_fail(query);
}

static bool reach(struct query *query, const struct sockaddr_storage *server) {
  bool stream = query->client;
  int fd = socket(server->ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  socklen_t size = server->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  bool done = connect(fd, (const struct sockaddr *)server, size) == 0 || (stream && errno == EINPROGRESS);
  if (done && !stream) {
    uint8_t message[MESSAGE];
    size_t length = build_query(&query->question, query->id, message);
    done = send(fd, message, length, MSG_NOSIGNAL) == (ssize_t)length;
  }
  query->have = query->sent = 0;
  if (done && loop_add(&query->source, fd, stream ? EPOLLIN | EPOLLOUT : EPOLLIN, stream ? on_stream : on_datagram)) return true;
  query->source.fd = -1;
  close(fd);
  return false;
}

bool ask_next(struct query *query) {
  if (query->tries == 0) read_servers();
  loop_close(&query->source, NULL);
  while (query->tries < server_count) {
    query->server = (good + query->tries++) % server_count;
    if (getrandom(&query->id, sizeof query->id, 0) != sizeof query->id) return false;
    dequeue(query);
    query->deadline = now() + PATIENCE;
    enqueue(query);
    if (reach(query, &servers[query->server])) return true;
  }
  return false;
}
