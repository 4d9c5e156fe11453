/* DIR/control: `apply LENGTH`, then that many bytes of policy. One line comes back. */
#include "net.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 16, PATIENCE = 10000, HEAD = 32 };

struct caller {
  struct source source;
  struct caller *before, *after;
  uint64_t deadline;
  char head[HEAD];
  size_t head_length, length, have;
  char *text;
};

static struct source listener;
static struct caller *first, *last;
static int count;

static void release(struct source *source) {
  free(((struct caller *)source)->text), free(source);
}

static void hang_up(struct caller *caller) {
  *(caller->before ? &caller->before->after : &first) = caller->after;
  *(caller->after ? &caller->after->before : &last) = caller->before;
  count--;
  loop_close(&caller->source, release);
}

static void answer(struct caller *caller, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void answer(struct caller *caller, const char *format, ...) {
  char line[2048];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (length >= (int)sizeof line) length = sizeof line - 1, line[length - 1] = '\n';
  send(caller->source.fd, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
  hang_up(caller);
}

/* What is on disk holds again. */
static void go_back(void) {
  struct failure failure;
  struct policy *old;
  int cut;
  if (load_policy(&old, &failure) && !put_in_force(old, &cut, &failure)) free_policy(old);
}

/* In force first, since a disk may take its time; `applied` is only said when both are done. */
static void apply(struct caller *caller) {
  struct failure failure;
  int line, cut;
  const char *why;
  char *copy = malloc(caller->length);
  if (!copy) return answer(caller, "error\t%d\tmemory\t\t%s\n", ENOMEM, strerror(ENOMEM));
  memcpy(copy, caller->text, caller->length);
  struct policy *next = parse_policy(caller->text, caller->length, &line, &why);
  if (next) caller->text = NULL;
  if (!next) answer(caller, "error\t%d\tpolicy\t%d\t%s\n", EINVAL, line, why);
  else if (!put_in_force(next, &cut, &failure)) {
    free_policy(next);
    answer(caller, "error\t%d\t%s\t%s\t%s\n", failure.error, failure.step, strcmp(failure.step, "tool") == 0 ? "nft" : "", failure.text);
  } else if (!write_new_policy(copy, caller->length) || !keep_new_policy()) {
    int error = errno;
    go_back();
    answer(caller, "error\t%d\tstore\tpolicy\t%s\n", error, strerror(error));
  } else {
    answer(caller, "applied\t{\"cut\":%d}\n", cut);
  }
  free(copy);
}

/* Up to the end of the line, byte by byte: what follows belongs to the text. */
static bool read_head(struct caller *caller) {
  char byte;
  long long length;
  while (caller->head_length < HEAD - 1) {
    ssize_t got = recv(caller->source.fd, &byte, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    if (byte != '\n') {
      caller->head[caller->head_length++] = byte;
      continue;
    }
    if (strncmp(caller->head, "apply ", 6) != 0 || !parse_number(caller->head + 6, &length) || length <= 0 || length > MAX_POLICY) return false;
    caller->length = (size_t)length;
    return (caller->text = malloc(caller->length + 1)) != NULL;
  }
  return false;
}

static void on_caller(struct source *source, uint32_t events) {
  struct caller *caller = (struct caller *)source;
  (void)events;
  if (!caller->text && !read_head(caller)) return answer(caller, "error\t%d\tcontrol\t\tnot a request\n", EINVAL);
  if (!caller->text) return;
  while (caller->have < caller->length) {
    ssize_t got = recv(source->fd, caller->text + caller->have, caller->length - caller->have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return hang_up(caller);
    caller->have += (size_t)got;
  }
  apply(caller);
}

static void on_connection(struct source *source, uint32_t events) {
  (void)events;
  int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (count >= CLIENTS) hang_up(first);
  struct caller *caller = calloc(1, sizeof *caller);
  if (!caller || !loop_add(&caller->source, fd, EPOLLIN, on_caller)) return free(caller), (void)close(fd);
  caller->before = last, *(last ? &last->after : &first) = caller;
  last = caller;
  count++;
  caller->deadline = now() + PATIENCE;
}

int control_due(void) {
  if (!first) return FOREVER;
  return first->deadline > now() ? (int)(first->deadline - now()) : 0;
}

void control_expire(void) {
  while (first && first->deadline <= now()) hang_up(first);
}

void listen_control(void) {
  loop_add(&listener, serve.control, EPOLLIN, on_connection);
}
