#define _GNU_SOURCE
#include "writer.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "bytes.h"
#include "pack.h"

enum { BUFFERS = 4, JOBS = 64 };

struct job {
  int fd;
  char *buffer;
  size_t length;
  uint64_t at;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct job jobs[JOBS];
static unsigned first, count;
static char *idle[BUFFERS];
static unsigned idle_count, made;
static int error;
static bool running, busy;

static void do_job(const struct job *job) {
  bool done = job->buffer ? write_at(job->fd, job->buffer, job->length, job->at) : ftruncate(job->fd, (off_t)job->at) == 0;
  int number = done ? 0 : errno;
  if (!job->buffer) close(job->fd);
  pthread_mutex_lock(&mutex);
  if (!error) error = number;
  if (job->buffer) idle[idle_count++] = job->buffer;
  busy = false;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void *work(void *none) {
  for (;;) {
    pthread_mutex_lock(&mutex);
    while (count == 0) pthread_cond_wait(&changed, &mutex);
    struct job job = jobs[first];
    first = (first + 1) % JOBS;
    count--;
    busy = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    do_job(&job);
  }
  return none;
}

static void start(void) {
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  running = pthread_create(&thread, NULL, work, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!running) must(NULL);
}

static bool add(struct job job) {
  if (!running) start();
  pthread_mutex_lock(&mutex);
  while (count == JOBS) pthread_cond_wait(&changed, &mutex);
  jobs[(first + count++) % JOBS] = job;
  int number = error;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  errno = number;
  return number == 0;
}

char *writer_buffer(void) {
  pthread_mutex_lock(&mutex);
  while (idle_count == 0 && made == BUFFERS) pthread_cond_wait(&changed, &mutex);
  char *buffer = idle_count > 0 ? idle[--idle_count] : NULL;
  if (!buffer) made++;
  pthread_mutex_unlock(&mutex);
  return buffer ? buffer : must(aligned_alloc(PACK_BLOCK, WRITER_BUFFER));
}

void writer_return(char *buffer) {
  pthread_mutex_lock(&mutex);
  idle[idle_count++] = buffer;
  pthread_mutex_unlock(&mutex);
}

bool writer_put(int fd, char *buffer, size_t length, uint64_t at) {
  return add((struct job){fd, buffer, length, at});
}

bool writer_close(int fd, uint64_t length) {
  return add((struct job){fd, NULL, 0, length});
}

bool writer_wait(void) {
  pthread_mutex_lock(&mutex);
  while (count > 0 || busy) pthread_cond_wait(&changed, &mutex);
  int number = error;
  error = 0;
  pthread_mutex_unlock(&mutex);
  errno = number;
  return number == 0;
}
