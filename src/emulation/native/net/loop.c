#include "net.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int epoll = -1;
static struct source *dead;
static uint64_t round_time;

static void take_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  round_time = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

uint64_t now(void) {
  if (round_time == 0) take_time();
  return round_time;
}

bool loop_add(struct source *source, int fd, uint32_t events, void (*ready)(struct source *, uint32_t)) {
  if (epoll < 0) epoll = epoll_create1(EPOLL_CLOEXEC);
  source->fd = fd, source->ready = ready;
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void loop_change(struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  if (source->fd >= 0) epoll_ctl(epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_close(struct source *source, void (*release)(struct source *)) {
  if (source->fd >= 0) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, source->fd, NULL);
    close(source->fd);
  }
  source->fd = -1;
  if (!release) return;
  source->release = release, source->next_dead = dead;
  dead = source;
}

static const struct {
  int (*due)(void);
  void (*expire)(void);
} timed[] = {{queries_due, queries_expire}, {clients_due, clients_expire}, {control_due, control_expire}};

static int next_wake(void) {
  int next = FOREVER;
  for (size_t i = 0; i < sizeof timed / sizeof *timed; i++) {
    int due = timed[i].due();
    if (due >= 0 && (next < 0 || due < next)) next = due;
  }
  return next;
}

_Noreturn void loop_run(void) {
  struct epoll_event events[64];
  for (;;) {
    int count = epoll_wait(epoll, events, 64, next_wake());
    take_time();
    if (count < 0 && errno != EINTR) _exit(1);
    for (int i = 0; i < count; i++) {
      struct source *source = events[i].data.ptr;
      if (source->fd >= 0) source->ready(source, events[i].events);
    }
    for (size_t i = 0; i < sizeof timed / sizeof *timed; i++) timed[i].expire();
    while (dead) {
      struct source *source = dead;
      dead = source->next_dead;
      source->release(source);
    }
  }
}
